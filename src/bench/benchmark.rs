//! What the samples of one engine come to, for the record.

use std::collections::BTreeMap;
use std::time::Duration;

use super::turn::Sample;
use crate::engine::SetupPart;
use crate::record::{self, DeviceRate, HitCheck, Rate};
use crate::statistics::median_interval;
use crate::verify::Checked;

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
        device_s: sample.device_time.map(|time| time.as_secs_f64()),
        energy_j: sample.energy_j,
    })
}

/// Returns what the device's own clock says of all samples: the rate while it was busy, in hashes per second, and the
/// part of the time that it was. None where it has no clock.
#[expect(clippy::cast_precision_loss, reason = "counts of hashes")]
pub(super) fn device_rate_of(turns: &[Vec<Sample>]) -> Option<DeviceRate> {
    let samples = || turns.iter().flatten();
    let device_s = samples().map(|sample| sample.device_time).sum::<Option<Duration>>()?.as_secs_f64();
    let hashes: u64 = samples().map(|sample| sample.hashes).sum();
    (device_s > 0.0).then(|| DeviceRate {
        rate_hps: hashes as f64 / device_s,
        busy_fraction: device_s / duration_of(samples()).as_secs_f64(),
    })
}

/// Writes down how many hits there were.
pub(super) fn hits_to_record(checked: &Checked) -> HitCheck {
    let Checked { hit_count, planted, .. } = checked;
    HitCheck {
        zero_bits: hit_count.zero_bits,
        hashes: hit_count.hashes,
        hits: hit_count.hits,
        expected: hit_count.expected(),
        z_score: hit_count.z_score(),
        planted: *planted,
    }
}
