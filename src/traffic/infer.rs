//! From an observation to what it leaves possible.

use serde::Serialize;

use super::error::TrafficError;
use super::explain;
use super::flow::FlowTimeouts;
use super::hypothesis::{Context, Ends, Hypothesis};
use super::narrow::{ExtraObservation, extra_observations, factor_open};
use super::network::Earnings;
use super::observation::{Observation, Peer, Per, Unit};
use super::summary::summary;
use crate::coin::Coin;
use crate::statistics::CONFIDENCE;

/// What was observed, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObservationFigures {
    /// The coin.
    pub coin: Coin,
    /// The count, or the range that it lies in.
    pub count: super::Count,
    /// Of what.
    pub unit: Unit,
    /// In which time.
    pub per: Per,
    /// One packet in so many was looked at.
    pub sampling: u32,
    /// The first day.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// How many days that is.
    pub days: f64,
    /// The pool, where it is known.
    pub pool: Option<String>,
    /// The difficulty of the shares, where it is known.
    pub share_difficulty: Option<f64>,
    /// The time-outs of the exporter of flow records, where they are known.
    pub flow_timeouts: Option<FlowTimeouts>,
    /// Who is at the other end, where it is known.
    pub peer: Option<Peer>,
}

/// The network over the time of the observation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkFigures {
    /// The rate of the whole network, in H/s.
    pub hash_rate_hps: f64,
    /// The expected number of hashes for one block.
    pub hashes_per_block: f64,
    /// The coins that one hash per second is expected to find in this time.
    pub coins_per_hps: f64,
    /// The proof of work.
    pub algorithm: &'static str,
    /// Where these figures come from.
    pub source: String,
}

/// What an observation leaves possible.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    /// What was observed.
    pub observation: ObservationFigures,
    /// The mean of what was seen in a day: the exact Poisson interval, sampling not undone.
    pub seen_per_day: Ends,
    /// The confidence of all intervals.
    pub confidence: f64,
    /// The network of the time.
    pub network: NetworkFigures,
    /// Each explanation.
    pub hypotheses: Vec<Hypothesis>,
    /// The highest over the lowest hash rate of what fits and mines. Where an explanation doesn't bound it, it ends at
    /// the slowest machine and at the whole network. Null where nothing that fits mines.
    pub factor_open: Option<f64>,
    /// What could be observed besides, the most telling first.
    pub extra_observations: Vec<ExtraObservation>,
    /// What all this rests on.
    pub assumptions: Vec<String>,
    /// What the observation supports, in plain words.
    pub summary: String,
}

/// Holds every explanation against an observation.
///
/// # Errors
///
/// [`TrafficError`] where the observation can't be computed with.
pub fn explanations(observation: &Observation, earnings: &Earnings) -> Result<Vec<Hypothesis>, TrafficError> {
    observation.check()?;
    Ok(explain::hypotheses(&Context { observation, earnings, mean: observation.mean_per_day() }))
}

/// Holds every explanation against an observation, and says what that comes to and what else could be observed.
///
/// # Errors
///
/// [`TrafficError`] where the observation can't be computed with.
pub fn infer(observation: &Observation, earnings: &Earnings) -> Result<Inference, TrafficError> {
    let hypotheses = explanations(observation, earnings)?;
    let mean = observation.mean_per_day();
    let factor_open = factor_open(&hypotheses, earnings);
    let extra_observations = extra_observations(observation, earnings);
    let summary = summary(observation, earnings, &hypotheses, factor_open, &extra_observations);
    Ok(Inference {
        observation: ObservationFigures {
            coin: observation.coin,
            count: observation.count,
            unit: observation.unit,
            per: observation.per,
            sampling: observation.sampling,
            from: observation.window.map(|window| window.from().to_string()),
            to: observation.window.map(|window| window.to().to_string()),
            days: observation.days(),
            pool: observation.pool.as_ref().map(|pool| pool.name.clone()),
            share_difficulty: observation.share_difficulty,
            flow_timeouts: observation.timeouts,
            peer: observation.peer,
        },
        seen_per_day: Ends::closed(mean.0, mean.1),
        confidence: CONFIDENCE,
        network: NetworkFigures {
            hash_rate_hps: earnings.network_hps,
            hashes_per_block: earnings.hashes_per_block(),
            coins_per_hps: earnings.coins_per_hps,
            algorithm: earnings.algorithm,
            source: earnings.source.clone(),
        },
        assumptions: assumptions(observation, &hypotheses),
        hypotheses,
        factor_open,
        extra_observations,
        summary,
    })
}

fn assumptions(observation: &Observation, hypotheses: &[Hypothesis]) -> Vec<String> {
    let mut assumptions = vec![
        "events come independently of each other at a mean rate that doesn't change (Poisson); what comes by the clock \
         varies less, and its intervals are too wide"
            .to_owned(),
        "what was seen is all there is: nothing went by another line, and nothing else is in the count".to_owned(),
        "machines stand for their class, are all of one kind, and hash all the time".to_owned(),
        "coins are expectations by the subsidy alone: no fees, no pool's share, no luck".to_owned(),
    ];
    if observation.per == Per::Day {
        assumptions.push(match observation.window {
            Some(_) => "the count of a day is the mean over the window".to_owned(),
            None => "no window is given: the network's figures are those built in, for one day".to_owned(),
        });
    }
    if !observation.count.is_exact() {
        assumptions.push("the true mean may lie anywhere in the range of the count".to_owned());
    }
    if observation.sampling > 1 {
        let part = observation.sampling;
        assumptions.push(format!("packets are sampled at random, one in {part}; a share is one packet"));
    }
    let is_fitting = |name: &str| hypotheses.iter().any(|h| h.consistent && h.name.starts_with(name));
    if is_fitting("share/vardiff") || is_fitting("share/floor") {
        assumptions.push("pools run with their programs' default difficulties, or higher ones".to_owned());
    }
    if observation.timeouts.is_none() && is_fitting("flow/") {
        let text = "flow records: active time-outs of 60 to 1800 s, inactive ones of 15 s and above; one record for \
                    both directions or for each";
        assumptions.push(text.to_owned());
    }
    if hypotheses.iter().any(|h| h.consistent && h.hash_rate_hps.low == Some(0.0) && h.hash_rate_hps.high != Some(0.0))
    {
        let text = "mining alone: no block of the window is theirs, and with more than 3 expected, none at all would \
                    have a chance below 5 %; coins are what such a rate earns on average, and without a block are none";
        assumptions.push(text.to_owned());
    }
    assumptions
}
