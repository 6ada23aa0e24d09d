//! What one more observation would say: each that could be made is tried with all that it could turn out to be.

use serde::Serialize;

use super::explain;
use super::flow::FlowTimeouts;
use super::hypothesis::{Context, Hypothesis};
use super::network::{Earnings, Representative};
use super::observation::{Count, Observation, Peer, Unit};
use super::pool::pool_programs;
use super::shares::hashes_per_difficulty;

/// One more observation, and by how much it would narrow the hash rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExtraObservation {
    /// What it is.
    pub what: &'static str,
    /// The option that takes it.
    pub option: &'static str,
    /// How many outcomes were tried that anything fits.
    pub outcomes: usize,
    /// Highest over lowest hash rate that would be left: the geometric mean over the outcomes.
    pub factor_left: f64,
}

/// What stays open: the highest over the lowest hash rate of any explanation that fits. No rate is taken to be above
/// the whole network's or below that of the slowest machine. `None` where nothing that fits mines.
pub(super) fn factor_open(hypotheses: &[Hypothesis], earnings: &Earnings) -> Option<f64> {
    let (least, most) = (earnings.slowest_hps(), earnings.network_hps);
    let is_mining = |hypothesis: &&Hypothesis| hypothesis.consistent && hypothesis.hash_rate_hps.high != Some(0.0);
    let ends = |hypothesis: &Hypothesis| {
        let rate = hypothesis.hash_rate_hps;
        let high = rate.high.map_or(most, |high| high.clamp(least.min(most), most));
        (rate.low.map_or(least, |low| low.max(least)).min(high), high)
    };
    let hull = hypotheses.iter().filter(is_mining).map(ends).reduce(|(a, b), (low, high)| (a.min(low), b.max(high)));
    hull.map(|(low, high)| high / low)
}

/// Every observation that could be added, the most telling first.
pub(super) fn extra_observations(
    observation: &Observation,
    earnings: &Earnings,
    machines: &[Representative],
) -> Vec<ExtraObservation> {
    let mut extras: Vec<ExtraObservation> = candidates(observation, earnings)
        .into_iter()
        .filter_map(|(what, option, outcomes)| {
            let decades: Vec<f64> = outcomes
                .iter()
                .filter_map(|outcome| {
                    let context = Context { observation: outcome, earnings, machines, mean: outcome.mean_per_day() };
                    let hypotheses = explain::hypotheses(&context);
                    let fits = hypotheses.iter().any(|hypothesis| hypothesis.consistent);
                    // Where nothing that is left mines, the rate is known: none.
                    fits.then(|| factor_open(&hypotheses, earnings).map_or(0.0, f64::log10))
                })
                .collect();
            let mean = decades.iter().sum::<f64>() / decades.len() as f64;
            (!decades.is_empty()).then(|| ExtraObservation {
                what,
                option,
                outcomes: decades.len(),
                factor_left: 10_f64.powf(mean),
            })
        })
        .collect();
    extras.sort_by(|a, b| a.factor_left.total_cmp(&b.factor_left));
    extras
}

/// What could be observed, the option that takes it, and the observations that it could lead to.
type Candidate = (&'static str, &'static str, Vec<Observation>);

fn candidates(observation: &Observation, earnings: &Earnings) -> Vec<Candidate> {
    let with = |change: &dyn Fn(&mut Observation)| {
        let mut changed = observation.clone();
        change(&mut changed);
        changed
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    if observation.unit == Unit::Unknown {
        let outcomes = Unit::KNOWN.iter().map(|unit| with(&|changed| changed.unit = *unit)).collect();
        candidates.push(("what was counted: shares, packets, flow records or connections", "--unit", outcomes));
    }
    let peer = observation.known_peer();
    let may_be_pool = !matches!(peer, Some(Peer::Node | Peer::Rpc));
    let has_difficulty =
        observation.share_difficulty.is_some() || observation.pool.as_ref().is_some_and(|pool| pool.fixed.is_some());
    if may_be_pool && !has_difficulty {
        let outcomes = difficulties(earnings).map(|difficulty| {
            with(&|changed| {
                changed.share_difficulty = Some(difficulty);
            })
        });
        let what = "the difficulty of the shares, from one message of a plaintext connection";
        candidates.push((what, "--share-difficulty", outcomes.collect()));
    }
    if may_be_pool && observation.pool.is_none() {
        let outcomes = pool_programs(observation.coin)
            .into_iter()
            .filter(|program| program.fixed.is_none() || observation.share_difficulty.is_none())
            .map(|program| with(&|changed| changed.pool = Some(program.clone())));
        candidates.push(("which pool it is", "--pool", outcomes.collect()));
    }
    if peer.is_none() {
        let is_possible = |peer: &Peer| *peer == Peer::Pool || observation.pool.is_none();
        let peers = [Peer::Pool, Peer::Node, Peer::Rpc].into_iter().filter(is_possible);
        let outcomes = peers.map(|peer| with(&|changed| changed.peer = Some(peer))).collect();
        candidates.push((
            "who is at the other end: a pool, nodes of the network, or a node asked for work",
            "--peer",
            outcomes,
        ));
    }
    if observation.timeouts.is_none() && matches!(observation.unit, Unit::Flow | Unit::Unknown) {
        let outcomes = FlowTimeouts::COMMON.iter().map(|known| with(&|changed| changed.timeouts = Some(*known)));
        candidates.push(("the time-outs of the exporter of flow records", "--flow-timeouts", outcomes.collect()));
    }
    if !observation.count.is_exact() {
        let Count { low, high } = observation.count;
        let middle = (low.max(1) as f64 * high as f64).sqrt() as u64;
        let outcomes = [low, middle, high].map(|count| with(&|changed| changed.count = Count::exactly(count)));
        candidates.push(("the count itself, in place of a range", "--count", outcomes.to_vec()));
    }
    candidates
}

/// Difficulties that a share may have: a decade apart, from 1 to that of a block.
fn difficulties(earnings: &Earnings) -> impl Iterator<Item = f64> {
    let block = earnings.hashes_per_block() / hashes_per_difficulty(earnings.coin);
    std::iter::successors(Some(1.0), |difficulty| Some(difficulty * 10.0)).take_while(move |d| *d <= block.max(1.0))
}
