//! Monero's difficulty from checkpoint to checkpoint.
//!
//! Monero sets its difficulty anew at every block. Checkpoints hold the work of the whole chain, so between two of them
//! the mean difficulty is exact. From December 2016 to May 2018, when it grew thirtyfold, block times tell how it moved
//! within them: rows that are derived.

use csv::{ReaderBuilder, Trim};
use ruint::aliases::U256;

use super::window::parse_moment;
use super::{Basis, Growth, HistoryError, Stretch, U512, blocks_until, ratio_f64, scaled};
use crate::coin::Coin;
use crate::coin::emission::mean_reward_piconero;

const BUILT_IN: &str = include_str!("../../../data/monero_checkpoints.csv");

/// Blocks of two weeks: the step of an assumed growth, as long as an epoch of Bitcoin.
const STEP_BLOCKS: u64 = 10_080;
const STEP_S: i64 = 10_080 * 120;

/// A block whose time is known, and perhaps the work of the chain up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its height.
    pub height: u64,
    /// When it came, in seconds since 1970.
    pub time_s: i64,
    /// The sum of all difficulties up to it, its own included, where it is known.
    pub cumulative_difficulty: Option<u128>,
    /// Whether that sum is derived from block times, and not a checkpoint's.
    pub is_derived: bool,
}

/// The mean difficulty of the blocks between two rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeanDifficulty {
    /// The last block before them.
    pub after: u64,
    /// The last of them.
    pub to: u64,
    /// Their mean difficulty, rounded.
    pub difficulty: u128,
    /// Whether either end is derived, so that the mean isn't exact.
    pub is_derived: bool,
}

/// Blocks in order; the first and the last have their cumulative difficulty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointTable {
    checkpoints: Vec<Checkpoint>,
    means: Vec<MeanDifficulty>,
    exact_means: Vec<MeanDifficulty>,
}

/// The means between neighbours whose cumulative difficulty is known.
fn means_of(checkpoints: &[Checkpoint]) -> Vec<MeanDifficulty> {
    let with_work: Vec<(&Checkpoint, u128)> =
        checkpoints.iter().filter_map(|point| Some((point, point.cumulative_difficulty?))).collect();
    let mean = |pair: &[(&Checkpoint, u128)]| {
        let [(a, before), (b, work)] = *pair else { unreachable!("windows of two hold two") };
        let blocks = u128::from(b.height - a.height);
        MeanDifficulty {
            after: a.height,
            to: b.height,
            difficulty: (work - before + blocks / 2) / blocks,
            is_derived: a.is_derived || b.is_derived,
        }
    };
    with_work.windows(2).map(mean).collect()
}

impl CheckpointTable {
    /// The table that is built in.
    pub fn built_in() -> Self {
        let checkpoints = read(BUILT_IN).expect("the table is valid: tests read it");
        let means = means_of(&checkpoints);
        let exact: Vec<Checkpoint> = checkpoints.iter().filter(|point| !point.is_derived).copied().collect();
        let exact_means = means_of(&exact);
        Self { checkpoints, means, exact_means }
    }

    /// The blocks, in order; never empty.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    /// The last block whose difficulty is known.
    pub fn last_height(&self) -> u64 {
        self.checkpoints[self.checkpoints.len() - 1].height
    }

    /// The mean difficulty between the rows of the table around a block.
    ///
    /// # Errors
    ///
    /// [`HistoryError::HeightPastData`].
    pub fn mean_at(&self, height: u64) -> Result<MeanDifficulty, HistoryError> {
        self.lookup(&self.means, height)
    }

    /// The mean difficulty between the two checkpoints around a block, which is exact.
    ///
    /// # Errors
    ///
    /// [`HistoryError::HeightPastData`].
    pub fn exact_mean_at(&self, height: u64) -> Result<MeanDifficulty, HistoryError> {
        self.lookup(&self.exact_means, height)
    }

    fn lookup(&self, means: &[MeanDifficulty], height: u64) -> Result<MeanDifficulty, HistoryError> {
        let refuse = || HistoryError::HeightPastData { coin: Coin::Xmr, height, last: self.last_height() };
        means.get(means.partition_point(|mean| mean.to < height)).copied().ok_or_else(refuse)
    }

    /// When the last block came, in seconds since 1970.
    pub(super) fn end_s(&self) -> i64 {
        self.checkpoints[self.checkpoints.len() - 1].time_s
    }

    pub(super) fn height_at_time(&self, moment_s: i64) -> u64 {
        let after = self.checkpoints.partition_point(|point| point.time_s <= moment_s);
        match (after.checked_sub(1).map(|index| self.checkpoints[index]), self.checkpoints.get(after)) {
            (None, _) => 0,
            (Some(last), None) => last.height,
            (Some(a), Some(b)) => {
                a.height + blocks_until(moment_s - a.time_s, b.time_s - a.time_s, b.height - a.height)
            }
        }
    }

