//! How long a planned run will take.

use std::collections::BTreeMap;
use std::time::Duration;

use super::idle::SETTLE;
use super::plan::Plan;
use super::turn::{LEAD_IN_MAX, LEAD_IN_MIN};
use crate::engine::Resource;

/// How long it takes at most to check the timed work of one turn: 12 hashes of RandomX's light mode are a fifth of a
/// second.
const CHECKS_MAX: Duration = Duration::from_millis(500);
/// By how much the building of something may differ from its estimate, either way: it was measured on one processor.
const BUILD_FACTOR: f64 = 2.0;

/// How long a run will take.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The measured time of all engines.
    pub measured: Duration,
    /// At least, and at most, until rates are steady.
    pub lead_ins: (Duration, Duration),
    /// The metering of idle devices.
    pub idle: Duration,
    /// What has to be built, by name, with a rough time each.
    pub builds: BTreeMap<String, Duration>,
    /// All together, where rates are steady at once and everything is built as fast as was seen.
    pub expected: Duration,
    /// All together: at least, and at most.
    pub total: (Duration, Duration),
}

/// Estimates how long `plan` takes for so many engines in so many groups, which hold `resources`. `meters_idle` tells
/// whether idle devices are metered.
#[must_use]
pub fn estimate(plan: &Plan, engines: u32, groups: u32, resources: &[Resource], meters_idle: bool) -> Estimate {
    let builds: BTreeMap<String, Duration> = resources
        .iter()
        .filter(|resource| !resource.build.is_zero())
        .map(|resource| (resource.key.clone(), resource.build))
        .collect();
    let turns = engines * plan.rounds;
    let measured = plan.turn() * turns;
    // A calibration is a lead-in, too.
    let lead_ins = (LEAD_IN_MIN * (turns + engines), LEAD_IN_MAX * (turns + engines));
    let idle = if meters_idle { (plan.idle + SETTLE) * (2 * groups) } else { Duration::ZERO };
    let build: Duration = builds.values().sum();
    let total = (
        measured + lead_ins.0 + idle + build.div_f64(BUILD_FACTOR),
        measured + lead_ins.1 + idle + build.mul_f64(BUILD_FACTOR) + CHECKS_MAX * (turns + engines),
    );
    let expected = measured + lead_ins.0 + idle + build;
    Estimate { measured, lead_ins, idle, builds, expected, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_built_once_and_all_parts_add_up() {
        let dataset = Resource { key: "dataset".to_owned(), bytes: 1, build: Duration::from_secs(40) };
        let small = Resource { key: "small".to_owned(), bytes: 1, build: Duration::ZERO };
        let estimate = estimate(&Plan::new(30.0).unwrap(), 2, 1, &[dataset.clone(), small, dataset], true);
        let is = |duration: Duration, expected_s: f64| (duration.as_secs_f64() - expected_s).abs() < 1e-6;
        assert!(is(estimate.measured, 60.0));
        // 16 turns and 2 calibrations.
        assert!(is(estimate.lead_ins.0, 3.6) && is(estimate.lead_ins.1, 36.0));
        assert!(is(estimate.idle, 21.0));
        assert_eq!(estimate.builds.len(), 1);
        assert!(is(estimate.expected, 60.0 + 3.6 + 21.0 + 40.0));
        assert!(is(estimate.total.0, 60.0 + 3.6 + 21.0 + 20.0));
        assert!(is(estimate.total.1, 60.0 + 36.0 + 21.0 + 80.0 + 9.0));
    }
}
