//! The checkpoints that the wallet Electrum ships: for each 2016 blocks the hash of the last one, and the target of the
//! next 2016.

use ruint::aliases::U256;

use super::HistoryError;
use crate::coin::bitcoin::Target;

/// Reads Electrum's `checkpoints.json`: the target of entry `i` (from 0) applies from height `2016 (i + 1)` on.
pub(super) fn targets(text: &str) -> Result<Vec<Target>, HistoryError> {
    let form = |error: serde_json::Error| HistoryError::Form(format!("it is no checkpoints.json of Electrum: {error}"));
    // A target has up to 78 digits, but only 24 bits that aren't zero: a float that was read without an error is exact.
    let entries: Vec<(String, f64)> = serde_json::from_str(text).map_err(form)?;
    let target = |(index, (_, number)): (usize, (String, f64))| {
        let refuse = |reason: String| HistoryError::Entry { entry: index + 1, reason };
        let is_whole = number >= 0.0 && number.fract() == 0.0;
        let value = U256::try_from(number).ok().filter(|_| is_whole);
        let value = value.ok_or_else(|| refuse(format!("target {number:e} is no whole number of 256 bits")))?;
        let target: Target =
            format!("{value:064x}").parse().map_err(|error: crate::coin::CoinError| refuse(error.to_string()))?;
        let as_blocks_hold_it = Target::try_from(target.to_compact()).map_err(|error| refuse(error.to_string()))?;
        if target == as_blocks_hold_it {
            Ok(target)
        } else {
            Err(refuse(format!("target {number:e} has more digits than a block header can hold")))
        }
    };
    entries.into_iter().enumerate().map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entries_of_the_real_file_are_difficulty_1() {
        let text = r#"[["00000000693067b0e6b440bc51450b9f3850561b07f6d3c021c54fbd6abb9763",
            26959535291011309493156476344723991336010898738574164086137773096960],
            ["00000000f037ad09d0b05ee66b8c1da83030abaf909d2b1bf519c3c7d2cd3fdf",
            26959535291011309493156476344723991336010898738574164086137773096960]]"#;
        assert_eq!(targets(text).unwrap(), [Target::DIFFICULTY_1; 2]);
    }

    #[test]
    fn what_is_no_list_of_targets_is_refused() {
        for (text, reason) in [
            ("[1]", "no checkpoints.json of Electrum"),
            ("[[\"00\", 5", "no checkpoints.json of Electrum"),
            ("[[\"00\", -5]]", "entry 1: target -5e0 is no whole number"),
            ("[[\"00\", 5], [\"00\", \"x\"]]", "no checkpoints.json of Electrum"),
            ("[[\"00\", 1.5]]", "entry 1: target 1.5e0 is no whole number"),
            ("[[\"00\", 0]]", "is zero"),
            ("[[\"00\", 123456789012345]]", "has more digits than a block header can hold"),
        ] {
            let error = targets(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
