//! What determines the cost of a coin, and whether it makes sense.

use super::CostError;
use crate::coin::history::{Basis, Growth, History, HistoryError, Stretch, Window};
use crate::coin::{Coin, NetworkPoint, Proof, proof_at, proofs};
use crate::interval::Interval;

/// The price of electricity that is taken where none is given, per kWh: what studies of mining commonly assume (USD).
pub const DEFAULT_PRICE_KWH: f64 = 0.05;

/// The window that is taken where none is given, in days.
pub const DEFAULT_WINDOW_DAYS: f64 = 1.0;

const DAYS_PER_YEAR: f64 = 365.25;

/// What one machine draws, in the form in which it is known. Gross: with all that the meter covers, idle power too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EnergyRate {
    /// Watts while it computes.
    PowerW(Interval),
    /// Joules for each hash.
    JoulesPerHash(Interval),
}

impl EnergyRate {
    /// Returns the watts at a rate.
    pub fn power_w(self, rate_hps: Interval) -> Interval {
        match self {
            Self::PowerW(watts) => watts,
            Self::JoulesPerHash(joules) => joules.scaled(rate_hps.value),
        }
    }
}

/// What a machine costs, spread over its life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capital {
    /// The price of one machine.
    pub price: f64,
    /// How many years it serves.
    pub life_years: f64,
    /// The yearly discount rate, a fraction.
    pub discount: f64,
}

impl Capital {
    /// What one machine costs a day: its price times the capital recovery factor `r / (1 - (1 + r)^-n)` a year, or the
    /// price over its life where there is no discount.
    pub fn per_day(&self) -> f64 {
        let recovery = if self.discount == 0.0 {
            1.0 / self.life_years
        } else {
            self.discount / -(-self.life_years * self.discount.ln_1p()).exp_m1()
        };
        self.price * recovery / DAYS_PER_YEAR
    }
}

/// What the network asks for a block and pays for it while the machines compute.
#[derive(Debug, Clone, PartialEq)]
pub enum Network {
    /// The figures of one moment, held for some days.
    Point {
        /// The figures.
        point: NetworkPoint,
        /// For how many days.
        days: f64,
    },
    /// A window, stretch by stretch.
    Window {
        /// The coin.
        coin: Coin,
        /// The days.
        window: Window,
        /// What the network asked and paid, in order of time; not empty.
        stretches: Vec<Stretch>,
        /// Where these figures come from, in words.
        source: String,
    },
}

impl Network {
    /// A window of history. Past its end the difficulty has to grow as said.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] where the history doesn't cover the window.
    pub fn over(history: &History, window: Window, growth: Option<Growth>) -> Result<Self, HistoryError> {
        let coin = history.coin();
        let stretches = history.stretches(window, growth)?;
        let assumed = match growth {
            Some(growth) if stretches.iter().any(|stretch| stretch.basis == Basis::Assumed) => {
                format!("; {growth} assumed after {}", history.last_day())
            }
            _ => String::new(),
        };
        let source = match coin {
            Coin::Btc => "built in: Bitcoin's epochs",
            Coin::Xmr => "built in: Monero's checkpoints",
        };
        Ok(Self::Window { coin, window, stretches, source: format!("{source}{assumed}") })
    }

    /// A window at one difficulty, whatever the history says.
    ///
    /// # Errors
    ///
    /// [`HistoryError::BeforeChain`].
    pub fn held(history: &History, window: Window, point: &NetworkPoint) -> Result<Self, HistoryError> {
        let stretches = history.stretches_at(window, point)?;
        Ok(Self::Window { coin: point.coin, window, stretches, source: point.source.clone() })
    }

    /// The coin.
    pub const fn coin(&self) -> Coin {
        match self {
            Self::Point { point, .. } => point.coin,
            Self::Window { coin, .. } => *coin,
        }
    }

    /// How long the machines compute, in days.
    pub fn days(&self) -> f64 {
        match self {
            Self::Point { days, .. } => *days,
            // The chain's first day is shorter than 24 h.
            Self::Window { stretches, .. } => stretches.iter().map(Stretch::seconds).sum::<f64>() / 86_400.0,
        }
    }

