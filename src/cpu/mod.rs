//! The processors: threads that hash, where they are pinned, the memory that is left.

pub mod affinity;
#[cfg(feature = "reference")]
pub mod floating_point;
pub mod memory;
pub mod topology;
pub mod workers;
