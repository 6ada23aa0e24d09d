//! The study file: what a person asks, in TOML. Nothing here is looked up or computed; places are kept for errors.

mod error;
mod value;

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

pub use self::error::FileError;
pub(super) use self::error::nearest;
pub use self::value::{
    Correlation, Counts, Day, Figures, Kind, Part, PerEpoch, Positive, Power, Price, Pue, Rate, Share, Single, Uptime,
    Volatility, Yearly,
};
use super::inputs::{Input, Inputs};
use crate::coin::Coin;
use crate::interval::Interval;

/// How many paths are simulated where none are said.
pub const DEFAULT_PATHS: u32 = 10_000;

/// Adds the keys that may stand at the top, in a window and in a scenario to a table, and a way to take them together.
macro_rules! with_inputs {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attribute])* pub $field: $kind,)*
            price_kwh: Option<Spanned<Figures<Price>>>,
            coin_price: Option<Spanned<Figures<Price>>>,
            pue: Option<Spanned<Figures<Pue>>>,
            pool_fee: Option<Spanned<Figures<Part>>>,
            stale: Option<Spanned<Figures<Part>>>,
            fees: Option<Spanned<Figures<Share>>>,
            uptime: Option<Spanned<Figures<Uptime>>>,
            capex: Option<Spanned<Figures<Price>>>,
            life_years: Option<Spanned<Figures<Positive>>>,
            discount: Option<Spanned<Figures<Part>>>,
            fixed_cost: Option<Spanned<Figures<Price>>>,
            growth: Option<Spanned<Figures<PerEpoch>>>,
            difficulty: Option<Spanned<Figures<Positive>>>,
            switch_off: Option<bool>,
        }

        impl $name {
            /// Returns the figures that are said here.
            pub fn inputs(&self) -> Inputs {
                let lists = [
                    (Input::PriceKwh, list(self.price_kwh.as_ref())),
                    (Input::CoinPrice, list(self.coin_price.as_ref())),
                    (Input::Pue, list(self.pue.as_ref())),
                    (Input::PoolFee, list(self.pool_fee.as_ref())),
                    (Input::Stale, list(self.stale.as_ref())),
                    (Input::Fees, list(self.fees.as_ref())),
                    (Input::Uptime, list(self.uptime.as_ref())),
                    (Input::Capex, list(self.capex.as_ref())),
                    (Input::LifeYears, list(self.life_years.as_ref())),
                    (Input::Discount, list(self.discount.as_ref())),
                    (Input::FixedCost, list(self.fixed_cost.as_ref())),
                    (Input::Growth, list(self.growth.as_ref())),
                    (Input::Difficulty, list(self.difficulty.as_ref())),
                ];
                Inputs::new(lists, self.switch_off)
            }
        }
    };
}

fn list<K: Kind>(figures: Option<&Spanned<Figures<K>>>) -> Option<Vec<Interval>> {
    figures.map(|figures| figures.as_ref().0.clone())
}

with_inputs! {
    /// A whole study file.
    StudyFile {
        /// What the study is called.
        name: String,
        /// What it asks, in a few sentences.
        #[serde(default)]
        description: String,
        /// The coin of windows that don't say theirs.
        coin: Option<Spanned<Coin>>,
        /// The currency of all prices.
        #[serde(default = "usd")]
        currency: Spanned<String>,
        /// A record whose engines fleets may name, from the place of the study file.
        record: Option<PathBuf>,
        /// A file that extends Bitcoin's history.
        epochs: Option<Spanned<PathBuf>>,
        /// The days or blocks to look at.
        #[serde(default)]
        window: Vec<Spanned<WindowEntry>>,
        /// The machines.
        #[serde(default)]
        fleet: Vec<Spanned<FleetEntry>>,
        /// What else might be, side by side.
        #[serde(default)]
        scenario: Vec<Spanned<ScenarioEntry>>,
        /// The case that the verdict begins with.
        main: Option<Spanned<MainEntry>>,
        /// Simulated paths.
        monte_carlo: Option<Spanned<MonteCarloEntry>>,
        /// Ranges of inputs that have none of their own.
        sensitivity: Option<Spanned<SensitivityEntry>>,
        /// What a reader has to know.
        #[serde(default)]
        notes: Vec<String>,
    }
}

with_inputs! {
    /// A window of days, or of blocks.
    WindowEntry {
        /// What it is called; else by its days.
        name: Option<String>,
        /// The coin.
        coin: Option<Spanned<Coin>>,
        /// The first day.
        from: Option<Spanned<Day>>,
        /// The last day, which is part of it.
        to: Option<Spanned<Day>>,
        /// The first block.
        from_height: Option<Spanned<u64>>,
        /// The last block, which is part of it.
        to_height: Option<Spanned<u64>>,
    }
}

with_inputs! {
    /// Figures that differ from those above, under a name.
    ScenarioEntry {
        /// What it is called.
        name: Spanned<String>,
        /// The windows that it is for; all where none is named.
        #[serde(default)]
        windows: Vec<Spanned<String>>,
    }
}

