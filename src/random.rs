//! Numbers that look random and are the same for the same seed.

/// The generator splitmix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitMix64(u64);

/// What the state grows by, so that any place of the sequence can be reached at once.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl SplitMix64 {
    /// Starts the sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the sequence from a later place on, after so many numbers.
    pub(crate) fn after(self, count: u64) -> Self {
        Self(self.0.wrapping_add(count.wrapping_mul(STEP)))
    }

    /// Returns the next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one_and_can_be_entered_anywhere() {
        // The first numbers of seed 1234567, as the reference implementation's page and Rosetta Code print them.
        let mut numbers = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(std::array::from_fn(|_| numbers.bits()), expected);
        assert_eq!(SplitMix64::new(1_234_567).after(3).bits(), expected[3]);
    }
}