    pub(super) fn time_of(&self, height: u64) -> i64 {
        let after = self.checkpoints.partition_point(|point| point.height <= height);
        match (after.checked_sub(1).map(|index| self.checkpoints[index]), self.checkpoints.get(after)) {
            (None, Some(first)) => first.time_s,
            (Some(a), Some(b)) => a.time_s + scaled(b.time_s - a.time_s, height - a.height, b.height - a.height),
            (_, None) => self.end_s(),
        }
    }

    pub(super) fn stretches(
        &self,
        from_s: i64,
        to_s: i64,
        growth: Option<Growth>,
    ) -> Result<Vec<Stretch>, HistoryError> {
        let mut stretches = Vec::new();
        for pair in self.checkpoints.windows(2) {
            let [a, b] = pair else { unreachable!("windows of two hold two") };
            let difficulty = U256::from(self.mean_at(b.height)?.difficulty);
            let part = Part { start: (a.height, a.time_s), end: (b.height, b.time_s), difficulty, basis: Basis::Known };
            stretches.extend(part.within(from_s, to_s));
        }
        let mut start = (self.last_height(), self.end_s());
        let mut difficulty = U256::from(self.means[self.means.len() - 1].difficulty);
        if let Some(growth) = growth {
            while start.1 < to_s {
                difficulty = growth.applied(difficulty).ok_or(HistoryError::GrowthTooLarge)?;
                let end = (start.0 + STEP_BLOCKS, start.1 + STEP_S);
                stretches.extend(Part { start, end, difficulty, basis: Basis::Assumed }.within(from_s, to_s));
                start = end;
            }
        }
        Ok(stretches)
    }
}

/// Blocks of one difficulty, from one height and time to another, before a window cuts them.
struct Part {
    start: (u64, i64),
    end: (u64, i64),
    difficulty: U256,
    basis: Basis,
}

impl Part {
    fn within(&self, from_s: i64, to_s: i64) -> Option<Stretch> {
        let ((first, start_s), (last, end_s)) = (self.start, self.end);
        let at = |moment_s: i64| first + blocks_until(moment_s - start_s, end_s - start_s, last - first);
        let (from_s, to_s) = (start_s.max(from_s), end_s.min(to_s));
        (from_s < to_s).then(|| Stretch {
            height: at(from_s),
            start_s: from_s,
            end_s: to_s,
            hashes_per_block: self.difficulty,
            difficulty: ratio_f64(U512::from(self.difficulty), U512::from(1)),
            subsidy_units: mean_reward_piconero(at(from_s), at(to_s)),
            basis: self.basis,
        })
    }
}

