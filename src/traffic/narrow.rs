//! What one more observation would say: each that could be made is tried with all that it could turn out to be.

use serde::Serialize;

use super::explain;
use super::flow::FlowTimeouts;
use super::garwood;
use super::hypothesis::{Context, Hypothesis};
use super::network::Earnings;
use super::observation::{Count, Observation, Peer, Unit};
use super::pool::{PoolProgram, programs_of_the_time};
use super::shares::hashes_per_difficulty;
use crate::statistics::CONFIDENCE;

/// One more observation, and by how much it would narrow the hash rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExtraObservation {
    /// What it is.
    pub what: &'static str,
    /// The option that takes it.
    pub option: &'static str,
    /// How many outcomes were tried that anything fits.
    pub outcomes: usize,
    /// Highest over lowest hash rate that would be left: the geometric mean over what may come of it.
    pub factor_left: f64,
}

/// What stays open: the highest over the lowest hash rate of any explanation that fits. Where one doesn't bound it, it
/// is taken to end at the whole network's above, and at that of the slowest machine below. `None` where nothing that
/// fits mines.
pub(super) fn factor_open(hypotheses: &[Hypothesis], earnings: &Earnings) -> Option<f64> {
    let is_mining = |hypothesis: &&Hypothesis| hypothesis.consistent && hypothesis.hash_rate_hps.high != Some(0.0);
    let ends = |hypothesis: &Hypothesis| {
        let rate = hypothesis.hash_rate_hps;
        let high = rate.high.unwrap_or(earnings.network_hps).min(earnings.network_hps);
        let low = rate.low.filter(|&low| low > 0.0).unwrap_or(earnings.slowest_hps());
        (low.min(high), high)
    };
    let hull = hypotheses.iter().filter(is_mining).map(ends).reduce(|(a, b), (low, high)| (a.min(low), b.max(high)));
    hull.map(|(low, high)| high / low)
}

