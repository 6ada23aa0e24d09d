//! What records come to: coins, energy and money from a rate, a power and a network; and what one says of another.

mod comparison;
mod cost;

pub use comparison::{Comparison, Difference, EnergyPair, Pair, Run, Unpaired};
pub use cost::{
    Coins, Cost, CostError, CostInputs, DEFAULT_PRICE_KWH, DEFAULT_WINDOW_DAYS, EnergyRate, InputFigures, Range, Solo,
    cost,
};
