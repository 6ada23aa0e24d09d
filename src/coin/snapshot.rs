//! What one moment of a coin's network asks for a block and pays for it.

use ruint::aliases::{U256, U512};

use super::bitcoin::{self, CompactTarget, Target};
use super::monero::Difficulty;
use super::ratio::ratio_f64;
use super::{Coin, CoinError, emission};

/// First block of the last Bitcoin epoch known when this was built. Fact of the public chain: the height, its target
/// and the start of its epoch, by Electrum's checkpoints (MIT).
const BITCOIN_HEIGHT: u64 = 953_568;
const BITCOIN_BITS: CompactTarget = CompactTarget(0x1702_40c3);
const BITCOIN_DIFFICULTY: &str = "124932866006548.16";
const BITCOIN_AS_OF: &str = "2026-06-14";
const BITCOIN_SOURCE: &str = "built in: bits 170240c3 of block 953568, from Electrum's checkpoints";

/// The last interval of Monero's checkpoints (monero-project/monero, src/checkpoints/checkpoints.cpp, BSD-3-Clause):
/// the mean difficulty between heights 3,661,900 and 3,707,000 from the two cumulative difficulties.
const MONERO_HEIGHT: u64 = 3_707_000;
const MONERO_DIFFICULTY: &str = "684042855887";
const MONERO_AS_OF: &str = "2026-06-29";
const MONERO_SOURCE: &str = "built in: mean of blocks 3661900 to 3707000, from Monero's checkpoints";

const GIVEN_SOURCE: &str = "difficulty given by the user";

/// What a coin's network asks for a block and pays for it, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkPoint {
    /// The coin.
    pub coin: Coin,
    /// The block height, where one is known.
    pub height: Option<u64>,
    /// The difficulty in the coin's own unit, rounded once, for display.
    pub difficulty: f64,
    /// The expected number of hashes for one block.
    pub hashes_per_block: U256,
    /// What a block pays without fees, in the smallest unit (satoshi, piconero).
    pub subsidy_units: u64,
    /// The day of these figures (UTC, `YYYY-MM-DD`), where one is known.
    pub as_of: Option<String>,
    /// Where the figures come from, in words.
    pub source: String,
}

impl NetworkPoint {
    /// The figures built into the program: dated, with their source.
    pub fn snapshot(coin: Coin) -> Self {
        let (text, height, as_of, source) = match coin {
            Coin::Btc => (BITCOIN_DIFFICULTY, BITCOIN_HEIGHT, BITCOIN_AS_OF, BITCOIN_SOURCE),
            Coin::Xmr => (MONERO_DIFFICULTY, MONERO_HEIGHT, MONERO_AS_OF, MONERO_SOURCE),
        };
        let mut point =
            Self::with_difficulty(coin, text, Some(height)).expect("the constants are valid: tests read both");
        if coin == Coin::Btc {
            // The compact target is what the network asks for; the decimal text is rounded.
            let target = Target::try_from(BITCOIN_BITS).expect("the constant is valid: tests read it");
            point.hashes_per_block = target.work().to_u256();
        }
        Self { as_of: Some(as_of.to_owned()), source: source.to_owned(), ..point }
    }

    /// The figures of a difficulty that the user gives. Without a height, a block pays what it pays at the height of
    /// the built-in figures.
    ///
    /// # Errors
    ///
    /// [`CoinError::Difficulty`] where the text is no difficulty of this coin; [`CoinError::Height`] where no reward is
    /// known or paid at that height.
    pub fn with_difficulty(coin: Coin, text: &str, height: Option<u64>) -> Result<Self, CoinError> {
        let (hashes_per_block, subsidy_units) = match coin {
            Coin::Btc => (Target::from_difficulty(text)?.work().to_u256(), bitcoin_subsidy(height)?),
            Coin::Xmr => (text.parse::<Difficulty>()?.hashes_per_block(), monero_reward(height)),
        };
        let difficulty = text
            .parse()
            .map_err(|_| CoinError::Difficulty { text: text.to_owned(), reason: "expected a plain decimal number" })?;
        Ok(Self {
            coin,
            height,
            difficulty,
            hashes_per_block,
            subsidy_units,
            as_of: None,
            source: GIVEN_SOURCE.to_owned(),
        })
    }

    /// The expected number of hashes for one block, rounded once.
    pub fn hashes_expected_per_block(&self) -> f64 {
        ratio_f64(U512::from(self.hashes_per_block), U512::from(1))
    }

