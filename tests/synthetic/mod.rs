//! Traffic that miners of known rate would make: behind pools of each kind, behind proxies, and nodes that don't mine.
//!
//! Event by event, so that nothing here shares a formula with the program.

#![allow(dead_code, reason = "each test file uses its own part of this")]

/// Numbers that look random and are the same for the same seed: splitmix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number whose logarithm is spread evenly.
    pub(crate) fn logarithmic(&mut self, low: f64, high: f64) -> f64 {
        low * (self.uniform() * (high / low).ln()).exp()
    }

    /// A whole number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.uniform() * end as f64) as usize).min(end - 1)
    }

    /// One of several.
    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// The time to the next of events that come at random, in the unit of 1 / `rate`.
    fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.uniform()).ln() / rate
    }
}

/// When events come that have no memory, in seconds from the start.
pub(crate) fn arrivals(chance: &mut Chance, per_second: f64, seconds: f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut time = chance.wait(per_second);
    while time < seconds {
        times.push(time);
        time += chance.wait(per_second);
    }
    times
}

/// When a clock strikes, from a random moment of its first period on.
pub(crate) fn ticks(chance: &mut Chance, period_s: f64, seconds: f64) -> Vec<f64> {
    let first = chance.uniform() * period_s;
    let count = ((seconds - first) / period_s).ceil().max(0.0) as usize;
    (0..count).map(|tick| first + tick as f64 * period_s).collect()
}

/// How many of some events are seen where each is looked at with a chance of one in `sampling`.
pub(crate) fn thinned(chance: &mut Chance, events: usize, sampling: u32) -> u64 {
    (0..events).filter(|_| chance.uniform() * f64::from(sampling) < 1.0).count() as u64
}

/// Shares of all miners behind one connection, whose rates in H/s add up.
pub(crate) fn proxied_shares(chance: &mut Chance, rates_hps: &[f64], hashes_per_share: f64, seconds: f64) -> usize {
    rates_hps.iter().map(|rate| arrivals(chance, rate / hashes_per_share, seconds).len()).sum()
}

/// A stretch of time with one difficulty: what a parser of Stratum hands over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) difficulty: f64,
    pub(crate) shares: u64,
    pub(crate) seconds: f64,
}

/// A pool that sets the difficulty anew at even times, by the shares since the last: no more than four times either
/// way, and not below a least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vardiff {
    pub(crate) seconds_per_share: f64,
    pub(crate) retarget_s: f64,
    pub(crate) least: f64,
    /// What deviation from the aimed rate it leaves alone.
    pub(crate) tolerance: f64,
}

impl Vardiff {
    /// Lets a miner work for some time, beginning at `difficulty`.
    pub(crate) fn run(
        self,
        chance: &mut Chance,
        rate_hps: f64,
        hashes_per_difficulty: f64,
        mut difficulty: f64,
        seconds: f64,
    ) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut left = seconds;
        while left > 0.0 {
            let seconds = left.min(self.retarget_s);
            let shares = arrivals(chance, rate_hps / (difficulty * hashes_per_difficulty), seconds).len() as u64;
            stretches.push(Stretch { difficulty, shares, seconds });
            let factor = (shares as f64 * self.seconds_per_share / seconds).clamp(0.25, 4.0);
            if (factor - 1.0).abs() > self.tolerance {
                difficulty = (difficulty * factor).max(self.least);
            }
            left -= seconds;
        }
        stretches
    }
}

/// Flow records that an exporter writes over messages in order of time.
pub(crate) fn flow_records(times: &[f64], active_s: f64, inactive_s: f64) -> u64 {
    let (mut records, mut start, mut last) = (0, f64::NEG_INFINITY, f64::NEG_INFINITY);
    for &time in times {
        if time - last > inactive_s || time - start > active_s {
            records += 1;
            start = time;
        }
        last = time;
    }
    records
}

/// Messages of one connection to a pool, one direction: jobs by the clock, shares at random.
pub(crate) fn connection(chance: &mut Chance, share_per_s: f64, notify_s: f64, seconds: f64) -> Vec<f64> {
    let mut times = arrivals(chance, share_per_s, seconds);
    times.extend(ticks(chance, notify_s, seconds));
    times.sort_by(f64::total_cmp);
    times
}

/// Connections that a node of Bitcoin begins without mining: a try every two minutes in the mean, of which some are
/// answered, and those that stay.
pub(crate) fn node_connections(chance: &mut Chance, answered: f64, days: f64) -> u64 {
    let tries = arrivals(chance, 1.0 / 120.0, days * 86_400.0).len();
    let answered = (0..tries).filter(|_| chance.uniform() < answered).count() as u64;
    answered + (8.0 * days) as u64
}
