//! Reading a source in the background, at a steady pace, for as long as its meter lives.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::MeterError;
use super::integrate::{Reading, Track};

/// Tells a thread to end. Clones are the same signal.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Waits for `time`, or until the thread shall end; tells whether it shall.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let (is_set, changed) = &*self.0;
        let guard = is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let result = changed.wait_timeout_while(guard, time, |is_set| !*is_set);
        *result.unwrap_or_else(PoisonError::into_inner).0
    }

    fn set(&self) {
        let (is_set, changed) = &*self.0;
        *is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

/// A thread that does something at a steady pace until it is dropped.
#[derive(Debug)]
pub(super) struct Ticker {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Calls `tick` every `period`, first after one period. A call that takes longer delays the next and adds none.
    ///
    /// # Errors
    ///
    /// The operating system has no thread left.
    pub(super) fn start(period: Duration, mut tick: impl FnMut(&Stop) + Send + 'static) -> io::Result<Self> {
        let stop = Stop::default();
        let signal = stop.clone();
        let run = move || {
            let mut next = Instant::now() + period;
            while !signal.wait(next.saturating_duration_since(Instant::now())) {
                tick(&signal);
                next = (next + period).max(Instant::now());
            }
        };
        let thread = Builder::new().name("meter".to_owned()).spawn(run)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            // A tick that panicked has left its mark in the readings that are missing.
            drop(thread.join());
        }
    }
}

/// Takes a lock; a panic in another thread leaves the data as they were between two readings.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that yields power or energy at any time.
pub(super) trait Source: Send + 'static {
    /// Reads it now.
    fn read(&mut self) -> Result<Reading, MeterError>;
}

/// A source and its joules since it was opened. It starts no clock, so that tests can tell it the time.
#[derive(Debug)]
pub(super) struct Tracked<S> {
    source: S,
    track: Track,
}

impl<S: Source> Tracked<S> {
    /// Starts at 0 J with a first reading.
    pub(super) fn new(mut source: S) -> Result<Self, MeterError> {
        let track = Track::new(0.0, source.read()?);
        Ok(Self { source, track })
    }

    /// Reads the source at `at_s` seconds and returns the joules since it was opened.
    pub(super) fn sample_j(&mut self, at_s: impl FnOnce() -> f64) -> Result<f64, MeterError> {
        let reading = self.source.read()?;
        let at_s = at_s();
        let failed = |reason| MeterError::Failed { what: reading.quantity().to_owned(), reason };
        self.track.feed(at_s, reading).map_err(failed)?;
        Ok(self.track.total_j(at_s))
    }
}

/// A source that is read in the background, so that what it does between two readings of its meter counts too.
#[derive(Debug)]
pub(super) struct Sampled<S> {
    tracked: Arc<Mutex<Tracked<S>>>,
    opened: Instant,
    period: Duration,
    _ticker: Ticker,
}

impl<S: Source> Sampled<S> {
    /// Starts at 0 J, and reads the source every `period` from now on.
    pub(super) fn start(source: S, period: Duration) -> Result<Self, MeterError> {
        let opened = Instant::now();
        let tracked = Arc::new(Mutex::new(Tracked::new(source)?));
        let shared = Arc::clone(&tracked);
        let tick = move |_: &Stop| {
            // One reading that fails leaves a gap, which is bridged and told of. One that the meter itself asks for is
            // an error there.
            drop(lock(&shared).sample_j(|| opened.elapsed().as_secs_f64()));
        };
        let no_thread = |source| MeterError::Failed { what: "sampling thread".to_owned(), reason: no_thread(&source) };
        let ticker = Ticker::start(period, tick).map_err(no_thread)?;
        Ok(Self { tracked, opened, period, _ticker: ticker })
    }

    /// Reads the source now and returns the joules since it was opened.
    pub(super) fn read_j(&self) -> Result<f64, MeterError> {
        lock(&self.tracked).sample_j(|| self.opened.elapsed().as_secs_f64())
    }

    /// Tells what a reader of the joules should know.
    pub(super) fn note(&self) -> Option<String> {
        let tracked = lock(&self.tracked);
        let gap_s = tracked.track.longest_gap_s();
        let period_s = self.period.as_secs_f64();
        // A thread that wakes up late now and then misses nothing of a steady load.
        let gap = (gap_s > 1.0_f64.max(10.0 * period_s))
            .then(|| format!("up to {gap_s:.1} s lay between two readings of the power, in place of {period_s} s"));
        gap.or_else(|| tracked.track.note())
    }
}

/// Says that a thread could not be started.
pub(super) fn no_thread(error: &io::Error) -> String {
    format!("it can't be started: {error}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Yields the powers of a list, where a negative one is a failure, and repeats the last.
    struct Listed(Vec<f64>, Arc<AtomicU32>);

    impl Listed {
        fn new(watts: &[f64]) -> Self {
            Self(watts.iter().rev().copied().collect(), Arc::default())
        }
    }

    impl Source for Listed {
        fn read(&mut self) -> Result<Reading, MeterError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            let watts = if self.0.len() > 1 { self.0.pop() } else { self.0.first().copied() };
            match watts.filter(|watts| *watts > 0.0) {
                Some(watts) => Ok(Reading::Watts(watts)),
                None => Err(MeterError::Failed { what: "fake".to_owned(), reason: "asleep".to_owned() }),
            }
        }
    }

    #[test]
    fn readings_add_up_to_joules_and_a_failed_one_is_bridged_by_the_next() {
        let mut tracked = Tracked::new(Listed::new(&[100.0, 200.0, -1.0, 300.0])).unwrap();
        assert_eq!(tracked.sample_j(|| 1.0).unwrap(), 150.0);
        assert!(tracked.sample_j(|| 2.0).unwrap_err().to_string().contains("asleep"));
        // From 200 W at 1 s to 300 W at 3 s.
        assert_eq!(tracked.sample_j(|| 3.0).unwrap(), 650.0);
        assert!(Tracked::new(Listed::new(&[-1.0])).is_err());
    }

    #[test]
    fn the_thread_reads_between_the_readings_and_stops_with_the_meter() {
        let source = Listed::new(&[50.0]);
        let readings = Arc::clone(&source.1);
        let opened = Instant::now();
        let sampled = Sampled::start(source, Duration::from_millis(5)).unwrap();
        while readings.load(Ordering::Relaxed) < 5 {
            std::thread::sleep(Duration::from_millis(1));
            assert!(opened.elapsed() < Duration::from_secs(30), "the thread doesn't read");
        }
        let before_s = opened.elapsed().as_secs_f64();
        let joules = sampled.read_j().unwrap();
        assert!(joules > 0.0 && joules <= 50.0 * opened.elapsed().as_secs_f64(), "{joules} J");
        assert!(joules >= 50.0 * (before_s - 1.0), "{joules} J");
        drop(sampled);
        let after = readings.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(readings.load(Ordering::Relaxed), after);
    }

    #[test]
    fn a_ticker_ends_at_once_however_long_its_period_is() {
        let start = Instant::now();
        drop(Ticker::start(Duration::from_secs(3600), |_| ()).unwrap());
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
