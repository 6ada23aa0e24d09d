//! What is wrong with an observation.

use crate::coin::Coin;
use crate::coin::history::HistoryError;

/// Why an observation can't be read, or says nothing that can be computed with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrafficError {
    /// A text that is no count.
    #[error("{text:?} is no count: {reason}; expected such as 300 or 100..900")]
    Count {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text that names nothing that could be counted, or no span of time, or no peer.
    #[error("{text:?} is no {what}: expected {expected}")]
    Word {
        /// The text as given.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// The words that there are.
        expected: &'static str,
    },
    /// A text that is no way for a pool to set difficulties.
    #[error("{text:?} names no pool of {}: {reason}", .coin.name())]
    Pool {
        /// The text as given.
        text: String,
        /// The coin.
        coin: Coin,
        /// What is wrong with it.
        reason: String,
    },
    /// A text that is no pair of time-outs.
    #[error("{text:?} is no pair of time-outs: {reason}; expected the active and the inactive one, such as 1800/15")]
    Timeouts {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A number that can't be.
    #[error("{name} {value}: {reason}")]
    Value {
        /// What it is.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A total over no known time.
    #[error("a total says nothing without the time in which it was counted")]
    TotalWithoutWindow,
    /// Two inputs that ask for different things.
    #[error("{one} and {other} ask for different things")]
    Conflict {
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A window in which the proof of work changed.
    #[error("{} changed its proof of work from {before} to {after} at block {height}, within the window", .coin.name())]
    AlgorithmChanges {
        /// The coin.
        coin: Coin,
        /// The proof of work at the beginning.
        before: &'static str,
        /// The proof of work at the end.
        after: &'static str,
        /// The first block that has the new one.
        height: u64,
    },
    /// A file of observations that can't be read.
    #[error("{0}")]
    File(String),
    /// One of several observations.
    #[error("observation {number}: {reason}")]
    InFile {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A window that the coin's history doesn't cover.
    #[error(transparent)]
    History(#[from] HistoryError),
}
