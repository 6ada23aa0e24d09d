//! How engines on graphics adapters are set: which spelling of their kernels runs, and how long a submission takes.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::sha256d::gpu::{Choice, Choices, GpuSettings};
use crate::sha256d::wgsl::Variant;

/// The shortest submission that can be asked for: below it, the time is that of launches.
const BATCH_MIN_MS: f64 = 0.1;
/// The longest: drivers take the device away from longer ones.
const BATCH_MAX_MS: f64 = 200.0;

/// Options of engines on graphics adapters.
#[derive(Debug, Default, Args)]
pub(super) struct GpuArguments {
    /// Run the usual variant of the kernels of graphics adapters, without a trial of others (about two seconds each,
    /// the first time)
    #[arg(long)]
    pub(super) no_autotune: bool,
    /// Run this variant, such as rotation=given,addition=multiplied,workgroup=128; hashwatt tune lists all
    #[arg(long, value_name = "SPEC", conflicts_with = "no_autotune")]
    pub(super) gpu_variant: Option<Variant>,
    /// How long a submission to a graphics adapter takes, 0.1ms to 200ms [default: 30ms; 10ms where it draws a desktop]
    #[arg(long, value_name = "TIME", value_parser = batch)]
    pub(super) gpu_batch: Option<Duration>,
}

impl GpuArguments {
    /// Tells whether anything was asked for.
    pub(super) fn is_given(&self) -> bool {
        let Self { no_autotune, gpu_variant, gpu_batch } = self;
        *no_autotune || gpu_variant.is_some() || gpu_batch.is_some()
    }

    /// Returns what engines are made with.
    pub(super) fn settings(&self) -> GpuSettings {
        let choice = match self.gpu_variant {
            Some(variant) => Choice::Given(variant),
            None if self.no_autotune => Choice::Usual,
            None => Choice::Tuned,
        };
        GpuSettings { choice, batch: self.gpu_batch, choices: Arc::new(Choices::of_user()) }
    }
}

/// Returns what engines are made with where nothing is measured: what was found before is used, and nothing tried.
pub(super) fn as_found_before() -> GpuSettings {
    GpuSettings { choice: Choice::Kept, batch: None, choices: Arc::new(Choices::of_user()) }
}

fn batch(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix("ms").ok_or("expected milliseconds, such as 30ms")?;
    match number.trim().parse::<f64>() {
        Ok(ms) if (BATCH_MIN_MS..=BATCH_MAX_MS).contains(&ms) => Ok(Duration::from_secs_f64(ms / 1e3)),
        Ok(_) => Err(format!("a submission takes {BATCH_MIN_MS}ms to {BATCH_MAX_MS}ms")),
        Err(_) => Err("expected milliseconds, such as 30ms".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_in_milliseconds_and_within_bounds() {
        assert_eq!(batch("30ms"), Ok(Duration::from_millis(30)));
        assert_eq!(batch("0.1 ms"), Ok(Duration::from_micros(100)));
        for text in ["", "30", "30s", "ms", "0ms", "-1ms", "201ms", "NaNms", "infms"] {
            assert!(batch(text).is_err(), "{text}");
        }
    }
}