    /// The expected number of hashes for one whole coin of subsidy, rounded once; infinite where a block pays nothing.
    pub fn hashes_expected_per_coin(&self) -> f64 {
        let scaled = U512::from(self.hashes_per_block) * U512::from(self.coin.units_per_coin());
        ratio_f64(scaled, U512::from(self.subsidy_units))
    }

    /// What a block pays without fees, in coins.
    pub fn subsidy_coins(&self) -> f64 {
        ratio_f64(U512::from(self.subsidy_units), U512::from(self.coin.units_per_coin()))
    }
}

/// The subsidy at a height, or today's without one. A height that pays nothing is refused: it has no cost per coin.
fn bitcoin_subsidy(height: Option<u64>) -> Result<u64, CoinError> {
    let height = height.unwrap_or(BITCOIN_HEIGHT);
    match bitcoin::subsidy_sat(height) {
        0 => Err(CoinError::Height { coin: Coin::Btc, height, reason: "the subsidy is zero, so no coin is ever made" }),
        sat => Ok(sat),
    }
}

/// The reward at a height, or today's without one.
fn monero_reward(height: Option<u64>) -> u64 {
    emission::reward_piconero(height.unwrap_or(MONERO_HEIGHT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitcoin_snapshot_is_its_block() {
        let point = NetworkPoint::snapshot(Coin::Btc);
        let target = Target::try_from(BITCOIN_BITS).unwrap();
        assert_eq!(format!("{:.0}", target.difficulty()), "124932866006548");
        assert_eq!(format!("{:.2}", target.difficulty()), BITCOIN_DIFFICULTY);
        assert_eq!(point.difficulty, target.difficulty());
        assert_eq!(point.hashes_per_block.to_string(), "536590761418915805470629");
        assert_eq!(point.height, Some(953_568));
        assert_eq!(point.subsidy_units, 312_500_000);
        assert_eq!(point.subsidy_coins(), 3.125);
        assert_eq!(point.as_of.as_deref(), Some("2026-06-14"));
        // 536590761418915805470629 / 3.125, by exact rational arithmetic elsewhere.
        assert_eq!(point.hashes_expected_per_coin(), 1.7170904365405305e23);
    }

    #[test]
    fn the_monero_snapshot_is_its_checkpoint() {
        let point = NetworkPoint::snapshot(Coin::Xmr);
        // (653348880712825254 - 622498547912305303) / (3707000 - 3661900), from the two checkpoints.
        let mean = (653_348_880_712_825_254_u64 - 622_498_547_912_305_303) / (3_707_000 - 3_661_900);
        assert_eq!(point.hashes_per_block, U256::from(mean));
        assert_eq!(point.difficulty, 684_042_855_887.0);
        assert_eq!(point.subsidy_coins(), 0.6);
        assert_eq!(point.hashes_expected_per_block(), 684_042_855_887.0);
        // 684042855887 / 0.6 = 1140071426478.33...
        assert_eq!(point.hashes_expected_per_coin(), 3_420_214_279_435.0 / 3.0);
        assert_eq!(point.as_of.as_deref(), Some("2026-06-29"));
    }

    #[test]
    fn a_given_difficulty_takes_the_reward_of_its_height() {
        let s9 = NetworkPoint::with_difficulty(Coin::Btc, "559970892890.84", Some(465_696)).unwrap();
        assert_eq!(s9.subsidy_coins(), 12.5);
        assert_eq!(s9.as_of, None);
        // Two decimals give the work of the true bits 1801f6a7 (2405093370490484606849) to 1e-14.
        assert_eq!(s9.hashes_per_block.to_string(), "2405093370490492629557");
        let now = NetworkPoint::with_difficulty(Coin::Btc, "1", None).unwrap();
        assert_eq!((now.height, now.subsidy_coins()), (None, 3.125));
        assert_eq!(now.hashes_expected_per_block(), 4_295_032_833.0);
    }

    #[test]
    fn heights_without_a_known_reward_are_refused() {
        let error = NetworkPoint::with_difficulty(Coin::Btc, "1", Some(6_930_000)).unwrap_err();
        assert_eq!(error.to_string(), "height 6930000 of Bitcoin: the subsidy is zero, so no coin is ever made");
        assert!(NetworkPoint::with_difficulty(Coin::Btc, "1", Some(6_929_999)).is_ok());
        let early = NetworkPoint::with_difficulty(Coin::Xmr, "1", Some(1_312_000)).unwrap();
        assert!((early.subsidy_coins() - 7.55).abs() < 0.02, "{}", early.subsidy_coins());
        assert!(NetworkPoint::with_difficulty(Coin::Xmr, "1.5", None).is_err());
    }
}
