//! What the networks asked for a block and paid for it, from their first block on.
//!
//! The tables below `data/` are facts of the public chains, each row with its source. Past their end nothing is
//! guessed: the caller extends them, or says by how much the difficulty is to grow.

pub mod bitcoin;
mod electrum;
mod growth;
pub mod monero;
mod window;

use jiff::civil::Date;
use ruint::aliases::{U256, U512};

use super::ratio::ratio_f64;
use super::{Coin, CoinError, NetworkPoint, bitcoin as bitcoin_coin, emission};

pub use bitcoin::{Epoch, EpochTable};
pub use growth::Growth;
pub use monero::{Checkpoint, CheckpointTable};
pub(crate) use window::{SECONDS_PER_DAY, SECONDS_PER_YEAR};
pub use window::{Window, format_day, format_moment, parse_day};

/// What the figures of a stretch rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The table.
    Known,
    /// An assumed growth past the table's end.
    Assumed,
    /// A difficulty that the user gave.
    Given,
}

/// A time over which a block takes the same number of hashes and pays the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// The first block of it; where a window cuts it, estimated from the time.
    pub height: u64,
    /// When it starts, in seconds since 1970.
    pub start_s: i64,
    /// When it ends, in seconds since 1970.
    pub end_s: i64,
    /// The expected number of hashes for one block.
    pub hashes_per_block: U256,
    /// The difficulty in the coin's own unit, rounded once.
    pub difficulty: f64,
    /// What a block pays without fees, in the smallest unit (satoshi, piconero).
    pub subsidy_units: u64,
    /// What these figures rest on.
    pub basis: Basis,
}

impl Stretch {
    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        (self.end_s - self.start_s) as f64
    }

    /// The expected number of hashes for one block, rounded once.
    pub fn hashes_expected_per_block(&self) -> f64 {
        ratio_f64(U512::from(self.hashes_per_block), U512::from(1))
    }

    /// What a block pays without fees, in coins.
    pub fn subsidy_coins(&self, coin: Coin) -> f64 {
        ratio_f64(U512::from(self.subsidy_units), U512::from(coin.units_per_coin()))
    }

    /// The part of it within a window, with the height moved along at an even pace. `None` where there is none.
    fn clipped(&self, from_s: i64, to_s: i64, blocks: u64) -> Option<Self> {
        let (start_s, end_s) = (self.start_s.max(from_s), self.end_s.min(to_s));
        let height = self.height + blocks_until(start_s - self.start_s, self.end_s - self.start_s, blocks);
        (start_s < end_s).then(|| Self { height, start_s, end_s, ..self.clone() })
    }
}

/// How many of some blocks come within the first `part_s` of `whole_s` seconds, at an even pace.
fn blocks_until(part_s: i64, whole_s: i64, blocks: u64) -> u64 {
    (i128::from(part_s) * i128::from(blocks) / i128::from(whole_s.max(1))) as u64
}

/// `length` times `part / whole`, rounded down.
fn scaled(length: i64, part: u64, whole: u64) -> i64 {
    (i128::from(length) * i128::from(part) / i128::from(whole.max(1))) as i64
}

/// A coin's history.
#[derive(Debug, Clone)]
pub enum History {
    /// Bitcoin's difficulty epochs.
    Bitcoin(EpochTable),
    /// Monero's checkpoints.
    Monero(CheckpointTable),
}

impl History {
    /// The history that is built in.
    pub fn built_in(coin: Coin) -> Self {
        match coin {
            Coin::Btc => Self::Bitcoin(EpochTable::built_in()),
            Coin::Xmr => Self::Monero(CheckpointTable::built_in()),
        }
    }

    /// Whose history it is.
    pub const fn coin(&self) -> Coin {
        match self {
            Self::Bitcoin(_) => Coin::Btc,
            Self::Monero(_) => Coin::Xmr,
        }
    }

    /// The last whole day (UTC) that it covers.
    pub fn last_day(&self) -> Date {
        window::last_whole_day(self.end_s())
    }

    /// The day (UTC) of the first block.
    pub fn first_day(&self) -> Date {
        window::day_of(self.start_s())
    }

