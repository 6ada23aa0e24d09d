//! What stands for the compiler of programs where there is none for the processor or the system.

use super::cache::Cache;
use super::calibration::Interleaving;
use super::configuration::Version;
use super::dataset::Items;
use super::flight::Flight;

/// Why programs can't be compiled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("programs can't be compiled here: {0}")]
pub struct JitUnavailable(pub(super) String);

/// A compiler of programs, of which there is none.
#[derive(Debug)]
pub(super) enum Jit {}

/// How many items are computed side by side in light mode.
pub(super) const BATCH: usize = 1;

/// Says that programs can't be compiled here.
pub(super) fn check(_: Version) -> Result<(), JitUnavailable> {
    Err(JitUnavailable("that takes Linux on an x86-64 processor so far".to_owned()))
}

/// Returns how many programs to execute together on items that are computed.
pub(super) fn batch(_: &Cache, _: usize) -> usize {
    BATCH
}

impl Jit {
    /// Says that there is none.
    pub(super) fn new(version: Version, _: &Items, _: Interleaving) -> Result<Self, JitUnavailable> {
        check(version)?;
        unreachable!("they never can")
    }

    /// Can't be called.
    pub(super) fn execute(&mut self, _: &Items, _: &mut [Flight]) {
        match *self {}
    }
}
