//! Threads that work through spans, for every engine that hashes on the processors.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::affinity;
use crate::engine::{EngineError, EngineId, Sink, Span, SpanReport, Work};

/// What one thread does.
pub trait Worker {
    /// Returns how long one span of one thread shall take: short beside a sample, long beside the hand-over of its
    /// report.
    fn span_target(&self) -> Duration {
        Duration::from_millis(4)
    }

    /// Returns how many hashes the first span takes; later ones follow the clock.
    fn hashes_first(&self) -> u64;

    /// Returns how many hashes are computed at once. Spans are multiples of that.
    fn hashes_at_once(&self) -> u64 {
        1
    }

    /// Works through one span.
    ///
    /// # Errors
    ///
    /// As [`crate::engine::Engine::run`].
    fn span(&mut self, span: Span) -> Result<SpanReport, EngineError>;
}

/// How long before it has to the calling thread wakes up, so that a late timer makes no difference.
const EARLY: Duration = Duration::from_millis(4);
/// How long it sleeps at most at a time.
const SLEEP_MAX: Duration = Duration::from_millis(200);

/// Runs `threads` workers, each pinned to one of the allowed processors, until `work` has no more spans.
///
/// `make` is called on each thread, with its number. The calling thread only takes reports.
///
/// # Errors
///
/// The first error of a worker, or its panic; the other workers then end with the span that they are on.
pub fn run<W: Worker>(
    id: &EngineId,
    threads: usize,
    work: &dyn Work,
    sink: &mut dyn Sink,
    make: impl Fn(usize) -> Result<W, EngineError> + Sync,
) -> Result<(), EngineError> {
    run_on(id, &affinity::allowed(), threads, work, sink, make)
}

/// As [`run`], each worker pinned to the processor of `processors` that has its number; beyond their end they begin
/// anew, and where there is none, nothing is pinned.
///
/// # Errors
///
/// As [`run`].
pub fn run_on<W: Worker>(
    id: &EngineId,
    processors: &[usize],
    threads: usize,
    work: &dyn Work,
    sink: &mut dyn Sink,
    make: impl Fn(usize) -> Result<W, EngineError> + Sync,
) -> Result<(), EngineError> {
    let (sender, receiver) = mpsc::channel();
    let caller = thread::current();
    let failed = crate::engine::Cancel::default();
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|number| {
                let (sender, make, failed, caller) = (sender.clone(), &make, &failed, &caller);
                let processor = processors.get(number % processors.len().max(1)).copied();
                thread::Builder::new().name(format!("{id} {number}")).spawn_scoped(scope, move || {
                    if let Some(processor) = processor {
                        affinity::pin(&[processor]);
                    }
                    let result =
                        panic::catch_unwind(AssertUnwindSafe(|| one_thread(make(number)?, work, &sender, failed)));
                    let result = result.unwrap_or_else(|payload| Err(panicked(id, payload.as_ref())));
                    if result.is_err() {
                        failed.cancel();
                    }
                    // The caller may sleep, and there may be nothing more to wait for.
                    drop(sender);
                    caller.unpark();
                    result
                })
            })
            .collect();
        drop(sender);
        take_reports(&receiver, sink);
        handles.into_iter().try_for_each(|handle| match handle.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(payload)) => Err(panicked(id, payload.as_ref())),
            Err(error) => Err(EngineError::Failed { id: id.clone(), reason: format!("can't start a thread: {error}") }),
        })
    })
}

