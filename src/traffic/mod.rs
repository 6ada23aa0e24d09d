//! From observed traffic to bounds on connections, machines, hash rate and coins.
//!
//! A count of something says little by itself. Each explanation of it says what one connection would show; held against
//! the count, that gives connections, machines, a hash rate and coins, or the reason why there is no bound.
//!
//! Records that others took say more: flow records show which endpoints look like mining, and how often they send a
//! share; captures and transcripts show difficulties and shares themselves.

pub mod capture;
mod error;
pub mod escape;
mod explain;
mod file;
mod flow;
pub mod flows;
mod garwood;
mod hypothesis;
mod infer;
pub mod input;
mod narrow;
mod network;
mod observation;
mod pool;
mod shares;
pub mod stratum;
mod summary;

pub use error::TrafficError;
pub use file::{NamedObservation, parse_observations};
pub use flow::FlowTimeouts;
pub use garwood::{garwood, silence};
pub use hypothesis::{Connections, Ends, Hypothesis, Machines, Rate};
pub use infer::{Inference, NetworkFigures, ObservationFigures, explanations, infer};
pub use narrow::ExtraObservation;
pub use network::{Earnings, Representative};
pub use observation::{Count, Observation, Peer, Per, Unit};
pub use pool::{PoolProgram, parse_pool, pool_programs};
pub use shares::{KnownShares, hashes_per_difficulty};