    fn start_s(&self) -> i64 {
        match self {
            Self::Bitcoin(table) => table.epochs()[0].start_s,
            Self::Monero(table) => table.checkpoints()[0].time_s,
        }
    }

    /// When it ends, in seconds since 1970.
    pub fn end_s(&self) -> i64 {
        match self {
            Self::Bitcoin(table) => table.end_s(),
            Self::Monero(table) => table.end_s(),
        }
    }

    /// What the network asked and paid over a window, in order of time: a stretch for each epoch or checkpoint, cut
    /// where the subsidy changes. Past the end of the table there are stretches only where `growth` says how.
    ///
    /// # Errors
    ///
    /// [`HistoryError::BeforeChain`] and [`HistoryError::PastData`] for windows that the table doesn't cover;
    /// [`HistoryError::GrowthTooLarge`] where an assumed difficulty leaves the range of numbers.
    pub fn stretches(&self, window: Window, growth: Option<Growth>) -> Result<Vec<Stretch>, HistoryError> {
        self.check(window.from(), growth)?;
        self.check(window.to(), growth)?;
        let (from_s, to_s) = (window.start_s(), window.end_s());
        match self {
            Self::Bitcoin(table) => table.stretches(from_s, to_s, growth),
            Self::Monero(table) => table.stretches(from_s, to_s, growth),
        }
    }

    /// What the network asked and paid from one block to another, both included, with the days that they lie in. Times
    /// of blocks are estimated at an even pace between those that are known.
    ///
    /// # Errors
    ///
    /// [`HistoryError::HeightPastData`], and [`HistoryError::BlocksBackwards`] where the last lies before the first.
    pub fn stretches_of_blocks(&self, first: u64, last: u64) -> Result<(Window, Vec<Stretch>), HistoryError> {
        if last < first {
            return Err(HistoryError::BlocksBackwards { first, last });
        }
        self.point(last)?;
        let (from_s, to_s) = (self.time_of(first), self.time_of(last + 1).min(self.end_s()));
        if from_s >= to_s {
            return Err(HistoryError::HeightPastData { coin: self.coin(), height: last, last: last.saturating_sub(1) });
        }
        let window = Window::new(window::day_of(from_s), window::day_of(to_s - 1))?;
        let stretches = match self {
            Self::Bitcoin(table) => table.stretches(from_s, to_s, None),
            Self::Monero(table) => table.stretches(from_s, to_s, None),
        }?;
        Ok((window, stretches))
    }