/// Machines that work together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetEntry {
    /// What it is called; else by its machines.
    pub name: Option<String>,
    /// How many of the whole.
    pub count: Option<Counts>,
    /// The windows that it is for; all where none is named.
    #[serde(default)]
    pub windows: Vec<Spanned<String>>,
    /// Whether a study goes on without it where the record has no such engine.
    #[serde(default)]
    pub optional: bool,
    /// Machines of several classes.
    #[serde(default)]
    pub machines: Vec<Spanned<MachineEntry>>,
    machine: Option<Spanned<String>>,
    engine: Option<Spanned<String>>,
    hashrate: Option<Rate>,
    power: Option<Power>,
    capex: Option<Single<Price>>,
}

/// Machines of one class.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineEntry {
    /// How many.
    pub count: Option<Spanned<Counts>>,
    /// What it is called, where its rate is given here.
    pub name: Option<String>,
    /// A machine of the catalogue.
    pub machine: Option<Spanned<String>>,
    /// Engines of the record, of which the fastest counts.
    pub engine: Option<Spanned<String>>,
    /// The rate of one machine.
    pub hashrate: Option<Rate>,
    /// The power of one machine.
    pub power: Option<Power>,
    /// The price of one machine.
    capex: Option<Single<Price>>,
}

impl MachineEntry {
    /// Returns the price of one machine.
    pub fn capex(&self) -> Option<f64> {
        self.capex.as_ref().map(|price| price.0)
    }
}

impl FleetEntry {
    /// Returns the class that stands in the fleet's own table, where one does.
    pub fn own_class(&self) -> Option<MachineEntry> {
        let is_there = self.machine.is_some() || self.engine.is_some() || self.hashrate.is_some();
        (is_there || self.power.is_some() || self.capex.is_some()).then(|| MachineEntry {
            count: None,
            name: self.name.clone(),
            machine: self.machine.clone(),
            engine: self.engine.clone(),
            hashrate: self.hashrate,
            power: self.power,
            capex: self.capex,
        })
    }
}

/// The case that the verdict begins with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MainEntry {
    /// A fleet by its name.
    pub fleet: Option<Spanned<String>>,
    /// How many of it.
    pub count: Option<Spanned<u32>>,
    /// A scenario by its name.
    pub scenario: Option<Spanned<String>>,
}

/// Simulated paths.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonteCarloEntry {
    /// How many.
    pub paths: Option<Spanned<u32>>,
    /// What the paths are drawn by.
    #[serde(default)]
    pub seed: u64,
    /// Who finds blocks: `none` for a pool that pays each share, `solo`, or `pool`.
    pub luck: Option<Spanned<String>>,
    /// The rate of the pool that shares its blocks.
    pub pool_hashrate: Option<Rate>,
    /// How the difficulty walks past the data.
    pub difficulty: Option<Spanned<DifficultyEntry>>,
    /// How the price walks.
    pub price: Option<PriceEntry>,
    correlation: Option<Spanned<Single<Correlation>>>,
    /// Whether rates and powers are drawn from their intervals; yes, where nothing is said.
    pub measurement: Option<bool>,
}

impl MonteCarloEntry {
    /// Returns how the steps of price and difficulty hang together, with its place.
    pub fn correlation(&self) -> Option<(f64, std::ops::Range<usize>)> {
        self.correlation.as_ref().map(|spanned| (spanned.as_ref().0, spanned.span()))
    }
}

/// How the difficulty walks past the data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifficultyEntry {
    volatility: Option<Single<Volatility>>,
    /// First and last day of the history whose changes are drawn again.
    pub resample: Option<Spanned<(Day, Day)>>,
}

impl DifficultyEntry {
    /// Returns by how much the logarithm of the difficulty varies from epoch to epoch.
    pub fn volatility(&self) -> Option<f64> {
        self.volatility.as_ref().map(|volatility| volatility.0)
    }
}

/// How the price walks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceEntry {
    drift: Option<Single<Yearly>>,
    volatility: Option<Single<Volatility>>,
}

impl PriceEntry {
    /// Returns the yearly change of the median price, as a fraction.
    pub fn drift(&self) -> f64 {
        self.drift.as_ref().map_or(0.0, |drift| drift.0)
    }

    /// Returns by how much the logarithm of the price varies in a year.
    pub fn volatility(&self) -> f64 {
        self.volatility.as_ref().map_or(0.0, |volatility| volatility.0)
    }
}

with_inputs! {
    /// Ranges of inputs that have none of their own, for the sensitivity alone.
    SensitivityEntry {
        /// The factor by which rates may be off.
        rate: Option<Spanned<Figures<Positive>>>,
        /// The factor by which powers may be off.
        power: Option<Spanned<Figures<Positive>>>,
    }
}

impl SensitivityEntry {
    /// Returns all ranges that are said here.
    pub fn ranges(&self) -> Inputs {
        let factors = [(Input::Rate, list(self.rate.as_ref())), (Input::Power, list(self.power.as_ref()))];
        self.inputs().over(&Inputs::new(factors, None))
    }
}

fn usd() -> Spanned<String> {
    Spanned::new(0..0, "USD".to_owned())
}

impl StudyFile {
    /// Reads a study file.
    ///
    /// # Errors
    ///
    /// [`FileError`] with the place of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        toml::from_str(text).map_err(|error| FileError::of(text, &error))
    }
}

#[cfg(test)]
mod tests;
