//! How much work goes into one submission.

use std::time::Duration;

/// What a submission shall take: long beside the gap of a launch (some 20 µs), short beside what a watchdog notices.
pub(super) const TARGET: Duration = Duration::from_millis(30);
/// The same where the adapter draws a desktop, which stutters at 30 ms.
pub(super) const TARGET_WITH_DISPLAY: Duration = Duration::from_millis(10);
/// No submission shall take longer: drivers take the device away from those that do, the strictest after half a second.
pub(super) const LONGEST: Duration = Duration::from_millis(200);
/// The first submission, small enough for the slowest adapter.
const FIRST: u64 = 1 << 14;
/// The largest: 2^31 hashes take the fastest card there is a fifth of a second.
const MOST: u64 = 1 << 31;

/// How many hashes the next submission takes. Follows the rate of the adapter.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    hashes: u64,
    most: u64,
    /// The number is a multiple of this, so that workgroups are whole.
    step: u64,
    target: Duration,
}

impl Batch {
    /// Begins small.
    pub(super) fn new(target: Duration, step: u64) -> Self {
        Self { hashes: FIRST.next_multiple_of(step), most: MOST, step, target: target.min(LONGEST) }
    }

    /// Returns how many hashes the next submission takes.
    pub(super) fn hashes(&self) -> u64 {
        self.hashes
    }

    /// Returns what a submission shall take.
    pub(super) fn target(&self) -> Duration {
        self.target
    }

    /// Learns from a submission of `hashes` that took the device so long: the next is scaled towards the target, at
    /// most twofold upwards.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a length that need not be exact"
    )]
    pub(super) fn adapt(&mut self, hashes: u64, took: Duration) {
        // The end of a range is shorter than a batch, and says little about how long one takes.
        if hashes < self.hashes {
            return;
        }
        let scale = self.target.as_secs_f64() / took.as_secs_f64().max(1e-9);
        let scaled = (hashes as f64 * scale.clamp(0.05, 2.0)) as u64;
        self.hashes = scaled.clamp(FIRST, self.most).next_multiple_of(self.step);
    }

    /// Falls to a quarter and never grows beyond it again.
    pub(super) fn shrink(&mut self) {
        self.most = (self.hashes / 4).max(FIRST);
        self.hashes = self.most.next_multiple_of(self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a device of this rate work through batches, and returns how long the last took.
    fn settle(batch: &mut Batch, rate_hps: u64) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..40 {
            took = Duration::from_nanos(batch.hashes() * 1_000_000_000 / rate_hps);
            batch.adapt(batch.hashes(), took);
        }
        took
    }

    #[test]
    fn a_batch_takes_its_target_at_any_rate_and_never_jumps_beyond_the_longest() {
        for rate_hps in [1_000_000, 40_000_000, 10_000_000_000] {
            for target in [TARGET, TARGET_WITH_DISPLAY] {
                let took = settle(&mut Batch::new(target, 64), rate_hps).as_secs_f64();
                assert!((took / target.as_secs_f64() - 1.0).abs() < 0.7, "{took} s at {rate_hps} H/s");
            }
        }
        // As long a target as one likes: no submission takes longer than a watchdog allows.
        assert!(settle(&mut Batch::new(Duration::from_secs(9), 64), 50_000_000) <= LONGEST * 11 / 10);
        // A device that suddenly is slow, such as one that a game was begun on, is given less at once.
        let mut batch = Batch::new(TARGET, 64);
        settle(&mut batch, 1_000_000_000);
        batch.adapt(batch.hashes(), Duration::from_millis(600));
        assert!(batch.hashes() < 1_600_000, "{}", batch.hashes());
    }

    #[test]
    fn ragged_ends_teach_nothing_and_batches_are_whole_workgroups() {
        let mut batch = Batch::new(TARGET, 64 * 32);
        batch.adapt(7, Duration::from_nanos(1));
        assert_eq!(batch.hashes(), FIRST);
        batch.adapt(batch.hashes(), Duration::from_nanos(20_000_001));
        assert_eq!(batch.hashes() % (64 * 32), 0);
    }

    #[test]
    fn after_a_mishap_a_batch_stays_small() {
        let mut batch = Batch::new(TARGET, 64);
        settle(&mut batch, 1_000_000_000);
        let before = batch.hashes();
        batch.shrink();
        assert_eq!(batch.hashes(), (before / 4).next_multiple_of(64));
        settle(&mut batch, 1_000_000_000);
        assert!(batch.hashes() <= (before / 4).next_multiple_of(64));
    }
}
