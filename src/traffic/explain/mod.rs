//! Explanations of traffic, one file for each kind.

mod node;
mod polling;
mod pooled;
mod proxy;
mod stratum;

use super::hypothesis::{Context, Draft, Hypothesis};
use super::observation::{Observation, Unit};
use super::pool::{PoolProgram, programs_of_the_time};

/// The time between two jobs where a pool program doesn't say it, in seconds: what those that do have.
pub(super) const NOTIFY_S: (f64, f64) = (30.0, 60.0);

/// The most packets that a short connection has in one direction, its beginning and its end included.
const SHORT_PACKETS: f64 = 12.0;

/// Every explanation, held against the count.
pub(super) fn hypotheses(context: &Context<'_>) -> Vec<Hypothesis> {
    let observation = context.observation;
    let programs = programs(observation);
    let units: Vec<Unit> = match observation.unit {
        Unit::Unknown => Unit::KNOWN.to_vec(),
        unit => vec![unit],
    };
    let mut drafts: Vec<Draft> = Vec::new();
    for &unit in &units {
        match unit {
            Unit::Share => drafts.extend(pooled::drafts(observation, &programs)),
            unit => {
                drafts.push(stratum::draft(observation, &programs, unit));
                drafts.extend(polling::drafts(observation, unit));
            }
        }
    }
    let mut hypotheses: Vec<Hypothesis> = drafts.into_iter().map(|draft| draft.judge(context)).collect();
    hypotheses.extend(node::hypotheses(context, &units));
    hypotheses.extend(proxy::hypothesis(context, &hypotheses));
    hypotheses
}

/// The pool programs in question: the one that is known, or all of the coin and the time.
pub(super) fn programs(observation: &Observation) -> Vec<PoolProgram> {
    match &observation.pool {
        Some(program) => vec![program.clone()],
        None => programs_of_the_time(observation.coin, observation.window),
    }
}

/// The part of flows or connections of so many packets that shows at all where one packet in `sampling` is looked at.
fn seen(packets: f64, sampling: u32) -> f64 {
    -(packets * (-1.0 / f64::from(sampling)).ln_1p()).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_sees_what_it_looks_at() {
        assert_eq!(seen(1.0, 1), 1.0);
        assert!((seen(1.0, 1000) - 0.001).abs() < 1e-15);
        // 1 - 0.999^12.
        assert!((seen(12.0, 1000) - 0.011_934_219_505_791_1).abs() < 1e-12, "{}", seen(12.0, 1000));
    }
}
