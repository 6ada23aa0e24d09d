//! What hashes cost: coins, energy and money from a rate, a power and a network.

pub mod cost;

pub use cost::{Cost, CostError, CostInputs, EnergyRate, Network, cost};
