//! Which engines the bare program measures: one for each algorithm and device, plain and rolled apart.

use super::exit::Failure;
use super::select;
use super::workshop::{Workshop, is_heavy};
use crate::engine::{Candidate, EngineId};
use crate::randomx;
use crate::record::Calibrated;
use crate::registry::Registry;

/// What was chosen, and the rates that decided.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The engines to measure, and those that would be if they could run here.
    pub(super) ids: Vec<EngineId>,
    pub(super) calibrations: Vec<Calibrated>,
}

/// Chooses among the available candidates: where several compute the same on the same device, the one that pays its
/// memory back (RandomX's fast mode: light mode is there to save memory), else the fastest in a short trial.
pub(super) fn choose(workshop: &Workshop) -> Result<Choice, Failure> {
    let mut choice = Choice::default();
    let available = considered(&workshop.registry);
    let mut classes: Vec<(&str, &str, bool)> = Vec::new();
    for candidate in &available {
        if !classes.contains(&class(&candidate.id)) {
            classes.push(class(&candidate.id));
        }
    }
    for wanted in classes {
        let rivals: Vec<&Candidate> =
            available.iter().copied().filter(|candidate| class(&candidate.id) == wanted).collect();
        let best = match rivals.iter().find(|candidate| is_heavy(candidate)) {
            Some(heavy) => heavy.id.clone(),
            None => workshop.fastest(&rivals, &mut choice.calibrations)?,
        };
        choice.ids.push(best);
    }
    let is_missing =
        |candidate: &&Candidate| candidate.availability.is_err() && is_wanted(&workshop.registry, &candidate.id);
    choice.ids.extend(workshop.registry.candidates().iter().filter(is_missing).map(|candidate| candidate.id.clone()));
    Ok(choice)
}

/// Returns the engines that run here and that the bare program looks at.
pub(super) fn considered(registry: &Registry) -> Vec<&Candidate> {
    let is_one = |candidate: &&Candidate| candidate.availability.is_ok() && is_wanted(registry, &candidate.id);
    registry.candidates().iter().filter(is_one).collect()
}

/// Tells whether the bare program would measure an engine. Of each version of RandomX it takes one implementation,
/// because the others stand in for it or check it.
fn is_wanted(registry: &Registry, id: &EngineId) -> bool {
    match id.algorithm() {
        randomx::ALGORITHM_V1 | randomx::ALGORITHM_V2 => {
            id.engine() == "jit" || id.engine() == select::randomx_implementation(registry, id.algorithm())
        }
        _ => true,
    }
}

fn class(id: &EngineId) -> (&str, &str, bool) {
    (id.algorithm(), id.device(), id.is_rolled())
}
