//! Miners that ask a node for work, again and again.

use super::{SHORT_PACKETS, seen};
use crate::coin::Coin;
use crate::coin::history::SECONDS_PER_DAY;
use crate::traffic::hypothesis::{Draft, Family, Yield};
use crate::traffic::observation::{Observation, Unit};

/// Packets that a question and its answer take in one direction, at least: one with the question or the answer, one
/// that acknowledges.
const PACKETS: f64 = 2.0;

/// A way to ask for work.
struct Polling {
    name: &'static str,
    explanation: &'static str,
    /// The time between two questions, the least and the most, in seconds.
    period_s: (f64, f64),
    yields: Yield,
    basis: &'static str,
}

const ROLLED: &str = "the work may be rolled: a question comes when the clock says so, not after so many hashes";

/// What each coin's miners do.
fn ways(coin: Coin) -> Vec<Polling> {
    match coin {
        Coin::Btc => vec![
            Polling {
                name: "getwork",
                explanation: "questions for work (getwork, until about 2014)",
                period_s: (5.0, 60.0),
                yields: Yield::Hidden,
                basis: "a question in 5 s (cpuminer's default scan time) to 60 s (cgminer's)",
            },
            Polling {
                name: "getblocktemplate",
                explanation: "questions for blocks to work on",
                period_s: (5.0, 60.0),
                yields: Yield::Silence,
                basis: "a question in 5 s (cpuminer's default scan time) to 60 s (cgminer's); found blocks are theirs",
            },
        ],
        Coin::Xmr => vec![Polling {
            name: "getblocktemplate",
            explanation: "questions for blocks to work on",
            period_s: (1.0, 60.0),
            yields: Yield::Silence,
            basis: "a question a second (XMRig's default for a daemon) to one in 60 s; found blocks are theirs",
        }],
    }
}

/// The explanations by miners that ask, of which `unit` was counted.
pub(super) fn drafts(observation: &Observation, unit: Unit) -> Vec<Draft> {
    let sampling = observation.sampling;
    let draft = |way: Polling| {
        let (low, high) = (SECONDS_PER_DAY / way.period_s.1, SECONDS_PER_DAY / way.period_s.0);
        let (word, shown) = match unit {
            Unit::Packet => {
                let part = 1.0 / f64::from(sampling);
                ("packet", (low * PACKETS * part, 2.0 * high * SHORT_PACKETS * part))
            }
            // All questions over one connection, or each over its own; records of one direction or of both.
            Unit::Flow => ("flow", (seen(low * PACKETS, sampling), 2.0 * high * seen(SHORT_PACKETS, sampling))),
            _ => ("connection", (seen(low * PACKETS, sampling), high * seen(SHORT_PACKETS, sampling))),
        };
        Draft {
            name: format!("{word}/{}", way.name),
            explanation: format!("{} with {}", unit.plural(), way.explanation),
            basis: way.basis.to_owned(),
            family: Family::Rpc,
            unit,
            of: "miners that ask",
            shown,
            yields: way.yields,
            unbounded: ROLLED,
        }
    };
    ways(observation.coin).into_iter().map(draft).collect()
}
