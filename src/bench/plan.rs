//! How a benchmark is laid out: how long each engine is measured, in how many samples and turns, and which engines fit
//! into memory together.

use std::collections::HashMap;
use std::time::Duration;

use crate::engine::{Candidate, EngineId};

/// How long and in what portions each engine is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Turns of each engine. Between two turns of one engine every other engine of its group has one, so that a machine
    /// that grows hot or busy does so for all.
    pub rounds: u32,
    /// Samples in one turn.
    pub samples_per_turn: u32,
    /// The length of one sample.
    pub sample: Duration,
}

/// A measured time that no plan can be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{seconds} s is no time to measure for: expected 0.1 to 10000 seconds per engine")]
pub struct PlanError {
    /// The time asked for.
    pub seconds: f64,
}

impl Plan {
    /// The measured time per engine where none is asked for, in seconds.
    pub const DEFAULT_SECONDS: f64 = 3.0;

    /// Lays out `seconds` of measured time per engine: 12 samples in 3 turns below 10 seconds, else 48 in 8 turns, and
    /// so many that none is longer than 10 seconds: energy counters wrap, and have to be read more often than that.
    ///
    /// Eight turns of six find a slowdown of 5 % in 96 of 100 pairs of runs of 30 seconds; four of ten do in 86
    /// (docs/METHODOLOGY.md).
    ///
    /// # Errors
    ///
    /// Less than a tenth of a second, more than 10,000 seconds, or no number.
    pub fn new(seconds: f64) -> Result<Self, PlanError> {
        if !(0.1..=10_000.0).contains(&seconds) {
            return Err(PlanError { seconds });
        }
        let (rounds, least) = if seconds < 10.0 { (3, 4) } else { (8, 6) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 125")]
        let samples_per_turn = least.max((seconds / 10.0 / f64::from(rounds)).ceil() as u32);
        let sample = Duration::from_secs_f64(seconds / f64::from(rounds * samples_per_turn));
        Ok(Self { rounds, samples_per_turn, sample })
    }

    /// Returns the order of `count` engines in round `round`: each round begins with another engine, so that no engine
    /// is always the first after a pause.
    pub fn order(&self, round: u32, count: usize) -> impl Iterator<Item = usize> + use<> {
        let first = round as usize;
        (0..count).map(move |index| (first + index) % count)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self { rounds: 3, samples_per_turn: 4, sample: Duration::from_millis(250) }
    }
}

/// Puts engines into groups that fit into `available_bytes` together, in order; what several of them share counts once.
///
/// An engine that doesn't fit even alone has a group to itself: preparing it says what is wrong. Without a figure for
/// the memory all engines are one group.
#[must_use]
pub fn groups(candidates: &[&Candidate], available_bytes: Option<u64>) -> Vec<Vec<EngineId>> {
    let available_bytes = available_bytes.unwrap_or(u64::MAX);
    let mut groups: Vec<Vec<EngineId>> = Vec::new();
    let mut held: HashMap<&str, u64> = HashMap::new();
    for candidate in candidates {
        let resources = candidate.availability.as_ref().map_or(&[][..], |available| &available.resources);
        let mut together = held.clone();
        together.extend(resources.iter().map(|resource| (resource.key.as_str(), resource.bytes)));
        match groups.last_mut() {
            Some(group) if together.values().sum::<u64>() <= available_bytes => {
                group.push(candidate.id.clone());
                held = together;
            }
            _ => {
                groups.push(vec![candidate.id.clone()]);
                held = resources.iter().map(|resource| (resource.key.as_str(), resource.bytes)).collect();
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::engine::{Available, Resource};

    #[test]
    fn the_measured_time_is_what_was_asked_for() {
        for seconds in [0.1, 1.0, 3.0, 10.0, 30.0, 120.0, 1001.0, 10_000.0] {
            let plan = Plan::new(seconds).unwrap();
            let total = plan.sample.as_secs_f64() * f64::from(plan.rounds * plan.samples_per_turn);
            assert!((total - seconds).abs() < 1e-6, "{seconds} s became {total} s");
            assert!((12..=1000).contains(&(plan.rounds * plan.samples_per_turn)));
            assert!(plan.sample <= Duration::from_secs(10));
        }
        assert_eq!(Plan::new(Plan::DEFAULT_SECONDS).unwrap(), Plan::default());
        let standard = Plan::new(30.0).unwrap();
        assert_eq!((standard.rounds, standard.samples_per_turn, standard.sample), (8, 6, Duration::from_millis(625)));
        for seconds in [0.0, -1.0, 0.05, 10_001.0, f64::NAN, f64::INFINITY] {
            assert!(Plan::new(seconds).is_err());
        }
    }

    #[test]
    fn each_round_begins_with_another_engine_and_has_them_all() {
        let order = |round| Plan::default().order(round, 3).collect::<Vec<_>>();
        assert_eq!((order(0), order(1), order(2)), (vec![0, 1, 2], vec![1, 2, 0], vec![2, 0, 1]));
        assert_eq!(Plan::default().order(5, 0).count(), 0);
    }

    fn candidate(name: &str, resources: &[(&str, u64)]) -> Candidate {
        let resources = resources.iter().map(|&(key, bytes)| Resource { key: key.to_owned(), bytes }).collect();
        Candidate {
            id: EngineId::new("fake", "cpu", name),
            device: Device::Cpu,
            device_name: "none".to_owned(),
            can_hash: false,
            availability: Ok(Available { resources, make: Box::new(|_| Err(crate::engine::EngineError::Cancelled)) }),
        }
    }

    #[test]
    fn engines_share_a_group_while_they_fit_and_what_they_share_counts_once() {
        let candidates = [
            candidate("a", &[]),
            candidate("b", &[("cache", 200), ("dataset", 1000)]),
            candidate("c", &[("cache", 200)]),
            candidate("d", &[("other dataset", 1000)]),
            candidate("e", &[("huge", 9000)]),
        ];
        let candidates: Vec<&Candidate> = candidates.iter().collect();
        let names = |available: Option<u64>| -> Vec<String> {
            let groups = groups(&candidates, available);
            groups.iter().map(|group| group.iter().map(EngineId::engine).collect()).collect()
        };
        assert_eq!(names(None), ["abcde"]);
        assert_eq!(names(Some(1200)), ["abc", "d", "e"]);
        assert_eq!(names(Some(2200)), ["abcd", "e"]);
    }
}
