//! An assumption about the difficulty past the end of the data.

use std::fmt;
use std::str::FromStr;

use ruint::aliases::{U256, U512};

use super::HistoryError;

/// Days of a difficulty epoch: 2016 blocks of ten minutes.
const EPOCH_DAYS: f64 = 14.0;
const MONTH_DAYS: f64 = 30.436_875;
const YEAR_DAYS: f64 = 365.242_5;

/// What a factor of 1 is, so that targets can be multiplied as integers.
const UNITY: u64 = 1_000_000_000;

/// The difficulty grows by the same factor from each epoch of 14 days to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Thousand-millionths.
    factor: u64,
}

impl Growth {
    /// No growth.
    pub const NONE: Self = Self { factor: UNITY };

    /// Growth by a fraction per epoch of 14 days (0.03 is 3 %), or shrinkage where it is below zero. `None` outside of
    /// what the consensus rules let one epoch change: a quarter to four times.
    pub fn per_epoch(fraction: f64) -> Option<Self> {
        let factor = 1.0 + fraction;
        (0.25..=4.0).contains(&factor).then(|| Self { factor: (factor * UNITY as f64).round() as u64 })
    }

    /// The fraction per epoch.
    pub fn fraction(self) -> f64 {
        self.factor as f64 / UNITY as f64 - 1.0
    }

    /// What a block takes an epoch later. `None` where that leaves 256 bits.
    pub(super) fn applied(self, hashes_per_block: U256) -> Option<U256> {
        let grown = U512::from(hashes_per_block) * U512::from(self.factor) / U512::from(UNITY);
        ruint::UintTryFrom::uint_try_from(grown).ok().map(|hashes: U256| hashes.max(U256::ONE))
    }

    /// How many seconds an epoch takes at the end of which the difficulty has grown so, by Bitcoin's rule: `nominal_s`
    /// over the factor, and one block's time that the rule forgets.
    pub(super) fn seconds(self, nominal_s: u64, forgotten_s: u64) -> i64 {
        (nominal_s * UNITY / self.factor + forgotten_s) as i64
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%/epoch", (self.fraction() * 1e9).round() / 1e7)
    }
}

impl FromStr for Growth {
    type Err = HistoryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| HistoryError::Growth { text: text.to_owned(), reason };
        let (percent, unit) = text.split_once('/').ok_or_else(|| refuse("it doesn't say per what"))?;
        let number = percent.trim().strip_suffix('%').ok_or_else(|| refuse("it has no percent sign"))?;
        let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(refuse("its number is no plain decimal"));
        }
        // The exponent is part of the number, so that 3 % is the double nearest to 0.03.
        let fraction: f64 = format!("{number}e-2").parse().map_err(|_| refuse("its number is no plain decimal"))?;
        let days = match unit.trim() {
            "epoch" => EPOCH_DAYS,
            "month" => MONTH_DAYS,
            "year" => YEAR_DAYS,
            _ => return Err(refuse("its time is none of epoch, month and year")),
        };
        if fraction <= -1.0 {
            return Err(refuse("nothing would be left"));
        }
        let per_epoch = if days == EPOCH_DAYS { fraction } else { (fraction.ln_1p() * EPOCH_DAYS / days).exp_m1() };
        Self::per_epoch(per_epoch).ok_or_else(|| refuse("one epoch can change the difficulty by -75% to 300%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_compounded_to_epochs_of_14_days() {
        let fraction = |text: &str| text.parse::<Growth>().unwrap().fraction();
        assert!((fraction("3%/epoch") - 0.03).abs() < 1e-9);
        assert!((fraction("-2.5%/epoch") + 0.025).abs() < 1e-9);
        assert_eq!(fraction("0%/epoch"), 0.0);
        // 1.4^(14/365.2425) = 1.012980...
        assert!((fraction("40%/year") - 0.012_980).abs() < 1e-6, "{}", fraction("40%/year"));
        // 1.05^(14/30.436875) = 1.022696...
        assert!((fraction("5%/month") - 0.022_696).abs() < 1e-6, "{}", fraction("5%/month"));
        assert_eq!("3%/epoch".parse::<Growth>().unwrap().to_string(), "3%/epoch");
    }

    #[test]
    fn an_epoch_that_ends_with_growth_was_short() {
        let growth: Growth = "25%/epoch".parse().unwrap();
        assert_eq!(growth.seconds(1_209_600, 600), 967_680 + 600);
        assert_eq!(growth.applied(U256::from(1000)), Some(U256::from(1250)));
        assert_eq!(growth.applied(U256::MAX), None);
        let shrinking: Growth = "-75%/epoch".parse().unwrap();
        assert_eq!(shrinking.applied(U256::ONE), Some(U256::ONE));
    }

    #[test]
    fn what_is_no_growth_is_refused() {
        for (text, reason) in [
            ("3%", "it doesn't say per what"),
            ("3/epoch", "it has no percent sign"),
            ("x%/epoch", "its number is no plain decimal"),
            ("%/epoch", "its number is no plain decimal"),
            ("1e3%/epoch", "its number is no plain decimal"),
            ("inf%/epoch", "its number is no plain decimal"),
            ("1.2.3%/epoch", "its number is no plain decimal"),
            ("3%/week", "its time is none of epoch, month and year"),
            ("-100%/year", "nothing would be left"),
            ("-76%/epoch", "one epoch can change the difficulty by -75% to 300%"),
            ("301%/epoch", "one epoch can change the difficulty by -75% to 300%"),
        ] {
            let error = text.parse::<Growth>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is no growth: {reason}")), "{error}");
        }
    }
}
