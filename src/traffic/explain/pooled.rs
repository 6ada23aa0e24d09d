//! Shares: from a pool that keeps their rate constant, from workers on its least difficulty, or all of one difficulty.

use crate::traffic::hypothesis::{Draft, Ends, Family, Yield};
use crate::traffic::observation::{Observation, Unit};
use crate::traffic::pool::PoolProgram;

const OF: &str = "connections to a pool";

const VARDIFF: &str = "the pool sets the difficulty so that each connection sends shares at one rate, whatever its \
                       hash rate: the count tells connections only";

const DIFFICULTY: &str = "the difficulty D of the shares isn't known, and the hash rate is proportional to it";

/// The explanations of shares, for each pool program.
pub(super) fn drafts(observation: &Observation, programs: &[PoolProgram]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for program in programs {
        drafts.extend(vardiff(observation, program));
        // Where the difficulty is known there is nothing to suppose of it.
        if observation.share_difficulty.is_none() {
            drafts.extend(floor(observation, program));
            drafts.extend(program.fixed.map(|difficulty| {
                let basis = format!("{}; {}", words(program), program.source);
                one_difficulty(observation, short(program), Ends::closed(difficulty, difficulty), basis)
            }));
        }
    }
    let is_fixed = observation.pool.as_ref().is_some_and(|pool| pool.fixed.is_some());
    if !is_fixed {
        let difficulty = Ends { low: observation.share_difficulty, high: observation.share_difficulty };
        let basis = "the rate is count × difficulty × hashes per difficulty / time".to_owned();
        drafts.push(one_difficulty(observation, "any", difficulty, basis));
    }
    drafts
}

/// Workers for which the pool has found the difficulty that suits them.
fn vardiff(observation: &Observation, program: &PoolProgram) -> Option<Draft> {
    let (low, high) = program.shares_per_day()?;
    let part = 1.0 / f64::from(observation.sampling);
    let known = observation.share_difficulty;
    // Operators raise the least difficulty more often than they lower it.
    let difficulty = Ends { low: known.or(program.minimum.map(|(low, _)| low)), high: known };
    Some(Draft {
        name: format!("share/vardiff/{}", short(program)),
        explanation: format!("shares to {}, at the rate that it keeps", program.title()),
        basis: format!("{}; {}", words(program), program.source),
        family: Family::Pool,
        unit: Unit::Share,
        of: OF,
        shown: (low * part, high * part),
        yields: Yield::CountedShares { difficulty },
        unbounded: VARDIFF,
    })
}

/// Workers too weak for the rate that the pool aims at: they stay on its least difficulty.
fn floor(observation: &Observation, program: &PoolProgram) -> Option<Draft> {
    let (low, high) = program.minimum?;
    let (_, most) = program.shares_per_day()?;
    Some(Draft {
        name: format!("share/floor/{}", program.name),
        explanation: format!("shares to {}, of its least difficulty", program.title()),
        basis: format!("least difficulty {low} to {high} by default; {}", program.source),
        family: Family::Pool,
        unit: Unit::Share,
        of: OF,
        shown: (0.0, most / f64::from(observation.sampling)),
        yields: Yield::CountedShares { difficulty: Ends::closed(low, high) },
        unbounded: DIFFICULTY,
    })
}

fn one_difficulty(observation: &Observation, name: &str, difficulty: Ends, basis: String) -> Draft {
    let words = match (difficulty.low, observation.pool.as_ref().and_then(|pool| pool.fixed), name) {
        (Some(difficulty), None, "any") => format!("shares of difficulty {difficulty}, as was read"),
        (Some(difficulty), Some(_), _) => format!("shares of difficulty {difficulty}"),
        (Some(difficulty), None, name) => format!("shares of difficulty {difficulty}, as seen at {name}"),
        (None, ..) => "shares of one difficulty, which isn't known".to_owned(),
    };
    Draft {
        name: format!("share/fixed/{name}"),
        explanation: words,
        basis,
        family: Family::Pool,
        unit: Unit::Share,
        of: OF,
        shown: (0.0, f64::INFINITY),
        yields: Yield::CountedShares { difficulty },
        unbounded: DIFFICULTY,
    }
}

/// The name of a program, or what the user says of it.
fn short(program: &PoolProgram) -> &str {
    program.name.rsplit('=').next().unwrap_or(&program.name)
}

/// What the program aims at, and what else is said of it.
fn words(program: &PoolProgram) -> String {
    let aim = program.seconds_per_share.map(|seconds| format!("aims at a share in {seconds} s"));
    let parts: Vec<String> = aim.into_iter().chain((!program.note.is_empty()).then(|| program.note.clone())).collect();
    if parts.is_empty() { "a fixed difficulty".to_owned() } else { parts.join("; ") }
}