/// Passes reports on until all workers have ended: in the order in which they were finished, and in time for what the
/// sink waits for.
///
/// To wake up for each report took 32 µs of processor time, 0.8 % of a thread's work on a virtual AMD Zen 5.
fn take_reports(receiver: &mpsc::Receiver<SpanReport>, sink: &mut dyn Sink) {
    loop {
        let patience = sink.patience().saturating_sub(EARLY).min(SLEEP_MAX);
        if !patience.is_zero() {
            thread::park_timeout(patience);
        }
        let mut reports: Vec<SpanReport> = receiver.try_iter().collect();
        if reports.is_empty() {
            match receiver.recv_timeout(SLEEP_MAX) {
                Ok(report) => reports.push(report),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        reports.sort_by_key(|report| report.finished);
        reports.into_iter().for_each(|report| sink.report(report));
    }
}

fn one_thread(
    mut worker: impl Worker,
    work: &dyn Work,
    reports: &mpsc::Sender<SpanReport>,
    failed: &crate::engine::Cancel,
) -> Result<(), EngineError> {
    let mut hashes = worker.hashes_first();
    while !failed.is_cancelled() {
        let Some(span) = work.next(hashes) else { break };
        let started = Instant::now();
        let mut report = worker.span(span)?;
        let finished = Instant::now();
        report.finished = Some(finished);
        hashes = next_hashes(report.span.hashes(), finished - started, worker.span_target())
            .next_multiple_of(worker.hashes_at_once());
        if reports.send(report).is_err() {
            break;
        }
    }
    Ok(())
}

/// Scales the length of a span towards the target, at most fourfold at a time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a length that need not be exact"
)]
fn next_hashes(hashes: u64, took: Duration, target: Duration) -> u64 {
    let scale = target.as_secs_f64() / took.as_secs_f64().max(1e-9);
    (hashes as f64 * scale.clamp(0.25, 4.0)).round().max(1.0) as u64
}

fn panicked(id: &EngineId, payload: &(dyn std::any::Any + Send)) -> EngineError {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string).or_else(|| payload.downcast_ref().cloned());
    EngineError::Failed { id: id.clone(), reason: text.unwrap_or_else(|| "a worker panicked".to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Cancel, Job, RangeWork};

    struct Counting(EngineId);

    impl Worker for Counting {
        fn hashes_first(&self) -> u64 {
            10
        }

        fn span(&mut self, span: Span) -> Result<SpanReport, EngineError> {
            let nonces: Vec<u32> = span.nonces_u32().collect();
            let hits = span.inputs().collect();
            assert!(!nonces.contains(&666), "nonce 666 is cursed");
            if nonces.contains(&777) {
                return Err(EngineError::Failed { id: self.0.clone(), reason: "nonce 777".to_owned() });
            }
            Ok(SpanReport { span, hits, xor_tail: None, device_time: None, finished: None })
        }
    }

    #[derive(Default)]
    struct Collect(Vec<u32>);

    impl Sink for Collect {
        fn report(&mut self, report: SpanReport) {
            self.0.extend(report.hits.iter().map(|hit| hit.nonce));
        }
    }

    fn run_over(nonces: std::ops::Range<u64>) -> (Result<(), EngineError>, Vec<u32>) {
        let id = EngineId::new("fake", "cpu", "counting");
        let job = Job { key: Vec::new(), template: vec![0; 4], nonce_offset: 0, version_mask: 0 };
        let work = RangeWork::new(Arc::new(job), nonces, Cancel::default());
        let mut sink = Collect::default();
        let result = run(&id, 3, &work, &mut sink, |_| Ok(Counting(id.clone())));
        sink.0.sort_unstable();
        (result, sink.0)
    }

    #[test]
    fn every_nonce_is_worked_exactly_once() {
        let (result, nonces) = run_over(1000..5001);
        assert_eq!(result, Ok(()));
        assert_eq!(nonces, (1000..5001).collect::<Vec<_>>());
        assert_eq!(run_over(5..5), (Ok(()), Vec::new()));
    }

    #[test]
    fn an_error_and_a_panic_become_the_error_of_the_run() {
        let Err(EngineError::Failed { reason, .. }) = run_over(700..800).0 else { panic!("no error") };
        assert_eq!(reason, "nonce 777");
        let Err(EngineError::Failed { reason, .. }) = run_over(600..700).0 else { panic!("no error") };
        assert_eq!(reason, "nonce 666 is cursed");
    }

    #[test]
    fn spans_grow_towards_the_target_and_never_to_nothing() {
        let target = Duration::from_millis(4);
        assert_eq!(next_hashes(1000, target, target), 1000);
        assert_eq!(next_hashes(1000, target / 100, target), 4000);
        assert_eq!(next_hashes(1000, target * 2, target), 500);
        assert_eq!(next_hashes(1, target * 100, target), 1);
    }
}
