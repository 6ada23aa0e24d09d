//! Monero: the difficulty rule.

use std::fmt;
use std::str::FromStr;

use ruint::aliases::U256;

use super::CoinError;

/// Piconero (atomic units) in one monero.
pub const PICONERO_PER_XMR: u64 = 1_000_000_000_000;

/// What every block of the tail emission pays, without fees: 0.6 XMR.
pub const TAIL_EMISSION_PICONERO: u64 = 600_000_000_000;

/// The first block that `RandomX` proves (30 November 2019); the `CryptoNight` family did before.
pub const RANDOMX_HEIGHT: u64 = 1_978_433;

/// A difficulty, which in Monero is the expected number of hashes per block exactly. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difficulty(u128);

impl Difficulty {
    /// The difficulty as a number.
    pub const fn to_u128(self) -> u128 {
        self.0
    }

    /// The expected number of hashes for one block.
    pub fn hashes_per_block(self) -> U256 {
        U256::from(self.0)
    }
}

impl FromStr for Difficulty {
    type Err = CoinError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| CoinError::Difficulty { text: text.to_owned(), reason };
        if text.starts_with('-') {
            return Err(refuse("must be above zero"));
        }
        // Rust's own parser would take a leading plus sign.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse("expected a whole number such as 684042855887"));
        }
        match text.parse() {
            Ok(0) => Err(refuse("must be above zero")),
            Ok(value) => Ok(Self(value)),
            Err(_) => Err(refuse("is too large: it exceeds 128 bits")),
        }
    }
}

impl fmt::Display for Difficulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a hash proves a block of this difficulty: the hash, read as a little-endian integer, times the difficulty
/// must not exceed 2^256 - 1.
pub fn meets(hash_le: &[u8; 32], difficulty: Difficulty) -> bool {
    U256::from_le_bytes(*hash_le).checked_mul(U256::from(difficulty.0)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difficulty(text: &str) -> Difficulty {
        text.parse().unwrap()
    }

    fn le(value: U256) -> [u8; 32] {
        value.to_le_bytes()
    }

    #[test]
    fn difficulty_1_takes_every_hash() {
        assert!(meets(&[0xff; 32], difficulty("1")));
        assert!(meets(&[0; 32], difficulty("340282366920938463463374607431768211455")));
    }

    #[test]
    fn difficulty_2_takes_the_lower_half() {
        let half = U256::ONE << 255;
        assert!(!meets(&le(half), difficulty("2"))); // 2^256 exceeds 2^256 - 1
        assert!(meets(&le(half - U256::ONE), difficulty("2")));
    }

    #[test]
    fn the_limit_of_an_odd_difficulty_is_exact() {
        // 2^256 - 1 is divisible by 3, so the quotient itself still passes.
        let limit = U256::MAX / U256::from(3);
        assert!(meets(&le(limit), difficulty("3")));
        assert!(!meets(&le(limit + U256::ONE), difficulty("3")));
    }

    #[test]
    fn the_hash_is_read_little_end_first() {
        let mut hash = [0; 32];
        hash[0] = 0xff;
        assert!(meets(&hash, difficulty("684042855887")));
        hash.reverse();
        assert!(!meets(&hash, difficulty("684042855887")));
    }

    #[test]
    fn difficulties_are_whole_numbers_above_zero() {
        assert_eq!(difficulty("684042855887").to_u128(), 684_042_855_887);
        assert_eq!(difficulty("684042855887").hashes_per_block(), U256::from(684_042_855_887_u64));
        assert_eq!(difficulty("340282366920938463463374607431768211455").to_u128(), u128::MAX);
        for (text, reason) in [
            ("0", "must be above zero"),
            ("-5", "must be above zero"),
            ("", "expected a whole number such as 684042855887"),
            ("1.5", "expected a whole number such as 684042855887"),
            ("+5", "expected a whole number such as 684042855887"),
            ("340282366920938463463374607431768211456", "is too large: it exceeds 128 bits"),
        ] {
            let error = text.parse::<Difficulty>().unwrap_err().to_string();
            assert_eq!(error, format!("difficulty {text:?}: {reason}"));
        }
    }
}
