//! Bitcoin and Monero: how many hashes a block takes and what it pays.
//!
//! All counts of hashes are exact integers; a figure becomes a float once, when it leaves this module.

pub mod bitcoin;
pub mod emission;
pub mod hardware;
pub mod history;
pub mod monero;
mod node;
mod proof;
mod ratio;
mod snapshot;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use node::{NodeError, read_node};
pub use proof::{Proof, proof_at, proofs};
pub use snapshot::NetworkPoint;

/// A coin whose network figures the program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coin {
    /// Bitcoin.
    Btc,
    /// Monero.
    Xmr,
}

impl Coin {
    /// The ticker symbol, such as `BTC`.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Btc => "BTC",
            Self::Xmr => "XMR",
        }
    }

    /// The name in words, such as `Bitcoin`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Btc => "Bitcoin",
            Self::Xmr => "Monero",
        }
    }

    /// The algorithm that proves this coin's blocks now, as engine ids spell it.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Btc => "sha256d",
            Self::Xmr => "randomx-v1",
        }
    }

    /// How many of the smallest units (satoshi, piconero) make one coin.
    pub const fn units_per_coin(self) -> u64 {
        match self {
            Self::Btc => bitcoin::SAT_PER_BTC,
            Self::Xmr => monero::PICONERO_PER_XMR,
        }
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Btc => "btc",
            Self::Xmr => "xmr",
        })
    }
}

impl FromStr for Coin {
    type Err = CoinError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "btc" => Ok(Self::Btc),
            "xmr" => Ok(Self::Xmr),
            _ => Err(CoinError::UnknownCoin(text.to_owned())),
        }
    }
}

/// Why a figure of a coin's network can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoinError {
    /// The text names no coin.
    #[error("{0:?} is no coin: expected btc or xmr")]
    UnknownCoin(String),
    /// A difficulty that can't be read or that no target can express.
    #[error("difficulty {text:?}: {reason}")]
    Difficulty {
        /// The difficulty as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Compact bits which the consensus rules refuse.
    #[error("bits {bits:08x}: {reason}")]
    Bits {
        /// The compact form as given.
        bits: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A target that can't be read or used.
    #[error("target {text:?}: {reason}")]
    Target {
        /// The target as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A height for which no emission is known or paid.
    #[error("height {height} of {}: {reason}", .coin.name())]
    Height {
        /// The coin.
        coin: Coin,
        /// The height as given.
        height: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_read_and_print_the_same_word() {
        for (coin, text) in [(Coin::Btc, "btc"), (Coin::Xmr, "xmr")] {
            assert_eq!(coin.to_string(), text);
            assert_eq!(text.parse(), Ok(coin));
            assert_eq!(serde_json::to_string(&coin).unwrap(), format!("{text:?}"));
        }
    }

    #[test]
    fn an_unknown_coin_is_named() {
        let error = "doge".parse::<Coin>().unwrap_err();
        assert_eq!(error.to_string(), "\"doge\" is no coin: expected btc or xmr");
    }
}
