//! What the samples of one engine come to, for the record.

use std::collections::BTreeMap;
use std::time::Duration;

use super::turn::Sample;
use crate::engine::SetupPart;
use crate::record::{self, Rate};
use crate::statistics::median_interval;

/// Returns the phases of what was built, in seconds.
pub(super) fn phases_s<'a>(parts: impl Iterator<Item = &'a SetupPart>) -> BTreeMap<String, f64> {
    parts.flat_map(|part| &part.phases).map(|(name, took)| (name.clone(), took.as_secs_f64())).collect()
}

/// Returns the rates of the samples of each turn, in hashes per second.
#[expect(clippy::cast_precision_loss, reason = "counts of hashes")]
pub(super) fn rates_of(turns: &[Vec<Sample>]) -> Vec<Vec<f64>> {
    let rate = |sample: &Sample| sample.hashes as f64 / sample.duration.as_secs_f64();
    turns.iter().map(|samples| samples.iter().map(rate).collect()).collect()
}

/// Returns the rate of an engine; none without samples.
#[expect(clippy::cast_precision_loss, reason = "counts of hashes")]
pub(super) fn rate_of(turns: &[Vec<Sample>]) -> Option<Rate> {
    let estimate = median_interval(&rates_of(turns))?;
    let hashes: u64 = turns.iter().flatten().map(|sample| sample.hashes).sum();
    Some(Rate {
        median: estimate.interval.value,
        low: estimate.interval.low,
        high: estimate.interval.high,
        confidence: estimate.confidence,
        mean: hashes as f64 / duration_of(turns.iter().flatten()).as_secs_f64(),
    })
}

/// Returns how long samples took together.
pub(super) fn duration_of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Duration {
    samples.map(|sample| sample.duration).sum()
}

/// Writes the samples of turn number `turn`.
pub(super) fn to_record(samples: Vec<Sample>, turn: u32) -> impl Iterator<Item = record::Sample> {
    samples.into_iter().map(move |sample| record::Sample {
        turn,
        start_s: sample.start.as_secs_f64(),
        duration_s: sample.duration.as_secs_f64(),
        hashes: sample.hashes,
        energy_j: sample.energy_j,
    })
}
