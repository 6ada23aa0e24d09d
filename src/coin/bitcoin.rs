//! Bitcoin: targets, work, difficulty and subsidy, by the consensus rules.

use std::fmt;
use std::str::FromStr;

use ruint::UintTryFrom;
use ruint::aliases::{U256, U512};

use super::CoinError;
use super::ratio::ratio_f64;

/// Satoshi in one bitcoin.
pub const SAT_PER_BTC: u64 = 100_000_000;

/// Blocks between two halvings of the subsidy.
pub const HALVING_INTERVAL: u64 = 210_000;

/// More digits than any difficulty has; fewer than the exact arithmetic could overflow on.
const DIFFICULTY_DIGITS_MAX: usize = 80;

/// The newly made satoshi that the block at `height` may pay, without fees: 50 BTC, halved every 210,000 blocks.
pub const fn subsidy_sat(height: u64) -> u64 {
    let halvings = height / HALVING_INTERVAL;
    // Consensus says so in as many words, because a shift by 64 or more is undefined in C++.
    if halvings >= 64 { 0 } else { (50 * SAT_PER_BTC) >> halvings }
}

/// A target in the four bytes of a block header (`nBits`): one byte of exponent, three of mantissa with a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompactTarget(pub u32);

impl fmt::Display for CompactTarget {
    /// Eight hex digits, as block explorers print them: `1d00ffff`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The largest hash that proves a block. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(U256);

impl Target {
    /// The target of difficulty 1: `0xffff * 2^208`, bits `1d00ffff`.
    pub const DIFFICULTY_1: Self = Self(U256::from_limbs([0, 0, 0, 0xffff_0000]));

    /// The target as an integer.
    pub const fn to_u256(self) -> U256 {
        self.0
    }

    /// The target of an exact decimal difficulty, such as `124932866006548` or `1.5`: `floor(0xffff * 2^208 / D)`.
    ///
    /// # Errors
    ///
    /// [`CoinError::Difficulty`] where the text is no plain decimal number, is zero or negative, or leaves the range of
    /// a target.
    pub fn from_difficulty(text: &str) -> Result<Self, CoinError> {
        let refuse = |reason| CoinError::Difficulty { text: text.to_owned(), reason };
        let (digits, decimals) = parse_decimal(text).map_err(refuse)?;
        if digits.is_zero() {
            return Err(refuse("must be above zero"));
        }
        // 0xffff * 2^208 has 224 bits and 10^80 has 266: the product fits into 512.
        let scaled = U512::from(Self::DIFFICULTY_1.0) * U512::from(10).pow(U512::from(decimals));
        let target = scaled / digits;
        if target.is_zero() {
            return Err(refuse("is too large: no hash could meet its target"));
        }
        U256::uint_try_from(target).map(Self).map_err(|_| refuse("is too small: its target would exceed 256 bits"))
    }

    /// The compact form that block headers hold, rounded down to its three bytes of mantissa.
    pub fn to_compact(self) -> CompactTarget {
        let size = self.0.bit_len().div_ceil(8);
        let mantissa: U256 = if size <= 3 { self.0 << (8 * (3 - size)) } else { self.0 >> (8 * (size - 3)) };
        let mantissa = mantissa.as_limbs()[0] as u32;
        // The highest bit of the mantissa is its sign.
        let (size, mantissa) = if mantissa & 0x0080_0000 != 0 { (size + 1, mantissa >> 8) } else { (size, mantissa) };
        CompactTarget((size as u32) << 24 | mantissa)
    }

    /// Expected number of hashes for a hash that meets the target: `2^256 / (target + 1)`, rounded down.
    pub fn work(self) -> Work {
        // Bitcoin Core's GetBlockProof: 2^256 does not fit into 256 bits, but (2^256 - 1 - t) / (t + 1) + 1 does.
        match self.0.checked_add(U256::ONE) {
            Some(divisor) => Work(!self.0 / divisor + U256::ONE),
            None => Work(U256::ONE),
        }
    }

    /// The difficulty `0xffff * 2^208 / target`, rounded once, for display.
    pub fn difficulty(self) -> f64 {
        ratio_f64(U512::from(Self::DIFFICULTY_1.0), U512::from(self.0))
    }

