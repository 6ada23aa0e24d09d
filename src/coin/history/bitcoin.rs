//! Bitcoin's difficulty epochs of 2016 blocks.

use csv::{ReaderBuilder, StringRecord, Trim};
use ruint::aliases::{U256, U512};

use super::window::{format_moment, parse_moment};
use super::{Basis, Growth, HistoryError, Stretch, blocks_until, electrum, scaled};
use crate::coin::Coin;
use crate::coin::bitcoin::{CompactTarget, HALVING_INTERVAL, Target, subsidy_sat};
use crate::coin::ratio::ratio_f64;

/// Blocks of an epoch.
pub const EPOCH_BLOCKS: u64 = 2016;

/// What 2016 blocks are to take, by the consensus rules, in seconds.
const NOMINAL_S: u64 = 1_209_600;

/// The rule measures 2015 gaps between blocks and takes them for 2016: an epoch is about one block longer than it says.
const FORGOTTEN_S: u64 = 600;

/// The consensus rules hold a change of the target between a quarter and four times.
const CHANGE_MAX: u64 = 4;

/// By how much the start of a new epoch may differ from what its target says: times in headers may be off by hours.
const START_TOLERANCE_S: i64 = 86_400;

const NO_TABLE: &str =
    "it is neither a table with the columns height, bits and start_utc nor a checkpoints.json of Electrum";

const BUILT_IN: &str = include_str!("../../../data/bitcoin_epochs.csv");

/// An epoch: 2016 blocks of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Its first block.
    pub height: u64,
    /// The target, as its headers hold it.
    pub bits: CompactTarget,
    /// The target.
    pub target: Target,
    /// When its first block came, in seconds since 1970.
    pub start_s: i64,
}

/// All epochs from the first one on, without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochTable {
    epochs: Vec<Epoch>,
}

/// A row of a table, before it has found its place.
struct Row {
    height: u64,
    bits: CompactTarget,
    start_s: Option<i64>,
}

impl EpochTable {
    /// The table that is built in.
    pub fn built_in() -> Self {
        let mut table = Self { epochs: Vec::new() };
        let rows = read_csv(BUILT_IN).expect("the table is valid: tests read it");
        for (_, row) in rows {
            let target = Target::try_from(row.bits).expect("the table is valid: tests read it");
            let start_s = row.start_s.expect("the table is valid: tests read it");
            table.epochs.push(Epoch { height: row.height, bits: row.bits, target, start_s });
        }
        table
    }

    /// Extends the table by a file: a table in the form of the one that is built in, or Electrum's `checkpoints.json`.
    /// Returns how many epochs are new.
    ///
    /// Epochs that are known already have to be the same. Starts that the file doesn't tell follow from the targets.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] with the line or entry, where the file is of another network, leaves an epoch out, or breaks
    /// the consensus rules.
    pub fn extend(&mut self, text: &str) -> Result<usize, HistoryError> {
        let known = self.epochs.len();
        if text.trim_start().starts_with('[') {
            for (index, target) in electrum::targets(text)?.into_iter().enumerate() {
                let entry = index + 1;
                let row = Row { height: entry as u64 * EPOCH_BLOCKS, bits: target.to_compact(), start_s: None };
                self.add(&row).map_err(|reason| HistoryError::Entry { entry, reason })?;
            }
        } else {
            for (line, row) in read_csv(text)? {
                self.add(&row).map_err(|reason| HistoryError::Table { line, reason })?;
            }
        }
        Ok(self.epochs.len() - known)
    }

    /// Adds an epoch behind the last one, or compares it with the one that is known.
    fn add(&mut self, row: &Row) -> Result<(), String> {
        let Row { height, bits, start_s } = *row;
        let target = Target::try_from(bits).map_err(|error| error.to_string())?;
        if !height.is_multiple_of(EPOCH_BLOCKS) {
            return Err(format!("block {height} begins no epoch: 2016 doesn't divide its height"));
        }
        let index = (height / EPOCH_BLOCKS) as usize;
        if let Some(known) = self.epochs.get(index) {
            let differ = format!("block {height} has bits {}, not {bits}: this is another network", known.bits);
            return if known.bits == bits { Ok(()) } else { Err(differ) };
        }
        let last = self.epochs[self.epochs.len() - 1];
        if index > self.epochs.len() {
            return Err(format!("block {height} doesn't follow block {}: epochs are missing", last.height));
        }
        let change_max = U256::from(CHANGE_MAX);
        let (before, after) = (last.target.to_u256(), target.to_u256());
        if after / change_max > before || before / change_max > after {
            return Err(format!(
                "bits {bits} after {}: one epoch can't change them by more than four times",
                last.bits
            ));
        }
        let expected_s = last.start_s + seconds_of(last.target, target);
        let start_s = start_s.unwrap_or(expected_s);
        if (start_s - expected_s).abs() > START_TOLERANCE_S {
            let (said, expected) = (format_moment(start_s), format_moment(expected_s));
            return Err(format!("block {height} came at {said}, but by the targets it came at {expected}"));
        }
        self.epochs.push(Epoch { height, bits, target, start_s });
        Ok(())
    }

