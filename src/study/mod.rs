//! What hashes cost: coins, energy and money from a rate, a power and a network.

pub mod cost;
mod epochs;

pub use cost::{Cost, CostError, CostInputs, EnergyRate, Network, cost};
pub use epochs::Epochs;