    /// The proofs of work of all blocks in question, in order.
    pub fn proofs(&self) -> Vec<Proof> {
        match self {
            Self::Point { point, .. } => vec![proof_at(point.coin, point.height.unwrap_or(u64::MAX))],
            Self::Window { coin, stretches, .. } => {
                let (first, last) = (stretches.first(), stretches.last());
                let begun = first.map_or(0, |stretch| proof_at(*coin, stretch.height).from_height);
                let last = last.map_or(0, |stretch| stretch.height);
                let within = |proof: &&Proof| (begun..=last).contains(&proof.from_height);
                proofs(*coin).iter().filter(within).copied().collect()
            }
        }
    }
}

/// All that determines the cost of a coin.
#[derive(Debug, Clone, PartialEq)]
pub struct CostInputs {
    /// What the rate is a rate of, such as `sha256d`.
    pub algorithm: String,
    /// What the machine is called, where its figures come from a catalogue or a record.
    pub machine: Option<String>,
    /// Hashes per second of one machine.
    pub rate_hps: Interval,
    /// What one machine draws, where it is known.
    pub energy: Option<EnergyRate>,
    /// How many such machines compute.
    pub count: u32,
    /// What the network asks for a block and pays for it.
    pub network: Network,
    /// Price of electricity per kWh, in `currency`.
    pub price_kwh: f64,
    /// The currency of all prices, such as `USD`.
    pub currency: String,
    /// Price of one coin, in `currency`, where it is known.
    pub coin_price: Option<f64>,
    /// Power usage effectiveness: what the site draws for each watt of the machines, from 1 on.
    pub pue: f64,
    /// What the pool keeps, a fraction below 1.
    pub pool_fee: f64,
    /// The part of the work that comes too late to be paid, a fraction below 1.
    pub stale: f64,
    /// The fees of transactions that a block pays on top, as a fraction of its subsidy.
    pub fees: f64,
    /// From how many coins on the pool pays out.
    pub payout_threshold: Option<f64>,
    /// What the machines cost, where it is to count.
    pub capital: Option<Capital>,
}

impl CostInputs {
    /// One machine that mines without a pool, at the default price of electricity and the price of no coin.
    pub fn new(algorithm: impl Into<String>, rate_hps: Interval, network: Network) -> Self {
        Self {
            algorithm: algorithm.into(),
            machine: None,
            rate_hps,
            energy: None,
            count: 1,
            network,
            price_kwh: DEFAULT_PRICE_KWH,
            currency: "USD".to_owned(),
            coin_price: None,
            pue: 1.0,
            pool_fee: 0.0,
            stale: 0.0,
            fees: 0.0,
            payout_threshold: None,
            capital: None,
        }
    }

    /// The part of a block's subsidy that reaches the owner, and more than that where fees come on top.
    pub(super) fn paid_share(&self) -> f64 {
        (1.0 + self.fees) * (1.0 - self.pool_fee) * (1.0 - self.stale)
    }

    /// What all machines cost over the window, where that is to count.
    pub(super) fn capital_cost(&self) -> Option<f64> {
        self.capital.map(|capital| capital.per_day() * self.network.days() * f64::from(self.count))
    }

