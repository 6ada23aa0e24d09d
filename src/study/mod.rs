//! What records come to: coins, energy and money from a rate, a power and a network; and what one says of another.

mod comparison;
pub mod cost;
mod epochs;
pub mod file;
mod fleet;
mod inputs;
mod outcome;
mod plan;
mod result;
mod sensitivity;
mod simulation;
pub mod values;

pub use comparison::{Comparison, Difference, EnergyPair, Pair, Run, Unpaired};
pub use cost::{Cost, CostError, CostInputs, EnergyRate, Network, cost};
pub use epochs::Epochs;
pub use fleet::{Class, Draw, Fleet};
pub use inputs::{Economics, Input, Inputs};
pub use outcome::{BreakEven, Intervals, Outcome, Terms};
pub use plan::{Case, Difficulty, Luck, Materials, Model, Plan, PriceWalk, WindowPlan};
pub use result::{CaseResult, ClassResult, StretchResult, StudyResult, WindowResult, study};
pub use sensitivity::{Effect, Figure, Sensitivity};
pub use simulation::{Measured, Percentiles, Simulated, normal_quantile, simulate};