/// Every observation that could be added, the most telling first.
pub(super) fn extra_observations(observation: &Observation, earnings: &Earnings) -> Vec<ExtraObservation> {
    let decades = |outcome: &Outcome| match outcome {
        Outcome::Known(decades) => Some(*decades),
        Outcome::Leads(outcome) => {
            let context = Context { observation: outcome, earnings, mean: outcome.mean_per_day() };
            let hypotheses = explain::hypotheses(&context);
            let fits = hypotheses.iter().any(|hypothesis| hypothesis.consistent);
            // Where nothing that is left mines, the rate is known: none.
            fits.then(|| factor_open(&hypotheses, earnings).map_or(0.0, f64::log10))
        }
    };
    let of = |candidate: Candidate| {
        let groups: Vec<Vec<f64>> =
            candidate.groups.iter().map(|group| group.iter().filter_map(decades).collect()).collect();
        let outcomes = groups.iter().map(Vec::len).sum();
        let means: Vec<f64> = groups.iter().filter_map(|group| mean(group)).collect();
        let factor_left = 10_f64.powf(mean(&means)?);
        Some(ExtraObservation { what: candidate.what, option: candidate.option, outcomes, factor_left })
    };
    let mut extras: Vec<ExtraObservation> = candidates(observation, earnings).into_iter().filter_map(of).collect();
    extras.sort_by(|a, b| a.factor_left.total_cmp(&b.factor_left));
    extras
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// What an observation turns out to be.
enum Outcome {
    /// Another observation, to be inferred from.
    Leads(Box<Observation>),
    /// So many decades of the hash rate are left.
    Known(f64),
}

/// What could be observed.
struct Candidate {
    what: &'static str,
    option: &'static str,
    /// What it could turn out to be: each group counts as much as another, each outcome as much as others of its group.
    groups: Vec<Vec<Outcome>>,
}

fn candidates(observation: &Observation, earnings: &Earnings) -> Vec<Candidate> {
    let with = |change: &dyn Fn(&mut Observation)| {
        let mut changed = observation.clone();
        change(&mut changed);
        Outcome::Leads(Box::new(changed))
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut push = |what, option, groups| candidates.push(Candidate { what, option, groups });
    let peer = observation.known_peer();
    let programs = programs_of_the_time(observation.coin, observation.window);
    let may_be_pool = !matches!(peer, Some(Peer::Node | Peer::Rpc));
    // Who looks into the traffic may also find that there is no pool in it.
    let other_peers = || {
        let is_open = peer.is_none() && observation.pool.is_none();
        let peers = [Peer::Node, Peer::Rpc].into_iter().filter(move |_| is_open);
        peers.map(|peer| vec![with(&|changed| changed.peer = Some(peer))])
    };
    if may_be_pool {
        let an_hour = |seconds: f64| {
            let (low, high) = garwood((3_600.0 / seconds).max(1.0) as u64, CONFIDENCE);
            Outcome::Known((high / low).log10())
        };
        let pooled =
            explain::programs(observation).into_iter().filter_map(|program| program.seconds_per_share).map(an_hour);
        let what = "an hour of the connections in plain text: their shares, and the difficulty of these";
        push(what, "--stratum or --pcap", std::iter::once(pooled.collect()).chain(other_peers()).collect());
    }
    let is_fixed = observation.pool.as_ref().is_some_and(|pool| pool.fixed.is_some());
    if may_be_pool && observation.share_difficulty.is_none() && !is_fixed {
        let pooled = difficulties(earnings).map(|known| with(&|changed| changed.share_difficulty = Some(known)));
        let what = "the difficulty of the shares, from one message in plain text";
        push(what, "--share-difficulty", std::iter::once(pooled.collect()).chain(other_peers()).collect());
    }
    if may_be_pool && observation.pool.is_none() {
        let is_possible = |program: &&PoolProgram| program.fixed.is_none() || observation.share_difficulty.is_none();
        let pooled = programs
            .iter()
            .filter(is_possible)
            .map(|program| with(&|changed| (changed.pool, changed.peer) = (Some(program.clone()), Some(Peer::Pool))));
        push("which pool it is, if any", "--pool", std::iter::once(pooled.collect()).chain(other_peers()).collect());
    }
    if peer.is_none() {
        let pool = vec![with(&|changed| changed.peer = Some(Peer::Pool))];
        let what = "who is at the other end: a pool, nodes of the network, or a node asked for work";
        push(what, "--peer", std::iter::once(pool).chain(other_peers()).collect());
    }
    if observation.unit == Unit::Unknown {
        let units = Unit::KNOWN.iter().map(|unit| with(&|changed| changed.unit = *unit)).collect();
        push("what was counted: shares, packets, flow records or connections", "--unit", vec![units]);
    }
    if observation.timeouts.is_none() && matches!(observation.unit, Unit::Flow | Unit::Unknown) {
        let known = FlowTimeouts::COMMON.iter().map(|known| with(&|changed| changed.timeouts = Some(*known))).collect();
        push("the time-outs of the exporter of flow records", "--flow-timeouts", vec![known]);
    }
    if !observation.count.is_exact() {
        let Count { low, high } = observation.count;
        let middle = (low.max(1) as f64 * high as f64).sqrt() as u64;
        let counts = [low, middle, high].map(|count| with(&|changed| changed.count = Count::exactly(count)));
        push("the count itself, in place of a range", "--count", vec![counts.into()]);
    }
    candidates
}

/// Difficulties that a share may have: a decade apart, from 1 to that of a block.
fn difficulties(earnings: &Earnings) -> impl Iterator<Item = f64> {
    let block = earnings.hashes_per_block() / hashes_per_difficulty(earnings.coin);
    std::iter::successors(Some(1.0), |difficulty| Some(difficulty * 10.0)).take_while(move |d| *d <= block.max(1.0))
}