fn read(text: &str) -> Result<Vec<Checkpoint>, String> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).trim(Trim::All).from_reader(text.as_bytes());
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| error.to_string())?;
        let cell = |index: usize| record.get(index).unwrap_or("");
        let cumulative_difficulty = match cell(2) {
            "" => None,
            digits => Some(digits.parse().map_err(|_| format!("{digits:?} is no difficulty"))?),
        };
        Ok(Checkpoint {
            height: cell(0).parse().map_err(|_| format!("{:?} is no height", cell(0)))?,
            time_s: parse_moment(cell(1))?,
            cumulative_difficulty,
            is_derived: cell(3) == "derived",
        })
    };
    reader.records().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{History, Window};
    use super::*;
    use jiff::civil::{Date, date};

    fn stretches(from: Date, to: Date, growth: Option<Growth>) -> Vec<Stretch> {
        History::built_in(Coin::Xmr).stretches(Window::new(from, to).unwrap(), growth).unwrap()
    }

    #[test]
    fn the_table_is_in_order_and_begins_with_the_chain() {
        let table = CheckpointTable::built_in();
        for pair in table.checkpoints().windows(2) {
            assert!(pair[0].height < pair[1].height && pair[0].time_s < pair[1].time_s, "{pair:?}");
            // Blocks took a minute up to 1,009,827, and two from then on; the rule holds that within 8 %.
            let nominal_s = if pair[1].height <= 1_009_827 { 60.0 } else { 120.0 };
            let block_s = (pair[1].time_s - pair[0].time_s) as f64 / (pair[1].height - pair[0].height) as f64;
            let few_blocks = pair[1].height - pair[0].height < 5_000;
            assert!((block_s / nominal_s - 1.0).abs() < if few_blocks { 0.6 } else { 0.1 }, "{pair:?}: {block_s} s");
        }
        let is_exact = |point: &&Checkpoint| point.cumulative_difficulty.is_some() && !point.is_derived;
        assert_eq!(table.checkpoints().iter().filter(is_exact).count(), 62);
        let derived: Vec<u64> =
            table.checkpoints().iter().filter(|point| point.is_derived).map(|point| point.height).collect();
        assert!(derived.len() > 50 && derived[0] > 1_200_000 && derived[derived.len() - 1] < 1_579_000, "{derived:?}");
        assert_eq!((table.checkpoints()[0].height, table.last_height()), (1, 3_707_000));
    }

    #[test]
    fn means_are_those_of_the_checkpoints() {
        let table = CheckpointTable::built_in();
        let mean = (653_348_880_712_825_254_u128 - 622_498_547_912_305_303) / (3_707_000 - 3_661_900);
        let expected = MeanDifficulty { after: 3_661_900, to: 3_707_000, difficulty: mean, is_derived: false };
        assert_eq!(table.mean_at(3_700_000), Ok(expected));
        assert_eq!(table.mean_at(3_661_900).unwrap().to, 3_661_900);
        assert_eq!(table.exact_mean_at(1_312_000).unwrap().difficulty, 12_995_892_889);
        assert!(table.mean_at(1_312_000).unwrap().is_derived);
        assert_eq!(table.mean_at(0).unwrap().difficulty, 19_383);
        let error = table.mean_at(3_707_001).unwrap_err().to_string();
        assert_eq!(error, "block 3707001 lies past the data: what is known of Monero ends with block 3707000");
    }

    /// Means of the daily difficulties of the two windows, by Coin Metrics' community data.
    #[test]
    fn the_difficulty_of_2017_and_2018_is_close_to_that_of_the_days() {
        for (from, to, mean, tolerance) in [
            (date(2017, 5, 17), date(2017, 7, 6), 9.93e9, 0.015),
            (date(2018, 1, 24), date(2018, 3, 15), 1.059e11, 0.03),
        ] {
            let parts = stretches(from, to, None);
            let seconds: f64 = parts.iter().map(Stretch::seconds).sum();
            let found = parts.iter().map(|part| part.seconds() * part.difficulty).sum::<f64>() / seconds;
            assert!((found / mean - 1.0).abs() < tolerance, "{found:e}");
        }
    }

    #[test]
    fn derived_rows_change_no_mean_between_checkpoints() {
        let table = CheckpointTable::built_in();
        let of_derived = |after: u64, to: u64| -> u128 {
            let within = table.means.iter().filter(|mean| mean.after >= after && mean.to <= to);
            within.map(|mean| u128::from(mean.to - mean.after) * mean.difficulty).sum()
        };
        for mean in &table.exact_means {
            let blocks = u128::from(mean.to - mean.after);
            let difference = of_derived(mean.after, mean.to).abs_diff(blocks * mean.difficulty);
            assert!(difference <= 2 * blocks, "{mean:?}");
        }
    }

    #[test]
    fn upgrades_came_on_their_days() {
        // By the comments of hardforks.cpp and by the release of RandomX.
        let history = History::built_in(Coin::Xmr);
        for (day, height) in [(date(2018, 4, 7), 1_546_000), (date(2019, 11, 30), 1_978_433)] {
            assert!(history.height_on(day).unwrap() >= height, "{day}");
            assert!(history.height_on(day.yesterday().unwrap()).unwrap() < height, "{day}");
        }
        // The tail emission, at block 2,641,623.
        assert!(history.height_on(date(2022, 6, 9)).unwrap().abs_diff(2_641_623) < 720);
    }

    #[test]
    fn a_window_is_cut_at_checkpoints_and_upgrades_without_a_gap() {
        let parts = stretches(date(2019, 11, 1), date(2019, 12, 31), None);
        let heights: Vec<u64> = parts.iter().map(|part| part.height).collect();
        assert!(heights.contains(&1_958_000) && heights.contains(&1_978_433), "{heights:?}");
        assert!(parts.windows(2).all(|pair| pair[0].end_s == pair[1].start_s));
        assert_eq!(parts.iter().map(Stretch::seconds).sum::<f64>(), 61.0 * 86_400.0);
        assert!(parts.iter().all(|part| part.basis == Basis::Known));
    }

    #[test]
    fn past_the_data_there_is_only_what_was_assumed() {
        let history = History::built_in(Coin::Xmr);
        let future = Window::new(date(2026, 6, 1), date(2026, 9, 30)).unwrap();
        let error = history.stretches(future, None).unwrap_err().to_string();
        assert_eq!(error, "2026-09-30 lies past the data: what is known of Monero ends on 2026-06-28");
        let parts = stretches(future.from(), future.to(), Growth::per_epoch(0.1));
        assert_eq!(parts.iter().map(Stretch::seconds).sum::<f64>(), 122.0 * 86_400.0);
        let assumed: Vec<&Stretch> = parts.iter().filter(|part| part.basis == Basis::Assumed).collect();
        assert_eq!(assumed[0].height, 3_707_000);
        assert!((assumed[0].difficulty / 684_042_855_887.0 - 1.1).abs() < 1e-9);
        assert!((assumed[1].difficulty / 684_042_855_887.0 - 1.21).abs() < 1e-9);
    }
}
