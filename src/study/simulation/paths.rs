//! One path after the other: what the machines bring where difficulty, price and luck went so.

use super::tables::{ENTRIES, ENTRY_BITS, Table};
use crate::random::SplitMix64;

/// The steps of one stretch.
pub(super) struct Step {
    /// Coins that reach the owner, at the difficulty that is assumed.
    pub(super) coins: f64,
    /// What the electricity costs.
    pub(super) electricity: f64,
    /// Blocks that those who share their luck can expect, at the difficulty that is assumed.
    pub(super) blocks: f64,
    /// Coins that reach the owner for each block.
    pub(super) coins_per_block: f64,
    /// The table of the price's factors; none where it stays.
    pub(super) price: Option<usize>,
    /// How often the difficulty changes before.
    pub(super) changes: u32,
}

/// All that paths are made of.
pub(super) struct Course {
    pub(super) seed: u64,
    pub(super) steps: Vec<Step>,
    /// Equally probable factors of the price, a table for each length of a step.
    pub(super) prices: Vec<Vec<f64>>,
    /// Equally probable factors of the inverse difficulty, on their own.
    pub(super) difficulties: Option<Vec<f64>>,
    /// The factors of the inverse difficulty that go with those of the price.
    pub(super) together: Option<Vec<f64>>,
    /// What the coins are worth; none where nobody says.
    pub(super) price: Option<Drawn>,
    /// The inverse of the growth beside the one that is assumed, once for each change; none where it is certain.
    pub(super) growth: Option<Vec<f64>>,
    /// Factors of all rates, and of all powers.
    pub(super) rate: Option<Vec<f64>>,
    pub(super) power: Option<Vec<f64>>,
    pub(super) has_luck: bool,
    pub(super) switch_off: bool,
}

/// A figure that is drawn once for a path.
pub(super) enum Drawn {
    Certain(f64),
    /// One of equally probable values.
    From(Vec<f64>),
}

/// What one path came to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PathResult {
    pub(super) coins: f64,
    /// Revenue less electricity.
    pub(super) margin: f64,
    /// The price at the end.
    pub(super) price: f64,
    /// The difficulty at the end, as a factor of the assumed one.
    pub(super) difficulty: f64,
}

/// Numbers of one path, by counting: no other path or seed shares its place in the sequence.
struct Numbers(SplitMix64);

impl Numbers {
    /// A path has this many numbers for each purpose.
    const PER_PATH: u32 = 32;

    fn new(seed: u64, path: u64, purpose: u64) -> Self {
        let start = SplitMix64::new(seed).bits();
        Self(SplitMix64::new(start).after(path << Self::PER_PATH | purpose << (Self::PER_PATH - 2)))
    }

    /// Returns a place in a table, and one in another.
    fn places(&mut self) -> (usize, usize) {
        let bits = self.0.bits();
        ((bits >> (u64::BITS - ENTRY_BITS)) as usize, (bits >> (u64::BITS - 2 * ENTRY_BITS)) as usize % ENTRIES)
    }

    fn one_of(&mut self, table: &Table) -> f64 {
        table[self.places().0]
    }

    /// Returns how long it takes until something comes that comes once on average.
    fn wait(&mut self) -> f64 {
        // Of 53 bits, and never 0.
        let uniform = ((self.0.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -libm::log(uniform)
    }
}

impl Course {
    /// Follows one path.
    pub(super) fn follow(&self, path: u64) -> PathResult {
        let mut once = Numbers::new(self.seed, path, 0);
        let mut draw = |table: &Option<Vec<f64>>| {
            let place = once.places().0;
            table.as_ref().map_or(1.0, |table| table[place])
        };
        let (growth, rate, power) = (draw(&self.growth), draw(&self.rate), draw(&self.power));
        let price = match &self.price {
            None => 0.0,
            Some(Drawn::Certain(price)) => *price,
            Some(Drawn::From(prices)) => once.one_of(prices),
        };
        let start = State { price, ease: 1.0 };
        if self.has_luck {
            self.walk::<true>(path, start, growth, rate, power)
        } else {
            self.walk::<false>(path, start, growth, rate, power)
        }
    }

    fn walk<const HAS_LUCK: bool>(&self, path: u64, start: State, growth: f64, rate: f64, power: f64) -> PathResult {
        let mut numbers = Numbers::new(self.seed, path, 1);
        let mut luck = Numbers::new(self.seed, path, 2);
        let State { mut price, mut ease } = start;
        let (mut coins, mut margin) = (0.0, 0.0);
        // Blocks come when what was expected since the last one has reached this.
        let mut until_block = if HAS_LUCK { luck.wait() } else { 0.0 };
        for step in &self.steps {
            let (mut with_price, mut alone) = numbers.places();
            if let Some(table) = step.price {
                price *= self.prices[table][with_price];
            }
            for change in 0..step.changes {
                if change > 0 {
                    (with_price, alone) = numbers.places();
                }
                ease *= growth;
                if let Some(together) = &self.together {
                    ease *= together[with_price];
                }
                if let Some(table) = &self.difficulties {
                    ease *= table[alone];
                }
            }
            let expected = step.coins * ease * rate;
            let electricity = step.electricity * power;
            if self.switch_off && expected * price < electricity {
                continue;
            }
            let found = if HAS_LUCK {
                let mut left = step.blocks * ease * rate;
                let mut blocks = 0.0;
                while left >= until_block {
                    left -= until_block;
                    blocks += 1.0;
                    until_block = luck.wait();
                }
                until_block -= left;
                blocks * step.coins_per_block
            } else {
                expected
            };
            coins += found;
            margin += found * price - electricity;
        }
        PathResult { coins, margin, price, difficulty: ease.recip() }
    }
}

#[derive(Clone, Copy)]
struct State {
    price: f64,
    /// The inverse of the difficulty, as a part of the assumed one's.
    ease: f64,
}
