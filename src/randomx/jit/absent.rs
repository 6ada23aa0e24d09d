//! What stands for the compiler of programs where there is none for the processor or the system.

use super::configuration::Version;
use super::dataset::Items;
use super::interpreter::RegisterFile;
use super::memory::Line;
use super::program::ProgramBuffer;
use super::softfloat::RoundingMode;

/// Why programs can't be compiled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("programs can't be compiled here: {0}")]
pub struct JitUnavailable(pub(super) String);

/// A compiler of programs, of which there is none.
#[derive(Debug)]
pub(super) enum Jit {}

/// Says that programs can't be compiled here.
pub(super) fn check(_: Version) -> Result<(), JitUnavailable> {
    Err(JitUnavailable("that takes Linux on an x86-64 processor so far".to_owned()))
}

impl Jit {
    /// Says that there is none.
    pub(super) fn new(version: Version, _: &Items) -> Result<Self, JitUnavailable> {
        check(version)?;
        unreachable!("they never can")
    }

    /// Can't be called.
    pub(super) fn execute(
        &mut self,
        _: &ProgramBuffer,
        _: &Items,
        _: &mut [Line],
        _: &mut RoundingMode,
    ) -> RegisterFile {
        match *self {}
    }
}
