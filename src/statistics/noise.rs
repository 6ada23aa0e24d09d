//! Named noise on the rate of a machine, driven by a seed, for tests of what statistics say about it.
//!
//! Time is counted in samples. The noise goes on while other engines have their turns, and between runs it starts anew.

use crate::random::SplitMix64;

/// A generator of random numbers: xoshiro256** by Blackman and Vigna, seeded by splitmix64.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Random {
    /// Starts the sequence of a seed.
    #[must_use]
    pub(super) fn new(seed: u64) -> Self {
        let mut seeds = SplitMix64::new(seed);
        let state = std::array::from_fn(|_| seeds.bits());
        Self { state, spare: None }
    }

    /// Returns the next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        let state = &mut self.state;
        let bits = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        bits
    }

    /// Returns a number between 0 and 1, without either.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Returns a number of the standard normal distribution (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// Returns a number of the exponential distribution.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.uniform().ln()
    }
}

/// What happens to the rate of a machine. Each has lognormal noise of [`Noise::SPREAD`] in all, and the drift and the
/// steal come on top of independent noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Noise {
    /// Nothing but independent noise.
    Independent,
    /// The logarithms of the rates follow each other as AR(1): a sample keeps this part of the deviation of the one
    /// before. The spread is that of the rates, not of what is new in each.
    Autoregressive(f64),
    /// The rate falls evenly by this part over the whole run, for all engines, and has its nominal value halfway.
    Drift(f64),
    /// Another program takes a part of the machine from time to time, for exponentially distributed times.
    Steal {
        /// The part of the time that it does.
        time: f64,
        /// The rate that is left meanwhile, relative.
        rest: f64,
        /// The mean time that it lasts, in samples.
        dwell: f64,
    },
}

impl Noise {
    /// The standard deviation of the logarithm of a sample's rate.
    pub(super) const SPREAD: f64 = 0.02;
    /// Correlated noise as it is proven against.
    pub(super) const CORRELATED: Self = Self::Autoregressive(0.5);
    /// The drift that is proven against: 5 %.
    pub(super) const DRIFTING: Self = Self::Drift(0.05);
    /// The steal that is proven against: 5 % of the time at 60 % of the rate, for 3 s in the mean, where a sample takes
    /// 0.625 s.
    pub(super) const STOLEN: Self = Self::Steal { time: 0.05, rest: 0.6, dwell: 4.8 };
    /// The same where a sample takes 0.25 s.
    pub(super) const STOLEN_QUICK: Self = Self::Steal { time: 0.05, rest: 0.6, dwell: 12.0 };
}

/// A machine with noise, whose nominal rate is 1.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    noise: Noise,
    random: Random,
    /// Where in the run it is, from -1/2 to 1/2, and how much of it a sample takes.
    place: f64,
    step: f64,
    /// The deviation of the last sample, in standard deviations.
    deviation: f64,
    is_stolen: bool,
    /// How long that stays so, in samples.
    stays: f64,
}

impl Machine {
    /// Starts a run that takes `run` samples, those of other engines included.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "few samples")]
    pub(super) fn new(noise: Noise, mut random: Random, run: usize) -> Self {
        let step = (run as f64).recip();
        let deviation = random.normal();
        let mut machine =
            Self { noise, random, place: -0.5 - step / 2.0, step, deviation, is_stolen: false, stays: 0.0 };
        if let Noise::Steal { time, .. } = noise {
            machine.is_stolen = machine.random.uniform() < time;
            machine.stays = machine.dwell();
        }
        machine
    }

    /// Returns the rate over the next sample.
    pub(super) fn sample(&mut self) -> f64 {
        self.place += self.step;
        let keeps = if let Noise::Autoregressive(keeps) = self.noise { keeps } else { 0.0 };
        self.deviation = keeps * self.deviation + (1.0 - keeps * keeps).sqrt() * self.random.normal();
        let rate = (Noise::SPREAD * self.deviation).exp();
        match self.noise {
            Noise::Independent | Noise::Autoregressive(_) => rate,
            Noise::Drift(total) => rate * (1.0 - total * self.place),
            Noise::Steal { rest, .. } => rate * (1.0 - (1.0 - rest) * self.stolen()),
        }
    }

    /// Lets other engines run for `samples`.
    pub(super) fn pause(&mut self, samples: usize) {
        for _ in 0..samples {
            self.sample();
        }
    }

    /// Returns the part of the next sample's time that is stolen.
    fn stolen(&mut self) -> f64 {
        let (mut left, mut stolen) = (1.0, 0.0);
        loop {
            let now = self.stays.min(left);
            stolen += if self.is_stolen { now } else { 0.0 };
            left -= now;
            self.stays -= now;
            if left <= 0.0 {
                return stolen;
            }
            self.is_stolen = !self.is_stolen;
            self.stays = self.dwell();
        }
    }

    fn dwell(&mut self) -> f64 {
        let Noise::Steal { time, dwell, .. } = self.noise else { return f64::INFINITY };
        self.random.exponential(if self.is_stolen { dwell } else { dwell * (1.0 - time) / time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the reference implementation (prng.di.unimi.it) from the state 1, 2, 3, 4, and of
    /// splitmix64 from the seed 1234567.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = Random { state: [1, 2, 3, 4], spare: None };
        assert_eq!([random.bits(), random.bits(), random.bits()], [11_520, 0, 1_509_978_240]);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!(Random::new(1_234_567).state[..2], expected);
    }

    fn moments(noise: Noise) -> (f64, f64, f64) {
        let mut machine = Machine::new(noise, Random::new(5), 100_000);
        let logs: Vec<f64> = (0..100_000).map(|_| machine.sample().ln()).collect();
        let mean = logs.iter().sum::<f64>() / 1e5;
        let covariance =
            |lag: usize| logs.iter().zip(&logs[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / 1e5;
        (mean, covariance(0).sqrt(), covariance(1) / covariance(0))
    }

    #[test]
    fn the_noise_has_the_spread_and_the_correlation_that_it_is_named_for() {
        let (mean, spread, correlation) = moments(Noise::Independent);
        assert!(mean.abs() < 2e-4 && (spread - 0.02).abs() < 2e-4 && correlation.abs() < 0.01);
        let (mean, spread, correlation) = moments(Noise::CORRELATED);
        assert!(mean.abs() < 4e-4 && (spread - 0.02).abs() < 4e-4 && (correlation - 0.5).abs() < 0.01);
    }

    #[test]
    fn the_drift_takes_its_part_from_the_first_sample_to_the_last_and_the_steal_its_time() {
        let mut machine = Machine::new(Noise::DRIFTING, Random::new(5), 100_000);
        let rates: Vec<f64> = (0..100_000).map(|_| machine.sample()).collect();
        let mean = |rates: &[f64]| rates.iter().sum::<f64>() / 1000.0;
        assert!((mean(&rates[..1000]) - mean(&rates[99_000..]) - 0.05).abs() < 0.003);
        // 5 % of the time at 60 %: 2 % of all hashes are lost.
        let mut machine = Machine::new(Noise::STOLEN, Random::new(5), 1_000_000);
        let total: f64 = (0..1_000_000).map(|_| machine.sample()).sum();
        assert!((total / 1e6 - 0.98).abs() < 1e-3, "{total}");
    }
}
