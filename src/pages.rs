//! The pages of memory that something lies on, as far as the system tells.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Memory that an engine works in, and the pages it lies on. What is on neither reserved nor transparent huge pages is
/// on ordinary ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryPart {
    /// What it is, such as `randomx dataset`.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// How much of it lies on huge pages of 1 GiB that were reserved beforehand, in bytes.
    pub reserved_1gib_bytes: u64,
    /// How much of it lies on huge pages of 2 MiB that were reserved beforehand, in bytes.
    pub reserved_2mib_bytes: u64,
    /// How much of it the kernel put on huge pages of its own accord or because it was asked to, in bytes; none where
    /// nothing tells.
    pub transparent_bytes: Option<u64>,
}

impl MemoryPart {
    /// Returns how much of it lies on huge pages of any kind, from 0 to 1; none where nothing tells.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a fraction for people")]
    pub fn huge_fraction(&self) -> Option<f64> {
        let reserved = self.reserved_1gib_bytes + self.reserved_2mib_bytes;
        let rest = self.bytes.saturating_sub(reserved);
        let transparent = if rest == 0 { 0 } else { self.transparent_bytes? };
        Some((reserved.min(self.bytes) + transparent.min(rest)) as f64 / self.bytes.max(1) as f64)
    }

    /// Adds another part of the same kind, such as the scratchpad of another thread.
    pub fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.reserved_1gib_bytes += other.reserved_1gib_bytes;
        self.reserved_2mib_bytes += other.reserved_2mib_bytes;
        self.transparent_bytes = self.transparent_bytes.zip(other.transparent_bytes).map(|(a, b)| a + b);
    }
}

impl fmt::Display for MemoryPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, reserved_1gib_bytes, reserved_2mib_bytes, .. } = *self;
        if reserved_1gib_bytes >= bytes {
            return formatter.write_str("reserved pages of 1 GiB");
        }
        if reserved_1gib_bytes + reserved_2mib_bytes >= bytes {
            return formatter.write_str("reserved pages of 2 MiB");
        }
        match self.huge_fraction() {
            Some(fraction) if fraction >= MOSTLY => formatter.write_str("transparent huge pages"),
            Some(fraction) if fraction > 0.0 => write!(formatter, "huge pages for {:.0} % of it", 100.0 * fraction),
            Some(_) => formatter.write_str("ordinary pages"),
            None => formatter.write_str("pages of a size that nothing tells"),
        }
    }
}

/// The length of the usual huge page, in bytes.
pub const HUGE_2MIB_BYTES: u64 = 2 << 20;
/// From this fraction on, memory counts as lying on huge pages: its ends needn't fill one.
pub const MOSTLY: f64 = 0.95;

#[cfg(test)]
mod tests {
    use super::*;

    fn part(gib: u64, mib: u64, transparent: Option<u64>) -> MemoryPart {
        MemoryPart {
            name: "x".to_owned(),
            bytes: 1000,
            reserved_1gib_bytes: gib,
            reserved_2mib_bytes: mib,
            transparent_bytes: transparent,
        }
    }

    #[test]
    fn parts_are_worded_by_what_they_lie_on() {
        assert_eq!(part(1000, 0, Some(0)).to_string(), "reserved pages of 1 GiB");
        assert_eq!(part(0, 1000, None).to_string(), "reserved pages of 2 MiB");
        assert_eq!(part(0, 0, Some(980)).to_string(), "transparent huge pages");
        assert_eq!(part(0, 0, Some(400)).to_string(), "huge pages for 40 % of it");
        assert_eq!(part(0, 0, Some(0)).to_string(), "ordinary pages");
        assert_eq!(part(0, 0, None).to_string(), "pages of a size that nothing tells");
    }

    #[test]
    fn fractions_count_reserved_and_transparent_pages_and_sums_add_up() {
        assert_eq!(part(0, 1000, None).huge_fraction(), Some(1.0));
        assert_eq!(part(0, 0, None).huge_fraction(), None);
        let mut sum = part(0, 1000, Some(0));
        sum.add(&part(0, 0, Some(500)));
        assert_eq!((sum.bytes, sum.huge_fraction()), (2000, Some(0.75)));
    }
}
