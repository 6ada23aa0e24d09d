//! The joules of devices that have nothing to do: before the turns of a group and after them, while what its engines
//! built (datasets, buffers on a graphics card) is kept.

use std::time::Duration;

use super::turn::{Meterings, used_j};
use crate::clock::Clock;
use crate::engine::Cancel;
use crate::interval::Interval;
use crate::machine::{LoadSnapshot, load_change};
use crate::record::{Idle, When};

/// How long devices calm down before they are metered.
pub(super) const SETTLE: Duration = Duration::from_millis(500);
/// How often a wait looks whether it shall end.
const SLICE: Duration = Duration::from_millis(100);

/// What idle devices are metered with.
pub(super) struct IdleMetering<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) load: &'a dyn Fn() -> LoadSnapshot,
    pub(super) cancel: &'a Cancel,
    /// How long to meter.
    pub(super) time: Duration,
}

impl IdleMetering<'_> {
    /// Meters every device for a while. None after an interrupt.
    pub(super) fn measure(&self, group: usize, when: When, meterings: &mut Meterings) -> Option<Idle> {
        self.wait(SETTLE)?;
        let (before, start) = ((self.load)(), self.clock.now());
        let first = meterings.read(start, None);
        self.wait(self.time)?;
        let end = self.clock.now();
        let last = meterings.read(end, None);
        let duration = end - start;
        Some(Idle {
            group,
            when,
            start_s: start.as_secs_f64(),
            duration_s: duration.as_secs_f64(),
            energy_j: used_j(&first, &last),
            others_fraction: load_change(&before, &(self.load)(), duration).others_fraction,
        })
    }

    fn wait(&self, time: Duration) -> Option<()> {
        let end = self.clock.now() + time;
        loop {
            if self.cancel.is_cancelled() {
                return None;
            }
            let left = end.saturating_sub(self.clock.now());
            if left.is_zero() {
                return Some(());
            }
            self.clock.sleep(left.min(SLICE));
        }
    }
}

/// Returns the power that a meter read of idle devices, in watts: the mean of before and after, and an interval of 95 %
/// in which half of what they differ by and the meter's quantum of time are added in squares.
///
/// None where the meter wasn't read, or resolves less than the time that it was read for.
pub(super) fn power_w(idle: &[&Idle], meter: &str, quantum_s: f64) -> Option<Interval> {
    let powers: Vec<(f64, f64)> = idle
        .iter()
        .filter(|one| one.duration_s > quantum_s)
        .filter_map(|one| Some((one.energy_j.get(meter)? / one.duration_s, one.duration_s)))
        .collect();
    let count = powers.iter().fold(0.0, |count, _| count + 1.0);
    if count == 0.0 {
        return None;
    }
    let value = powers.iter().map(|(power_w, _)| power_w).sum::<f64>() / count;
    let differ = powers.iter().map(|(power_w, _)| (power_w - value).abs()).fold(0.0, f64::max);
    let of_quantum = powers.iter().map(|(power_w, duration_s)| {
        (power_w * super::energy::quantum_fraction(quantum_s, 1.0, *duration_s) / count).powi(2)
    });
    let half_width = of_quantum.sum::<f64>().sqrt().hypot(differ);
    Some(Interval { value, low: value - half_width, high: value + half_width })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(energy_j: f64, duration_s: f64) -> Idle {
        Idle {
            group: 0,
            when: When::Before,
            start_s: 0.0,
            duration_s,
            energy_j: [("m".to_owned(), energy_j)].into(),
            others_fraction: None,
        }
    }

    #[test]
    fn idle_power_is_the_mean_and_half_the_difference_is_its_doubt() {
        let (before, after) = (idle(20.0, 2.0), idle(28.0, 2.0));
        let power_w = power_w(&[&before, &after], "m", 0.0).unwrap();
        assert_eq!((power_w.value, power_w.low, power_w.high), (12.0, 10.0, 14.0));
    }

    #[test]
    fn a_quantum_widens_and_one_longer_than_the_reading_leaves_nothing() {
        let one = idle(20.0, 2.0);
        // Two edges, each uniform over 0.1 s: 1.96 * 0.1 * sqrt(2 / 12) / 2 = 4.0 % of 10 W.
        let power = power_w(&[&one], "m", 0.1).unwrap();
        assert!((power.high - 10.400_083).abs() < 1e-4, "{power:?}");
        assert_eq!(power_w(&[&one], "m", 2.0), None);
        assert_eq!(power_w(&[&one], "other", 0.0), None);
        assert_eq!(power_w(&[], "m", 0.0), None);
    }
}
