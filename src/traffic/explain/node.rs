//! A node of the coin's own network: the rival of every explanation, and a place to hide a miner behind.

use super::{SHORT_PACKETS, seen};
use crate::coin::Coin;
use crate::coin::history::SECONDS_PER_DAY;
use crate::traffic::flow::FlowTimeouts;
use crate::traffic::hypothesis::{Context, Draft, Family, Hypothesis, Yield};
use crate::traffic::observation::{Observation, Unit};

/// What a node does without anybody who mines.
struct Habits {
    /// Short connections a day, which try whether addresses answer.
    probes: f64,
    /// Long connections to others, the least and the most.
    peers: (f64, f64),
    /// Messages a day that keep one such connection alive, at least.
    pings: f64,
    basis: &'static str,
}

/// Bitcoin Core's `FEELER_INTERVAL` (net.h, since 2016), `PING_INTERVAL` (net_processing.cpp) and number of outbound
/// connections; Monero's `m_gray_peerlist_housekeeping_interval` (net_node.h), `P2P_DEFAULT_HANDSHAKE_INTERVAL` and
/// `P2P_DEFAULT_CONNECTIONS_COUNT` (cryptonote_config.h).
fn habits(coin: Coin) -> Habits {
    match coin {
        Coin::Btc => Habits {
            probes: 720.0,
            peers: (8.0, 10.0),
            pings: 720.0,
            basis: "Bitcoin Core (since 2016) tries an address every 2 min, 720 a day, and keeps 8 to 10 connections",
        },
        Coin::Xmr => Habits {
            probes: 1_440.0,
            peers: (8.0, 12.0),
            pings: 1_440.0,
            basis: "monerod tries an address every minute, 1,440 a day, and keeps 8 to 12 connections",
        },
    }
}

/// What one node shows in a day of `unit`, at least and at most.
fn shown(observation: &Observation, unit: Unit) -> (f64, f64) {
    let habits = habits(observation.coin);
    let sampling = observation.sampling;
    let part = 1.0 / f64::from(sampling);
    match unit {
        // None of its messages is a share.
        Unit::Share => (0.0, 0.0),
        // Blocks and transactions come on top, and have no upper end.
        Unit::Packet => (habits.peers.0 * habits.pings * part, f64::INFINITY),
        Unit::Flow => {
            let timeouts = observation.timeouts.map_or_else(|| FlowTimeouts::COMMON.to_vec(), |known| vec![known]);
            let records = timeouts.iter().map(|timeouts| timeouts.records_without_pause_per_day());
            let least = records.clone().fold(f64::INFINITY, f64::min);
            // Quiet hours, in which each message is a record.
            let most = timeouts.iter().map(|t| SECONDS_PER_DAY / t.inactive_s).chain(records).fold(0.0, f64::max);
            let long = habits.peers.0 * least.min(habits.pings * part);
            (long, 2.0 * (habits.peers.1 * most + habits.probes * seen(SHORT_PACKETS, sampling)))
        }
        // An address that doesn't answer may not be counted.
        Unit::Connection | Unit::Unknown => {
            let long = habits.peers.0 * seen(habits.pings, sampling);
            (long, habits.peers.1 + habits.probes * seen(SHORT_PACKETS, sampling))
        }
    }
}

/// The explanations by nodes: for each unit in question one is made, and the widest of those that fit is shown.
pub(super) fn hypotheses(context: &Context<'_>, units: &[Unit]) -> Vec<Hypothesis> {
    let observation = context.observation;
    let habits = habits(observation.coin);
    let kinds = [
        (Family::Node, "node", "a full node that doesn't mine", Yield::Nothing),
        (Family::Solo, "solo", "mining alone behind a full node", Yield::Silence),
    ];
    let of = |(family, name, explanation, yields): (Family, &str, &str, Yield)| {
        let draft = |unit: Unit| Draft {
            name: name.to_owned(),
            explanation: explanation.to_owned(),
            basis: match family {
                Family::Solo => {
                    format!("{}; no block of the window is theirs, which holds 3 expected blocks at most", habits.basis)
                }
                _ => habits.basis.to_owned(),
            },
            family,
            unit,
            of: "full nodes",
            shown: shown(observation, unit),
            yields: yields.clone(),
            unbounded: "",
        };
        // Shares are what a node doesn't have: where something else may have been counted, that is it.
        let fits = |unit: &&Unit| **unit != Unit::Share || units.len() == 1;
        units.iter().filter(fits).map(|unit| draft(*unit).judge(context)).reduce(merge)
    };
    kinds.into_iter().filter_map(of).collect()
}

/// Joins the same explanation of two units: it fits where one of them does.
fn merge(a: Hypothesis, b: Hypothesis) -> Hypothesis {
    let (mut joined, other) = if a.consistent || !b.consistent { (a, b) } else { (b, a) };
    if other.consistent {
        let (low, high) = (joined.connections.low.min(other.connections.low), joined.connections.high);
        joined.connections.low = low;
        joined.connections.high = high.zip(other.connections.high).map(|(a, b)| a.max(b));
        if joined.connections.high.is_none() {
            let reason = joined.absent.get("connections.high").or_else(|| other.absent.get("connections.high"));
            let reason = reason.cloned().unwrap_or_default();
            joined.absent.insert("connections.high", reason);
        }
    }
    let (low, high) = (joined.events_per_connection_day, other.events_per_connection_day);
    joined.events_per_connection_day.low = low.low.zip(high.low).map(|(a, b)| a.min(b));
    joined.events_per_connection_day.high = low.high.zip(high.high).map(|(a, b)| a.max(b));
    joined.counted = Unit::Unknown;
    joined
}