    /// Whether a hash proves a block of this target. `hash_le` is the output of SHA-256d in its own byte order, which
    /// is read as a little-endian integer (explorers print it reversed).
    pub fn is_met_by(self, hash_le: &[u8; 32]) -> bool {
        U256::from_le_bytes(*hash_le) <= self.0
    }
}

impl TryFrom<CompactTarget> for Target {
    type Error = CoinError;

    /// Expands the compact form as consensus does. Targets above the main network's limit are taken, since test
    /// networks use them.
    fn try_from(compact: CompactTarget) -> Result<Self, Self::Error> {
        let bits = compact.0;
        let refuse = |reason| CoinError::Bits { bits, reason };
        let size = bits >> 24;
        let mut word = bits & 0x007f_ffff;
        if size <= 3 {
            // Digits below the point are cut off before the sign is looked at, as in Bitcoin Core.
            word >>= 8 * (3 - size);
        }
        if word == 0 {
            return Err(refuse("the target is zero, which no hash can be expected to meet"));
        }
        if bits & 0x0080_0000 != 0 {
            return Err(refuse("the target is negative"));
        }
        if size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32) {
            return Err(refuse("the target exceeds 256 bits"));
        }
        let shift = 8 * size.saturating_sub(3) as usize;
        Ok(Self(U256::from(word) << shift))
    }
}

impl fmt::Display for Target {
    /// 64 hex digits, big end first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode(self.0.to_be_bytes::<32>()))
    }
}

impl FromStr for Target {
    type Err = CoinError;

    /// Reads 64 hex digits, big end first.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| CoinError::Target { text: text.to_owned(), reason };
        if text.len() != 64 {
            return Err(refuse("expected 64 hex digits, big end first"));
        }
        let bytes: [u8; 32] =
            const_hex::decode_to_array(text).map_err(|_| refuse("expected 64 hex digits, big end first"))?;
        let target = U256::from_be_bytes(bytes);
        if target.is_zero() {
            return Err(refuse("is zero, which no hash can be expected to meet"));
        }
        Ok(Self(target))
    }
}

/// The expected number of hashes for one block: what a block adds to the work of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(U256);

impl Work {
    /// The number of hashes.
    pub const fn to_u256(self) -> U256 {
        self.0
    }
}