    /// The epochs in order; never empty.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The epoch of a block.
    ///
    /// # Errors
    ///
    /// [`HistoryError::HeightPastData`].
    pub fn epoch_of(&self, height: u64) -> Result<&Epoch, HistoryError> {
        let refuse = || HistoryError::HeightPastData { coin: Coin::Btc, height, last: self.last_height() };
        usize::try_from(height / EPOCH_BLOCKS).ok().and_then(|index| self.epochs.get(index)).ok_or_else(refuse)
    }

    /// The last block whose target is known.
    pub fn last_height(&self) -> u64 {
        self.epochs.len() as u64 * EPOCH_BLOCKS - 1
    }

    /// When the last epoch ends if its blocks take ten minutes each, in seconds since 1970.
    pub(super) fn end_s(&self) -> i64 {
        self.end_of(self.epochs.len() - 1)
    }

    fn end_of(&self, index: usize) -> i64 {
        self.epochs.get(index + 1).map_or(self.epochs[index].start_s + NOMINAL_S as i64, |next| next.start_s)
    }

    /// The epoch of a moment; the first one before the chain began, the last one past the end.
    fn index_at(&self, moment_s: i64) -> usize {
        self.epochs.partition_point(|epoch| epoch.start_s <= moment_s).saturating_sub(1)
    }

    pub(super) fn height_at_time(&self, moment_s: i64) -> u64 {
        let index = self.index_at(moment_s);
        let start_s = self.epochs[index].start_s;
        let blocks = blocks_until((moment_s - start_s).max(0), self.end_of(index) - start_s, EPOCH_BLOCKS);
        self.epochs[index].height + blocks.min(EPOCH_BLOCKS - 1)
    }

    pub(super) fn time_of(&self, height: u64) -> i64 {
        let index = ((height / EPOCH_BLOCKS) as usize).min(self.epochs.len() - 1);
        let epoch = &self.epochs[index];
        let length_s = self.end_of(index) - epoch.start_s;
        epoch.start_s + scaled(length_s, height.saturating_sub(epoch.height), EPOCH_BLOCKS)
    }

    pub(super) fn stretches(
        &self,
        from_s: i64,
        to_s: i64,
        growth: Option<Growth>,
    ) -> Result<Vec<Stretch>, HistoryError> {
        let mut stretches = Vec::new();
        let last = self.epochs.len() - 1;
        for (index, epoch) in self.epochs.iter().enumerate().skip(self.index_at(from_s)) {
            let end_s = match growth {
                // How long the last epoch takes depends on the one that follows.
                Some(growth) if index == last => epoch.start_s + growth.seconds(NOMINAL_S, FORGOTTEN_S),
                _ => self.end_of(index),
            };
            let hashes_per_block = epoch.target.work().to_u256();
            let difficulty = epoch.target.difficulty();
            let whole = Whole { start_s: epoch.start_s, end_s, hashes_per_block, difficulty, basis: Basis::Known };
            whole.push_within(from_s, to_s, epoch.height, &mut stretches);
        }
        if let Some(growth) = growth {
            self.assume(growth, from_s, to_s, &mut stretches)?;
        }
        Ok(stretches)
    }

