//! The benchmark: a plan, turns of engines under the clock and the meters, and what is made of the samples.
//!
//! This module knows engines, meters and the clock through their traits, and no algorithm.

mod benchmark;
mod conditions;
mod energy;
mod estimate;
mod idle;
mod plan;
mod session;
mod turn;

pub use self::estimate::{Estimate, estimate};
pub use self::plan::{Plan, PlanError, groups};
pub use self::session::{Observer, Outcome, Session, Supplier, thread_counts};
pub use self::turn::{Calibration, Conditions, Meterings, Sample, Turn, TurnOutcome, calibrate, run_turn};
