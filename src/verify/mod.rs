//! Whether engines compute what they should: known answers before the clock starts, and checks of the work that was
//! timed.

mod known_answers;
mod oracle;
mod timed;

pub use self::known_answers::{KnownAnswer, known_answers, self_test};
pub use self::oracle::Oracle;
pub use self::timed::{Checked, HitCount, TimedWork};

use std::fmt;

use crate::engine::{Engine, EngineError, EngineId, Hash, HitFilter};

/// An engine computed something wrong: the end of the run, with everything that is needed to look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongHash {
    /// The engine.
    pub id: EngineId,
    /// What was checked, such as `known answer upstream test 1a`.
    pub check: String,
    /// The input, or the key and the range of nonces.
    pub input: String,
    /// What it should have been.
    pub expected: String,
    /// What the engine said.
    pub computed: String,
    /// Who says so.
    pub verified_by: String,
}

impl WrongHash {
    /// Says that `engine` reported a hit where the filter doesn't admit the `hash` of the input.
    #[must_use]
    pub fn hit(
        engine: &dyn Engine,
        check: &str,
        input: &[u8],
        hash: &Hash,
        filter: HitFilter,
        verified_by: &str,
    ) -> Self {
        Self {
            id: engine.id().clone(),
            check: check.to_owned(),
            input: const_hex::encode(input),
            expected: format!("no hit: {}", const_hex::encode(hash)),
            computed: format!("a hash with {} leading zero bits", filter.zero_bits()),
            verified_by: verified_by.to_owned(),
        }
    }
}

impl fmt::Display for WrongHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} computed a wrong hash ({})", self.id, self.check)?;
        writeln!(f, "  input     {}", self.input)?;
        writeln!(f, "  expected  {}", self.expected)?;
        writeln!(f, "  computed  {}", self.computed)?;
        write!(f, "  according to {}", self.verified_by)
    }
}

impl std::error::Error for WrongHash {}

/// Why a check didn't pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The engine computed something wrong.
    #[error(transparent)]
    Wrong(Box<WrongHash>),
    /// The check itself could not be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<WrongHash> for VerifyError {
    fn from(wrong: WrongHash) -> Self {
        Self::Wrong(Box::new(wrong))
    }
}
