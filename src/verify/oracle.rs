//! Whoever hashes again what an engine hashed.

use std::fmt;

use crate::engine::{EngineError, Hash};

/// Another implementation of the same algorithm.
pub struct Oracle {
    /// Its name, as the record's `verified_by` gives it.
    pub name: String,
    /// How many hashes of timed work it may compute again in one go without making anybody wait.
    pub budget_hashes: u64,
    hash: Box<HashFunction>,
}

/// Hashes one input.
type HashFunction = dyn FnMut(&[u8]) -> Result<Hash, EngineError> + Send;

impl fmt::Debug for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oracle")
            .field("name", &self.name)
            .field("budget_hashes", &self.budget_hashes)
            .finish_non_exhaustive()
    }
}

impl Oracle {
    /// Makes an oracle of a function.
    pub fn new(
        name: impl Into<String>,
        budget_hashes: u64,
        hash: impl FnMut(&[u8]) -> Result<Hash, EngineError> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), budget_hashes, hash: Box::new(hash) }
    }

    /// Stands for nobody: only known answers speak for the engine.
    #[must_use]
    pub fn known_answers_only() -> Self {
        let nobody = |_: &[u8]| unreachable!("nobody is asked where the budget is zero");
        Self::new("known answers", 0, nobody)
    }

    /// Makes an oracle that puts what `follow` makes of an input and its hash in the place of the hash.
    #[must_use]
    pub fn followed_by(self, follow: impl Fn(&[u8], &Hash) -> Hash + Send + 'static) -> Self {
        let mut hash = self.hash;
        Self { hash: Box::new(move |input| Ok(follow(input, &hash(input)?))), ..self }
    }

    /// Tells whether there is nobody to ask.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.budget_hashes == 0
    }

    /// Hashes one input.
    ///
    /// # Errors
    ///
    /// Those of the engine behind it, if there is one.
    pub fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        (self.hash)(input)
    }
}