impl fmt::Display for Work {
    /// Decimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A plain decimal text as all its digits and how many of them stand behind the point, or what is wrong with it.
fn parse_decimal(text: &str) -> Result<(U512, usize), &'static str> {
    const FORM: &str = "expected a plain decimal number such as 124932866006548 or 1.5";
    if text.starts_with('-') {
        return Err("must be above zero");
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(FORM),
        None => (text, ""),
    };
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FORM);
    }
    if digits.len() > DIFFICULTY_DIGITS_MAX {
        return Err("has more than 80 digits");
    }
    U512::from_str_radix(&digits, 10).map(|value| (value, fraction.len())).map_err(|_| FORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(bits: u32) -> Target {
        Target::try_from(CompactTarget(bits)).unwrap()
    }

    #[test]
    fn difficulty_1_is_bits_1d00ffff() {
        assert_eq!(target(0x1d00_ffff), Target::DIFFICULTY_1);
        assert_eq!(Target::from_difficulty("1").unwrap(), Target::DIFFICULTY_1);
        assert_eq!(Target::from_difficulty("1.000").unwrap(), Target::DIFFICULTY_1);
        assert_eq!(Target::DIFFICULTY_1.difficulty(), 1.0);
        assert_eq!(
            Target::DIFFICULTY_1.to_string(),
            "00000000ffff0000000000000000000000000000000000000000000000000000"
        );
        // The chain work of the genesis block.
        assert_eq!(Target::DIFFICULTY_1.work().to_u256(), U256::from(0x1_0001_0001_u64));
        assert_eq!(Target::DIFFICULTY_1.work().to_string(), "4295032833");
    }

    #[test]
    fn real_bits_give_their_published_difficulty_and_work() {
        // First blocks of epochs of the main chain: 32,256; 112,896; 193,536; 294,336; 465,696; 596,736; 953,568.
        for (bits, difficulty) in [
            (0x1d00_d86a, "1.18289953"),
            (0x1b00_dc31, "76192.61934751"),
            (0x1a07_a85e, "2190865.97"),
            (0x1900_b3aa, "6119726089.13"),
            (0x1801_f6a7, "559970892890.84"),
            (0x1716_0f24, "12759819404408.79"),
            (0x1702_40c3, "124932866006548.16"),
        ] {
            let decimals = difficulty.split_once('.').unwrap().1.len();
            assert_eq!(format!("{:.*}", decimals, target(bits).difficulty()), difficulty, "{bits:08x}");
        }
        // The first is the worked example of the Bitcoin wiki's page on difficulty.
        assert_eq!(target(0x1b04_04cb).difficulty(), 16307.420938523983);
        assert_eq!(target(0x1801_f6a7).work().to_string(), "2405093370490484606849");
        assert_eq!(target(0x1702_40c3).work().to_string(), "536590761418915805470629");
    }

    #[test]
    fn compact_targets_follow_the_consensus_rules() {
        // From Bitcoin Core's arith_uint256 tests (bignum_SetCompact).
        for bits in [0, 0x0012_3456, 0x0100_3456, 0x0200_0056, 0x0300_0000, 0x0400_0000, 0x0092_3456, 0x0180_3456] {
            let error = Target::try_from(CompactTarget(bits)).unwrap_err().to_string();
            assert!(error.contains("zero"), "{error}");
        }
        for (bits, value) in [
            (0x0112_3456, 0x12_u64),
            (0x0200_8000, 0x80),
            (0x0212_3456, 0x1234),
            (0x0312_3456, 0x0012_3456),
            (0x0412_3456, 0x1234_5600),
            (0x0500_9234, 0x9234_0000),
        ] {
            assert_eq!(target(bits).to_u256(), U256::from(value), "{bits:08x}");
        }
        assert_eq!(target(0x2012_3456).to_u256(), U256::from(0x12_3456) << 232);
        for bits in [0x01fe_dcba, 0x0492_3456] {
            let error = Target::try_from(CompactTarget(bits)).unwrap_err().to_string();
            assert_eq!(error, format!("bits {bits:08x}: the target is negative"));
        }
    }

    #[test]
    fn a_target_has_one_compact_form() {
        // From Bitcoin Core's arith_uint256 tests: what GetCompact gives for what SetCompact read.
        for (read, written) in [
            (0x0112_3456, 0x0112_0000),
            (0x0200_8000, 0x0200_8000),
            (0x0212_3456, 0x0212_3400),
            (0x0312_3456, 0x0312_3456),
            (0x0412_3456, 0x0412_3456),
            (0x0500_9234, 0x0500_9234),
            (0x2012_3456, 0x2012_3456),
        ] {
            assert_eq!(target(read).to_compact(), CompactTarget(written), "{read:08x}");
        }
        assert_eq!(Target::DIFFICULTY_1.to_compact(), CompactTarget(0x1d00_ffff));
        // What doesn't fit into three bytes is cut off.
        let longer = Target::from_difficulty("559970892890.84").unwrap();
        assert_eq!(longer.to_compact(), CompactTarget(0x1801_f6a6));
    }

    #[test]
    fn compact_targets_overflow_past_256_bits() {
        for bits in [0xff12_3456, 0x2300_0001, 0x2200_0100, 0x2101_0000] {
            let error = Target::try_from(CompactTarget(bits)).unwrap_err().to_string();
            assert_eq!(error, format!("bits {bits:08x}: the target exceeds 256 bits"));
        }
        assert_eq!(target(0x2200_00ff).to_u256(), U256::from(0xff) << 248);
        assert_eq!(target(0x2100_ffff).to_u256(), U256::from(0xffff) << 240);
        assert_eq!(target(0x207f_ffff).to_u256(), U256::from(0x7f_ffff) << 232);
    }

    #[test]
    fn difficulties_divide_exactly() {
        let one_and_a_half = Target::from_difficulty("1.5").unwrap();
        assert_eq!(one_and_a_half.to_u256(), U256::from(0xaaaa) << 208);
        // floor(0xffff * 2^208 / 124932866006548), by arbitrary-precision integers elsewhere.
        assert_eq!(
            Target::from_difficulty("124932866006548").unwrap().to_string(),
            "0000000000000000000240c300000000c37bdac7dac81d09635c07dec2d62567"
        );
        // Two decimals more come closer to the true compact target, 240c3 * 2^160.
        let closer = Target::from_difficulty("124932866006548.16").unwrap();
        assert!(closer < Target::from_difficulty("124932866006548").unwrap());
        assert_eq!(Target::from_difficulty("0.5").unwrap().to_u256(), U256::from(0x1_fffe) << 208);
    }

    #[test]
    fn difficulties_that_no_target_can_express_are_refused() {
        let too_large = format!("1{}", "0".repeat(70));
        let too_long = "1".repeat(81);
        for (text, reason) in [
            ("0", "must be above zero"),
            ("0.000", "must be above zero"),
            ("-1", "must be above zero"),
            ("", "expected a plain decimal number such as 124932866006548 or 1.5"),
            (".5", "expected a plain decimal number such as 124932866006548 or 1.5"),
            ("5.", "expected a plain decimal number such as 124932866006548 or 1.5"),
            ("1e9", "expected a plain decimal number such as 124932866006548 or 1.5"),
            ("1.2.3", "expected a plain decimal number such as 124932866006548 or 1.5"),
            ("0.0000000001", "is too small: its target would exceed 256 bits"),
            (too_large.as_str(), "is too large: no hash could meet its target"),
            (too_long.as_str(), "has more than 80 digits"),
        ] {
            let error = Target::from_difficulty(text).unwrap_err().to_string();
            assert_eq!(error, format!("difficulty {text:?}: {reason}"));
        }
    }

    #[test]
    fn work_is_defined_at_both_ends() {
        let easiest: Target = "f".repeat(64).parse().unwrap();
        assert_eq!(easiest.work().to_u256(), U256::ONE);
        let hardest: Target = format!("{:0>64}", 1).parse().unwrap();
        assert_eq!(hardest.work().to_u256(), U256::ONE << 255);
    }

    #[test]
    fn hex_reads_and_prints_big_end_first() {
        let text = format!("{:0>64}", "ffff0000");
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        for bad in [String::new(), "f".repeat(63), "g".repeat(64), format!("0x{}", "f".repeat(62)), "é".repeat(32)] {
            let error = bad.parse::<Target>().unwrap_err().to_string();
            assert_eq!(error, format!("target {bad:?}: expected 64 hex digits, big end first"));
        }
        let zero = "0".repeat(64);
        assert!(zero.parse::<Target>().unwrap_err().to_string().contains("is zero"));
    }

    #[test]
    fn the_genesis_hash_meets_its_target_and_no_harder_one() {
        let mut hash: [u8; 32] =
            const_hex::decode_to_array("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f").unwrap();
        hash.reverse();
        assert!(target(0x1d00_ffff).is_met_by(&hash));
        assert!(target(0x1c00_ffff).is_met_by(&hash));
        assert!(!target(0x1b00_ffff).is_met_by(&hash));
        // The limit itself is met, and one above it is not.
        let exactly: Target = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f".parse().unwrap();
        let below: Target = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26e".parse().unwrap();
        assert!(exactly.is_met_by(&hash));
        assert!(!below.is_met_by(&hash));
    }

    #[test]
    fn the_subsidy_halves_every_210_000_blocks() {
        for (height, sat) in [
            (0, 5_000_000_000),
            (209_999, 5_000_000_000),
            (210_000, 2_500_000_000),
            (419_999, 2_500_000_000),
            (465_696, 1_250_000_000),
            (840_000, 312_500_000),
            (953_568, 312_500_000),
            (1_050_000, 156_250_000),
            (32 * 210_000, 1),
            (33 * 210_000, 0),
            (63 * 210_000, 0),
            (64 * 210_000, 0),
            (u64::MAX, 0),
        ] {
            assert_eq!(subsidy_sat(height), sat, "{height}");
        }
    }

    #[test]
    fn all_subsidies_together_are_just_under_21_million_coins() {
        let total: u64 = (0..70).map(|halving| HALVING_INTERVAL * subsidy_sat(halving * HALVING_INTERVAL)).sum();
        assert_eq!(total, 2_099_999_997_690_000); // 20,999,999.9769 BTC
    }
}
