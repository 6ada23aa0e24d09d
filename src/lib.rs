//! hashwatt measures what a hash costs on this machine, in time and in joules, and turns that into what a coin costs.
//!
//! ```text
//! Engine  --batches-->  Bench  --samples-->  Record (JSON file)  -->  compare | cost | study | report
//!           Meter  --joules--^                    ^
//!           Machine  --description----------------|
//! ```
//!
//! `docs/ARCHITECTURE.md` tells where each part lives and which way the arrows point.

pub mod bench;
pub mod cli;
pub mod clock;
pub mod coin;
pub mod cpu;
pub mod device;
pub mod energy;
pub mod engine;
pub mod gpu;
pub mod interval;
pub mod machine;
pub mod pages;
pub mod quantity;
mod random;
pub mod randomx;
pub mod record;
pub mod registry;
pub mod report;
pub mod sha256d;
pub mod statistics;
pub mod study;
pub mod sysroot;
pub mod traffic;
pub mod unavailable;
pub mod verify;