    /// Checks that the inputs are possible, one by one.
    pub(super) fn check(&self) -> Result<(), CostError> {
        self.check_algorithm()?;
        check_interval("hash rate in H/s", self.rate_hps)?;
        match self.energy {
            Some(EnergyRate::PowerW(power_w)) => check_interval("power in W", power_w)?,
            Some(EnergyRate::JoulesPerHash(joules)) => check_interval("energy in J per hash", joules)?,
            None => {}
        }
        if self.count == 0 {
            return Err(CostError::Value { name: "count", value: 0.0, reason: "must be at least 1" });
        }
        let above_zero = |value: f64| value.is_finite() && value > 0.0;
        let zero_or_above = |value: f64| value.is_finite() && value >= 0.0;
        let refuse = |name, value, reason| Err(CostError::Value { name, value, reason });
        let days = self.network.days();
        if !above_zero(days) {
            return refuse("window in days", days, "must be above zero");
        }
        // A price may be zero: power that costs nothing, a coin that nobody buys.
        let prices = [
            ("price per kWh", Some(self.price_kwh)),
            ("coin price", self.coin_price),
            ("price of a machine", self.capital.map(|capital| capital.price)),
            ("discount rate", self.capital.map(|capital| capital.discount)),
            ("fees as a fraction of the subsidy", Some(self.fees)),
        ];
        for (name, price) in prices {
            match price {
                Some(value) if !zero_or_above(value) => return refuse(name, value, "must be zero or above"),
                _ => {}
            }
        }
        for (name, fraction) in [("pool fee", self.pool_fee), ("stale part", self.stale)] {
            if !(0.0..1.0).contains(&fraction) {
                return refuse(name, fraction, "must be a fraction from 0 to below 1");
            }
        }
        if !(self.pue.is_finite() && self.pue >= 1.0) {
            return refuse("PUE", self.pue, "must be 1 or above: a site draws what its machines draw, and more");
        }
        let positive = [
            ("payout threshold", self.payout_threshold),
            ("life in years", self.capital.map(|capital| capital.life_years)),
        ];
        match positive.into_iter().find_map(|(name, value)| Some((name, value.filter(|value| !above_zero(*value))?))) {
            Some((name, value)) => refuse(name, value, "must be above zero"),
            None => Ok(()),
        }
    }

    fn check_algorithm(&self) -> Result<(), CostError> {
        let proofs = self.network.proofs();
        let (coin, algorithm) = (self.network.coin(), self.algorithm.clone());
        let mut needed: Vec<&str> = proofs.iter().map(|proof| proof.algorithm).collect();
        needed.dedup();
        match needed[..] {
            [one] if one == algorithm => Ok(()),
            [one] => Err(CostError::Algorithm { algorithm, coin, needed: one, when: self.when() }),
            _ => {
                let until = proofs.iter().find(|proof| proof.algorithm != needed[0]).map_or(0, |p| p.from_height);
                let (before, after) = (needed.first().copied(), needed.last().copied());
                let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
                Err(CostError::AlgorithmChanges { coin, before, after, height: until })
            }
        }
    }

    /// Words which blocks are meant, for errors: nothing for those of today.
    fn when(&self) -> String {
        match &self.network {
            Network::Point { point, .. } => match point.height {
                Some(height) if proof_at(point.coin, height) != proof_at(point.coin, u64::MAX) => {
                    format!(" at height {height}")
                }
                _ => String::new(),
            },
            Network::Window { window, .. } => format!(" from {} to {}", window.from(), window.to()),
        }
    }
}

fn check_interval(name: &'static str, interval: Interval) -> Result<(), CostError> {
    let Interval { value, low, high } = interval;
    if !(value.is_finite() && value > 0.0) {
        return Err(CostError::Value { name, value, reason: "must be above zero" });
    }
    let refuse = |reason| Err(CostError::Interval { name, value, low, high, reason });
    if !interval.is_ordered() {
        return refuse("the ends must be finite and enclose the value");
    }
    if low <= 0.0 {
        return refuse("the lower end must be above zero");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_is_recovered_over_a_life() {
        // 0.08 / (1 - 1.08^-3) = 0.388033513...
        let per_day = Capital { price: 1500.0, life_years: 3.0, discount: 0.08 }.per_day();
        assert!((per_day * 365.25 / 1500.0 / 0.388_033_514 - 1.0).abs() < 1e-8, "{per_day}");
        let straight = Capital { price: 1500.0, life_years: 3.0, discount: 0.0 }.per_day();
        assert!((straight * 365.25 - 500.0).abs() < 1e-9);
        // A tiny discount is close to none.
        let tiny = Capital { price: 1500.0, life_years: 3.0, discount: 1e-12 }.per_day();
        assert!((tiny / straight - 1.0).abs() < 1e-9);
    }
}
