//! What hashes cost: coins, energy and money from a rate, a power and a network.

mod cost;

pub use cost::{
    Coins, Cost, CostError, CostInputs, DEFAULT_PRICE_KWH, DEFAULT_WINDOW_DAYS, EnergyRate, InputFigures, Range, Solo,
    cost,
};
