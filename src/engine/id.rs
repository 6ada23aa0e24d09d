//! Engine ids, which read as a path: `ALGORITHM/DEVICE/ENGINE[+MODE]`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stable name of an engine, such as `sha256d/cpu/sha-ni` or `randomx-v1/cpu/reference+fast`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct EngineId(String);

impl EngineId {
    /// Joins the parts of an id. `engine` may carry a mode after a plus sign.
    #[must_use]
    pub fn new(algorithm: &str, device: &str, engine: &str) -> Self {
        Self(format!("{algorithm}/{device}/{engine}"))
    }

    /// Returns the whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the proof of work that the engine computes, such as `sha256d`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.part(0)
    }

    /// Returns the device as the id spells it: a software adapter is still `gpuN` here.
    #[must_use]
    pub fn device(&self) -> &str {
        self.part(1)
    }

    /// Returns the way of computing, without the mode.
    #[must_use]
    pub fn engine(&self) -> &str {
        self.part(2).split('+').next().unwrap_or("")
    }

    /// Returns what follows the plus sign, such as `fast`.
    #[must_use]
    pub fn mode(&self) -> Option<&str> {
        self.part(2).split_once('+').map(|(_, mode)| mode)
    }

    /// Tells whether the engine rolls versions (BIP 320) as well as nonces.
    #[must_use]
    pub fn is_rolled(&self) -> bool {
        self.mode() == Some("rolled")
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(3, '/').nth(index).unwrap_or("")
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_apart_into_its_parts() {
        let id = EngineId::new("randomx-v1", "cpu", "reference+fast");
        assert_eq!(id.as_str(), "randomx-v1/cpu/reference+fast");
        assert_eq!((id.algorithm(), id.device(), id.engine()), ("randomx-v1", "cpu", "reference"));
        assert_eq!(id.mode(), Some("fast"));
        assert_eq!(EngineId::new("sha256d", "gpu0", "wgsl").mode(), None);
        assert!(EngineId::new("sha256d", "gpu0", "wgsl+rolled").is_rolled() && !id.is_rolled());
    }
}