    /// Adds epochs of an assumed growth behind the last one, until `to_s`.
    fn assume(&self, growth: Growth, from_s: i64, to_s: i64, stretches: &mut Vec<Stretch>) -> Result<(), HistoryError> {
        let epoch = &self.epochs[self.epochs.len() - 1];
        let length_s = growth.seconds(NOMINAL_S, FORGOTTEN_S);
        let (mut height, mut start_s) = (epoch.height + EPOCH_BLOCKS, epoch.start_s + length_s);
        let mut hashes_per_block = epoch.target.work().to_u256();
        while start_s < to_s {
            hashes_per_block = growth.applied(hashes_per_block).ok_or(HistoryError::GrowthTooLarge)?;
            // Difficulty 1 takes 2^48 / 0xffff hashes.
            let difficulty = ratio_f64(U512::from(hashes_per_block) * U512::from(0xffff), U512::ONE << 48);
            let end_s = start_s + length_s;
            let whole = Whole { start_s, end_s, hashes_per_block, difficulty, basis: Basis::Assumed };
            whole.push_within(from_s, to_s, height, stretches);
            height += EPOCH_BLOCKS;
            start_s = end_s;
        }
        Ok(())
    }
}

/// An epoch, before a window and a halving cut it.
struct Whole {
    start_s: i64,
    end_s: i64,
    hashes_per_block: U256,
    difficulty: f64,
    basis: Basis,
}

impl Whole {
    /// Adds what lies within a window: one stretch, or two where the subsidy is halved in between.
    fn push_within(&self, from_s: i64, to_s: i64, first: u64, stretches: &mut Vec<Stretch>) {
        let halving = first.next_multiple_of(HALVING_INTERVAL);
        let halving = if halving > first && halving < first + EPOCH_BLOCKS { halving } else { first + EPOCH_BLOCKS };
        let halving_s = self.start_s + scaled(self.end_s - self.start_s, halving - first, EPOCH_BLOCKS);
        let parts = [
            (first, halving - first, self.start_s, halving_s),
            (halving, first + EPOCH_BLOCKS - halving, halving_s, self.end_s),
        ];
        for (height, blocks, start_s, end_s) in parts.into_iter().filter(|(_, blocks, ..)| *blocks > 0) {
            let part = Stretch {
                height,
                start_s,
                end_s,
                hashes_per_block: self.hashes_per_block,
                difficulty: self.difficulty,
                subsidy_units: subsidy_sat(height),
                basis: self.basis,
            };
            stretches.extend(part.clipped(from_s, to_s, blocks));
        }
    }
}

/// How long an epoch took at whose end the target changed so, by the consensus rule, in seconds.
fn seconds_of(target: Target, next: Target) -> i64 {
    let (target, next) = (U512::from(target.to_u256()), U512::from(next.to_u256()));
    let seconds: U512 = (next * U512::from(NOMINAL_S) + (target >> 1_usize)) / target;
    // At most four times 14 days.
    (seconds.saturating_to::<u64>() + FORGOTTEN_S) as i64
}

/// Reads a table with the columns `height`, `bits` and, where the time is known, `start_utc`. Each row comes with its
/// line.
fn read_csv(text: &str) -> Result<Vec<(u64, Row)>, HistoryError> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).trim(Trim::All).from_reader(text.as_bytes());
    let no_table = || HistoryError::Form(NO_TABLE.to_owned());
    let headers = reader.headers().map_err(|_| no_table())?;
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(height), Some(bits)) = (column("height"), column("bits")) else { return Err(no_table()) };
    let start = column("start_utc");
    let mut rows = Vec::new();
    for record in reader.records() {
        let refuse = |line, reason| HistoryError::Table { line, reason };
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            refuse(line, "it hasn't as many cells as there are headings".to_owned())
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = read_row(&record, height, bits, start).map_err(|reason| refuse(line, reason))?;
        rows.push((line, row));
    }
    Ok(rows)
}

fn read_row(record: &StringRecord, height: usize, bits: usize, start: Option<usize>) -> Result<Row, String> {
    let cell = |index: usize| record.get(index).unwrap_or("");
    let height_text = cell(height);
    let height = height_text.parse().map_err(|_| format!("height {height_text:?} is no whole number"))?;
    let bits_text = cell(bits);
    let is_hex = bits_text.len() == 8 && bits_text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = u32::from_str_radix(bits_text, 16).ok().filter(|_| is_hex);
    let bits = CompactTarget(bits.ok_or_else(|| format!("bits {bits_text:?} aren't eight hex digits"))?);
    let start = start.map(cell).filter(|text| !text.is_empty());
    Ok(Row { height, bits, start_s: start.map(parse_moment).transpose()? })
}

#[cfg(test)]
#[path = "bitcoin_tests.rs"]
mod tests;
