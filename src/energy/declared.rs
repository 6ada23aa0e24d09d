//! Declared watts: the user's own figure for a constant power, as from a meter at the wall or a data sheet.

use std::time::Duration;

use super::{Meter, MeterDescription, MeterError, Provenance};
use crate::device::Device;

/// What a declared figure covers: only the user knows.
pub(super) const COVERS: &str = "what the user's figure covers (declared, not measured)";

/// A constant power that is taken at its word.
pub(super) struct Declared {
    description: MeterDescription,
    watts: f64,
    /// The latest time that was read at, so that a clock that steps back takes no joules away.
    latest: Duration,
}

impl Declared {
    /// Opens a meter of constant `watts`; the uncertainty is a fraction of them.
    pub(super) fn new(name: String, device: Device, watts: f64, relative_uncertainty: Option<f64>) -> Self {
        let description = MeterDescription {
            name,
            device,
            provenance: Provenance::Declared,
            covers: COVERS.to_owned(),
            leaves_out: "what the user's figure leaves out".to_owned(),
            relative_uncertainty,
            quantum_s: 0.0,
        };
        Self { description, watts, latest: Duration::ZERO }
    }
}

impl Meter for Declared {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
        self.latest = self.latest.max(now);
        Ok(self.watts * self.latest.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joules_are_watts_times_seconds_and_never_decrease() {
        let mut meter = Declared::new("watts:65W@cpu".to_owned(), Device::Cpu, 65.0, Some(0.05));
        for (millis, joules) in [(0, 0.0), (500, 32.5), (1000, 65.0), (750, 65.0), (3_600_000, 234_000.0)] {
            assert_eq!(meter.read_j(Duration::from_millis(millis)).unwrap(), joules, "{millis} ms");
        }
        assert_eq!(meter.description().provenance, Provenance::Declared);
        assert_eq!(meter.description().relative_uncertainty, Some(0.05));
        assert_eq!(meter.description().quantum_s, 0.0);
    }
}
