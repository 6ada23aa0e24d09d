//! How a benchmark is laid out: how long each engine is measured, in how many samples and turns, and which engines fit
//! into memory together.

use std::collections::HashMap;
use std::time::Duration;

use crate::engine::{Candidate, EngineId, Resource};
use crate::random::SplitMix64;
use crate::record::Order;

/// How long and in what portions each engine is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Turns of each engine.
    pub rounds: u32,
    /// Samples in one turn.
    pub samples_per_turn: u32,
    /// The length of one sample.
    pub sample: Duration,
    /// Who follows whom.
    pub order: Order,
    /// Decides which engine begins.
    pub seed: u64,
    /// How long devices are metered idle, before the turns of a group and after them.
    pub idle: Duration,
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
        let idle = Duration::from_secs_f64((seconds / 3.0).clamp(1.0, 10.0));
        Ok(Self { rounds, samples_per_turn, sample, order: Order::default(), seed: 0, idle })
    }

    /// Returns the measured time of one turn.
    #[must_use]
    pub fn turn(&self) -> Duration {
        self.sample * self.samples_per_turn
    }

    /// Returns whose turn it is, from the first turn of a group of `count` engines to the last: indices of engines.
    ///
    /// Interleaved rounds are the rows of a Williams square, whose engines the seed numbers. In as many rounds as there
    /// are engines each stands once in each place; in as many (an even number) or twice as many each follows each other
    /// one equally often, so that what one engine leaves behind, heat and full caches, meets all others alike.
    #[must_use]
    pub fn schedule(&self, count: usize) -> Vec<usize> {
        let rounds = self.rounds as usize;
        match self.order {
            Order::Sequential => (0..count).flat_map(|engine| std::iter::repeat_n(engine, rounds)).collect(),
            Order::Interleaved => {
                let numbering = shuffled(count, self.seed);
                (0..rounds).flat_map(|round| williams_row(count, round)).map(|place| numbering[place]).collect()
            }
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 3,
            samples_per_turn: 4,
            sample: Duration::from_millis(250),
            order: Order::default(),
            seed: 0,
            idle: Duration::from_secs(1),
        }
    }
}

/// Returns a row of a Williams square (1949): 0, 1, n - 1, 2, n - 2 and so on, shifted by one from row to row, and
/// mirrored after n rows where n is odd.
fn williams_row(count: usize, row: usize) -> Vec<usize> {
    let zigzag = |place: usize| if place % 2 == 1 { place.div_ceil(2) } else { (count - place / 2) % count };
    let mut places: Vec<usize> = (0..count).map(|place| (zigzag(place) + row) % count).collect();
    if count % 2 == 1 && (row / count) % 2 == 1 {
        places.reverse();
    }
    places
}

/// Returns the numbers below `count` in an order that `seed` decides (Fisher and Yates, by splitmix64).
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    let mut random = SplitMix64::new(seed);
    for last in (1..count).rev() {
        numbers.swap(last, usize::try_from(random.bits() >> 32).unwrap_or(0) % (last + 1));
    }
    numbers
}

/// Puts engines into groups that fit into `available_bytes` together, in order; what several of them share counts once,
/// by the largest figure that any of them gives.
/// `resources` tells what an engine and its oracle hold.
///
/// An engine that doesn't fit even alone has a group to itself: preparing it says what is wrong. Without a figure for
/// the memory all engines are one group.
#[must_use]
pub fn groups(
    candidates: &[&Candidate],
    resources: impl Fn(&Candidate) -> Vec<Resource>,
    available_bytes: Option<u64>,
) -> Vec<Vec<EngineId>> {
    let available_bytes = available_bytes.unwrap_or(u64::MAX);
    let mut groups: Vec<Vec<EngineId>> = Vec::new();
    let mut held: HashMap<String, u64> = HashMap::new();
    for candidate in candidates {
        let mut own: HashMap<String, u64> = HashMap::new();
        let mut together = held.clone();
        for Resource { key, bytes, .. } in resources(candidate) {
            // What engines have one after the other has to suffice for whoever takes the most.
            for sizes in [&mut own, &mut together] {
                let size = sizes.entry(key.clone()).or_default();
                *size = bytes.max(*size);
            }
        }
        match groups.last_mut() {
            Some(group) if together.values().sum::<u64>() <= available_bytes => {
                group.push(candidate.id.clone());
                held = together;
            }
            _ => {
                groups.push(vec![candidate.id.clone()]);
                held = own;
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::engine::Available;

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
    fn each_engine_stands_in_each_place_and_behind_each_other_one_equally_often() {
        for count in 1..=7 {
            // Even numbers of engines are balanced in as many rounds, odd ones in twice as many.
            let rounds = if count % 2 == 0 { count } else { 2 * count };
            let plan = Plan { rounds: u32::try_from(rounds).unwrap(), seed: 7, ..Plan::default() };
            let schedule = plan.schedule(count);
            let mut places = HashMap::new();
            let mut followers = HashMap::new();
            for round in schedule.chunks(count) {
                for (place, &engine) in round.iter().enumerate() {
                    *places.entry((place, engine)).or_insert(0) += 1;
                }
                for pair in round.windows(2) {
                    *followers.entry((pair[0], pair[1])).or_insert(0) += 1;
                }
            }
            assert_eq!(places.len(), count * count, "{count} engines: {schedule:?}");
            assert!(places.values().all(|&times| times == rounds / count), "{count} engines: {schedule:?}");
            assert_eq!(followers.len(), count * (count - 1), "{count} engines: {schedule:?}");
            assert!(followers.values().all(|&times| times == rounds / count), "{count} engines: {schedule:?}");
            // The first rounds alone put each engine once in each place.
            let firsts: std::collections::HashSet<usize> =
                schedule.chunks(count).take(count).map(|round| round[0]).collect();
            assert_eq!(firsts.len(), count);
        }
        assert!(Plan::default().schedule(0).is_empty());
    }

    #[test]
    fn the_seed_decides_who_begins_and_sequential_engines_have_their_turns_in_a_row() {
        let begins = |seed| Plan { seed, ..Plan::default() }.schedule(5)[0];
        assert_eq!(begins(3), begins(3));
        let firsts: std::collections::HashSet<usize> = (0..50).map(begins).collect();
        assert_eq!(firsts.len(), 5, "each of five engines begins for some seed");
        let plan = Plan { order: Order::Sequential, ..Plan::default() };
        assert_eq!(plan.schedule(2), [0, 0, 0, 1, 1, 1]);
    }

    fn candidate(name: &str, resources: &[(&str, u64)]) -> Candidate {
        let resources = resources
            .iter()
            .map(|&(key, bytes)| Resource { key: key.to_owned(), bytes, build: Duration::ZERO })
            .collect();
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
            candidate("f", &[("turns", 300)]),
            candidate("g", &[("turns", 900)]),
            candidate("h", &[("turns", 100), ("more", 200)]),
        ];
        let candidates: Vec<&Candidate> = candidates.iter().collect();
        let names = |available: Option<u64>| -> Vec<String> {
            let groups = groups(&candidates, |one| one.resources().to_vec(), available);
            groups.iter().map(|group| group.iter().map(EngineId::engine).collect()).collect()
        };
        assert_eq!(names(None), ["abcdefgh"]);
        assert_eq!(names(Some(1200)), ["abc", "d", "e", "fgh"]);
        assert_eq!(names(Some(1099)), ["a", "b", "c", "d", "e", "fg", "h"]);
        assert_eq!(names(Some(2200)), ["abcd", "e", "fgh"]);
    }
}
