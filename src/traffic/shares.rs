//! Shares whose difficulty is known, and the hash rate that they tell.

use super::garwood;
use crate::coin::Coin;
use crate::interval::Interval;

/// The expected number of hashes for one share of difficulty 1.
///
/// For Bitcoin 2^32, as pools count it; the network's own unit is 15 parts in a million more.
pub const fn hashes_per_difficulty(coin: Coin) -> f64 {
    match coin {
        Coin::Btc => 4_294_967_296.0,
        Coin::Xmr => 1.0,
    }
}

/// Accepted shares, each at a difficulty that was read off the wire.
///
/// Where the difficulty changes, each stretch of time is added by itself. At a constant hash rate the number of all
/// shares has a Poisson distribution whose mean is the rate times the sum of `seconds / hashes per share`, so that one
/// interval holds for all stretches together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownShares {
    coin: Coin,
    shares: u64,
    seconds: f64,
    /// Shares that one hash per second is expected to send in this time.
    shares_per_hps: f64,
}

impl KnownShares {
    /// No shares in no time.
    pub const fn new(coin: Coin) -> Self {
        Self { coin, shares: 0, seconds: 0.0, shares_per_hps: 0.0 }
    }

    /// The same with a stretch of time added, of which all shares had one difficulty.
    ///
    /// A stretch whose time or difficulty isn't above zero and finite tells nothing, and changes nothing.
    #[must_use]
    pub fn with(mut self, difficulty: f64, shares: u64, seconds: f64) -> Self {
        let hashes = difficulty * hashes_per_difficulty(self.coin);
        let is_usable = |number: f64| number.is_finite() && number > 0.0;
        if is_usable(hashes) && is_usable(seconds) {
            self.shares = self.shares.saturating_add(shares);
            self.seconds += seconds;
            self.shares_per_hps += seconds / hashes;
        }
        self
    }

    /// The same with shares more, the time of which is added by itself.
    #[must_use]
    pub const fn with_shares(mut self, shares: u64) -> Self {
        self.shares = self.shares.saturating_add(shares);
        self
    }

    /// How many shares there are.
    pub const fn shares(&self) -> u64 {
        self.shares
    }

    /// In how many seconds.
    pub const fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The hash rate in H/s, with the exact Poisson interval of `confidence` (0 to below 1). `None` where no time was
    /// added. Without a share the rate is 0, with an upper end.
    pub fn hash_rate_hps(&self, confidence: f64) -> Option<Interval> {
        if self.shares_per_hps <= 0.0 {
            return None;
        }
        let (low, high) = garwood(self.shares, confidence);
        Some(Interval { value: self.shares as f64, low, high }.scaled(1.0 / self.shares_per_hps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::CONFIDENCE;

    /// A public capture of 2017 (nesfit/DI-cryptominingdetection, xmr.suprnova.cc): target `b88d0600`, five submits in
    /// 57 s.
    #[test]
    fn five_shares_of_a_capture_tell_877_hashes_per_second() {
        let rate = KnownShares::new(Coin::Xmr).with(10_000.0, 5, 57.0).hash_rate_hps(CONFIDENCE).unwrap();
        // 5 * 10,000 / 57, and 1.62349 and 11.66833 in place of 5.
        assert!((rate.value - 877.193).abs() < 1e-3, "{rate:?}");
        assert!((rate.low - 284.82).abs() < 0.01 && (rate.high - 2_047.08).abs() < 0.01, "{rate:?}");
    }

    #[test]
    fn a_share_of_bitcoin_takes_difficulty_times_two_to_the_32_hashes() {
        let rate = KnownShares::new(Coin::Btc).with(512.0, 300, 86_400.0).hash_rate_hps(CONFIDENCE).unwrap();
        assert!((rate.value / 7.635_497_415_111e9 - 1.0).abs() < 1e-12, "{rate:?}");
    }

    #[test]
    fn a_rate_under_two_difficulties_is_that_under_one() {
        // 100 H/s send 6 shares of 1,000 in 60 s, and 6 of 10,000 in 600 s.
        let both = KnownShares::new(Coin::Xmr).with(1_000.0, 6, 60.0).with(10_000.0, 6, 600.0);
        let rate = both.hash_rate_hps(CONFIDENCE).unwrap();
        assert!((rate.value - 100.0).abs() < 1e-9);
        let (low, high) = garwood(12, CONFIDENCE);
        assert!((rate.low / (100.0 * low / 12.0) - 1.0).abs() < 1e-12);
        assert!((rate.high / (100.0 * high / 12.0) - 1.0).abs() < 1e-12);
        assert_eq!((both.shares(), both.seconds()), (12, 660.0));
    }

    #[test]
    fn silence_has_an_upper_end_and_no_time_has_no_rate() {
        let silent = KnownShares::new(Coin::Xmr).with(1_000.0, 0, 3_688.879_454);
        let rate = silent.hash_rate_hps(CONFIDENCE).unwrap();
        assert_eq!((rate.value, rate.low), (0.0, 0.0));
        assert!((rate.high - 1.0).abs() < 1e-9);
        let nothing = KnownShares::new(Coin::Xmr);
        for (difficulty, seconds) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, 0.0), (1.0, f64::INFINITY)] {
            assert_eq!(nothing.with(difficulty, 3, seconds), nothing);
        }
        assert_eq!(nothing.hash_rate_hps(CONFIDENCE), None);
    }
}
