//! The time that a measurement is stamped with: the machine's, or one that a test moves by hand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tells the time since a fixed moment. Never goes back.
pub trait Clock: Sync {
    /// Returns the time since this clock's own beginning.
    fn now(&self) -> Duration;

    /// Returns the time of a moment in the past on this clock.
    fn at(&self, moment: Instant) -> Duration;

    /// Returns when `time` has passed.
    fn sleep(&self, time: Duration);
}

/// The monotonic clock of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct MonotonicClock(Instant);

impl Default for MonotonicClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn at(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.0)
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A clock that stands still until it is moved on. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct FakeClock(Arc<Mutex<Duration>>);

impl FakeClock {
    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody but the operating system makes moments: this clock takes them for now.
    fn at(&self, _moment: Instant) -> Duration {
        self.now()
    }

    fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}
