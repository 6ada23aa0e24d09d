//! Why a cost can't be computed.

use crate::coin::Coin;

/// Why a cost can't be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CostError {
    /// A rate of one algorithm, asked for a coin of another.
    #[error(
        "algorithm {algorithm}: a rate of {algorithm} earns no {}, because {} blocks{when} {} proven with {needed}",
        .coin.symbol(), .coin.name(), if .when.is_empty() { "are" } else { "were" }
    )]
    Algorithm {
        /// The algorithm of the rate.
        algorithm: String,
        /// The coin.
        coin: Coin,
        /// The algorithm that it takes.
        needed: &'static str,
        /// Which blocks are meant, in words; empty for those of today.
        when: String,
    },
    /// A window in which the coin changed its proof of work.
    #[error(
        "{} changed its proof of work from {before} to {after} at block {height}, within the window: no machine has \
         one rate for both",
        .coin.name()
    )]
    AlgorithmChanges {
        /// The coin.
        coin: Coin,
        /// The algorithm at its beginning.
        before: &'static str,
        /// The algorithm at its end.
        after: &'static str,
        /// The first block of the other algorithm.
        height: u64,
    },
    /// A network that pays nothing for a block.
    #[error("{} pays no subsidy then, so no coin is ever made", .0.name())]
    NoSubsidy(Coin),
    /// An input that no machine or market can have.
    #[error("{name} {value}: {reason}")]
    Value {
        /// The input's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An interval whose ends don't enclose its value, or reach below zero.
    #[error("{name} {value} ({low} to {high}): {reason}")]
    Interval {
        /// The input's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Inputs that are valid one by one, but give a result that no float can hold.
    #[error("{name} {value}: the inputs are too large or too small together to give a finite result")]
    NotFinite {
        /// The result's name.
        name: &'static str,
        /// What came out.
        value: f64,
    },
}
