//! From observed traffic to bounds on connections, machines, hash rate and coins.

mod garwood;

pub use garwood::{garwood, silence};
