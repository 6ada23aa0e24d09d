//! Which processors a thread may run on. Linux only; elsewhere threads run where the system puts them.

use std::num::NonZero;
use std::thread;

/// Returns how many threads can run at once in this process, as far as the system tells; at least 1.
#[must_use]
pub fn parallelism() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Returns the processors that the calling thread may run on, in order; empty where the system doesn't tell.
#[must_use]
pub fn allowed() -> Vec<usize> {
    system::allowed()
}

/// Limits the calling thread, and the threads that it starts from now on, to `processors`.
///
/// Returns whether the system did so. A thread that isn't pinned hashes just as well, a little less steadily, so
/// callers that only want steadiness ignore the answer.
pub fn pin(processors: &[usize]) -> bool {
    system::pin(processors)
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> Vec<usize> {
        let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        (0..CpuSet::MAX_CPU).filter(|&processor| set.is_set(processor)).collect()
    }

    pub(super) fn pin(processors: &[usize]) -> bool {
        let mut set = CpuSet::new();
        processors.iter().filter(|&&processor| processor < CpuSet::MAX_CPU).for_each(|&processor| set.set(processor));
        sched_setaffinity(None, &set).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn allowed() -> Vec<usize> {
        Vec::new()
    }

    pub(super) fn pin(_processors: &[usize]) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_may_run_on_that_processor_only() {
        let last = *allowed().last().expect("a thread runs somewhere");
        let inside = thread::spawn(move || (pin(&[last]), allowed(), parallelism())).join().unwrap();
        assert_eq!(inside, (true, vec![last], 1));
        assert!(allowed().contains(&last), "the thread that pins another stays as it was");
    }
}