    /// The same window at one difficulty that is given: cut where the subsidy changes, at heights that past the data
    /// are estimated by blocks of the nominal time.
    ///
    /// # Errors
    ///
    /// [`HistoryError::BeforeChain`].
    pub fn stretches_at(&self, window: Window, given: &NetworkPoint) -> Result<Vec<Stretch>, HistoryError> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for stretch in self.stretches(window, Some(Growth::NONE))? {
            let subsidy_units = given.height.map_or(stretch.subsidy_units, |_| given.subsidy_units);
            match stretches.last_mut() {
                Some(last) if last.subsidy_units == subsidy_units => last.end_s = stretch.end_s,
                _ => stretches.push(Stretch {
                    height: given.height.unwrap_or(stretch.height),
                    hashes_per_block: given.hashes_per_block,
                    difficulty: given.difficulty,
                    subsidy_units,
                    basis: Basis::Given,
                    ..stretch
                }),
            }
        }
        Ok(stretches)
    }

    /// What the network asked and paid for the block at a height.
    ///
    /// # Errors
    ///
    /// [`HistoryError::HeightPastData`].
    pub fn point(&self, height: u64) -> Result<NetworkPoint, HistoryError> {
        let (hashes_per_block, difficulty, subsidy_units, source) = match self {
            Self::Bitcoin(table) => {
                let epoch = table.epoch_of(height)?;
                let source = format!("bits {} of the epoch of block {}", epoch.bits, epoch.height);
                (epoch.target.work().to_u256(), epoch.target.difficulty(), bitcoin_coin::subsidy_sat(height), source)
            }
            Self::Monero(table) => {
                let mean = table.mean_at(height)?;
                let from =
                    if mean.is_derived { "block times between Monero's checkpoints" } else { "Monero's checkpoints" };
                let source = format!("mean of blocks {} to {}, from {from}", mean.after + 1, mean.to);
                let hashes = U256::from(mean.difficulty);
                (hashes, ratio_f64(U512::from(hashes), U512::from(1)), emission::reward_piconero(height), source)
            }
        };
        Ok(NetworkPoint {
            coin: self.coin(),
            height: Some(height),
            difficulty,
            hashes_per_block,
            subsidy_units,
            as_of: Some(format_day(self.time_of(height))),
            source,
        })
    }

    /// When the block at a height came, in seconds since 1970, estimated at an even pace between blocks whose times are
    /// known.
    pub fn time_of(&self, height: u64) -> i64 {
        match self {
            Self::Bitcoin(table) => table.time_of(height),
            Self::Monero(table) => table.time_of(height),
        }
    }

    /// The height at the end of a day, estimated at an even pace between blocks whose times are known.
    ///
    /// # Errors
    ///
    /// [`HistoryError::BeforeChain`] and [`HistoryError::PastData`].
    pub fn height_on(&self, day: Date) -> Result<u64, HistoryError> {
        self.check(day, None)?;
        let moment_s = window::day_end_s(day) - 1;
        Ok(match self {
            Self::Bitcoin(table) => table.height_at_time(moment_s),
            Self::Monero(table) => table.height_at_time(moment_s),
        })
    }

    fn check(&self, day: Date, growth: Option<Growth>) -> Result<(), HistoryError> {
        let (coin, first, last) = (self.coin(), self.first_day(), self.last_day());
        if day < first {
            return Err(HistoryError::BeforeChain { coin, day, first });
        }
        if day > last && growth.is_none() {
            return Err(HistoryError::PastData { coin, day, last });
        }
        Ok(())
    }
}

/// Why a history can't be read, or doesn't say what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HistoryError {
    /// A text that is no day.
    #[error("{text:?} is no day: {reason}; expected a date such as 2017-05-17")]
    Day {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A window that ends before it begins.
    #[error("the window ends on {to}, before it begins on {from}: both days are part of it")]
    Backwards {
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
    },
    /// Blocks of which the last comes before the first.
    #[error("block {last} comes before block {first}: both are part of the window")]
    BlocksBackwards {
        /// The first block.
        first: u64,
        /// The last block.
        last: u64,
    },
    /// A day on which the chain had no block yet.
    #[error("{day} lies before {} began: its first block came on {first}", .coin.name())]
    BeforeChain {
        /// The coin.
        coin: Coin,
        /// The day that was asked for.
        day: Date,
        /// The day of the first block.
        first: Date,
    },
    /// A day past the end of the table.
    #[error("{day} lies past the data: what is known of {} ends on {last}", .coin.name())]
    PastData {
        /// The coin.
        coin: Coin,
        /// The day that was asked for.
        day: Date,
        /// The last day that is known.
        last: Date,
    },
    /// A block past the end of the table.
    #[error("block {height} lies past the data: what is known of {} ends with block {last}", .coin.name())]
    HeightPastData {
        /// The coin.
        coin: Coin,
        /// The height that was asked for.
        height: u64,
        /// The last height that is known.
        last: u64,
    },
    /// A text that is no growth.
    #[error("{text:?} is no growth: {reason}; expected such as 3%/epoch, 5%/month or 40%/year")]
    Growth {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An assumed growth that leaves the range of numbers.
    #[error("with this growth a block would take more hashes than a number of 256 bits holds")]
    GrowthTooLarge,
    /// A table that is none, with the line where it goes wrong.
    #[error("line {line}: {reason}")]
    Table {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry of a list of checkpoints that can't be right.
    #[error("entry {entry}: {reason}")]
    Entry {
        /// The entry, counted from 1.
        entry: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that is in neither form.
    #[error("{0}")]
    Form(String),
    /// A figure that no network can have.
    #[error(transparent)]
    Coin(#[from] CoinError),
}
