//! Absent with a reason: what this program says instead of a zero or a guess.

use serde::{Deserialize, Serialize};

/// Why something isn't there, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What is missing, in a few words.
    pub reason: String,
    /// The command or the step that mends it; empty where nothing does.
    pub hint: String,
}
