//! What records come to: coins, energy and money from a rate, a power and a network; and what one says of another.

mod comparison;
pub mod cost;
mod epochs;

pub use comparison::{Comparison, Difference, EnergyPair, Pair, Run, Unpaired};
pub use cost::{Cost, CostError, CostInputs, EnergyRate, Network, cost};
pub use epochs::Epochs;
