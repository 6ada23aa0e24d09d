//! Which engines a command line means, and how many threads.

use std::collections::BTreeSet;

use globset::Glob;

use super::exit::{Failure, UNAVAILABLE};
use crate::cpu::affinity;
use crate::engine::Candidate;
use crate::registry::Registry;

/// Returns the candidates that any of the filters matches, all of them without a filter, available or not.
///
/// A filter that matches no engine at all is an error, and so is a selection in which none is available.
pub(super) fn by_filters<'a>(registry: &'a Registry, filters: &[String]) -> Result<Vec<&'a Candidate>, Failure> {
    let mut globs = Vec::new();
    for filter in filters {
        let glob = Glob::new(filter)
            .map_err(|error| {
                Failure::usage(format!("{filter:?} is no filter: {}", error.kind()), "for example 'sha256d/*'")
            })?
            .compile_matcher();
        if !registry.candidates().iter().any(|candidate| glob.is_match(candidate.id.as_str())) {
            return Err(unknown(registry, filter, "filter"));
        }
        globs.push(glob);
    }
    let is_meant =
        |candidate: &&Candidate| globs.is_empty() || globs.iter().any(|glob| glob.is_match(candidate.id.as_str()));
    let meant: Vec<&Candidate> = registry.candidates().iter().filter(is_meant).collect();
    match meant.first() {
        Some(first) if meant.iter().all(|candidate| candidate.availability.is_err()) => Err(not_available(first)),
        _ => Ok(meant),
    }
}

/// Returns the available candidate with this id, of this algorithm.
pub(super) fn by_id<'a>(registry: &'a Registry, id: &str, algorithm: &str) -> Result<&'a Candidate, Failure> {
    let candidate = registry.get(id).ok_or_else(|| unknown(registry, id, "engine"))?;
    if candidate.id.algorithm() != algorithm {
        let message = format!("{id} computes {}, not {algorithm}", candidate.id.algorithm());
        return Err(Failure::usage(message, format!("engines for {algorithm}: {}", ids_of(registry, algorithm))));
    }
    if candidate.availability.is_err() { Err(not_available(candidate)) } else { Ok(candidate) }
}

/// Returns the implementation of RandomX that is wanted where nobody says: the fastest that runs here.
pub(super) fn randomx_implementation(registry: &Registry, algorithm: &str) -> &'static str {
    let runs = |implementation: &&str| {
        registry.candidates().iter().any(|candidate| {
            let id = &candidate.id;
            id.algorithm() == algorithm && id.engine() == *implementation && candidate.availability.is_ok()
        })
    };
    ["jit", "reference", "interpreter"].into_iter().find(runs).unwrap_or("jit")
}

/// Returns the engine of RandomX that is wanted where nobody says, in a mode.
pub(super) fn randomx<'a>(registry: &'a Registry, algorithm: &str, mode: &str) -> Result<&'a Candidate, Failure> {
    let implementation = randomx_implementation(registry, algorithm);
    by_id(registry, &format!("{algorithm}/cpu/{implementation}+{mode}"), algorithm)
}

/// Lists the engines of an algorithm that are available.
pub(super) fn ids_of(registry: &Registry, algorithm: &str) -> String {
    let is_one = |candidate: &&Candidate| candidate.id.algorithm() == algorithm && candidate.availability.is_ok();
    let ids: Vec<&str> = registry.candidates().iter().filter(is_one).map(|candidate| candidate.id.as_str()).collect();
    ids.join(", ")
}

fn not_available(candidate: &Candidate) -> Failure {
    let unavailable = candidate.unavailable();
    let reason = unavailable.map_or("", |unavailable| unavailable.reason.as_str());
    let hint = unavailable.map_or("", |unavailable| unavailable.hint.as_str());
    Failure::new(UNAVAILABLE, format!("{} is not available here: {reason}", candidate.id), hint)
}

fn unknown(registry: &Registry, text: &str, kind: &str) -> Failure {
    // An engine for an adapter that isn't there is known, it just has no device.
    let parts: Vec<&str> = text.split('/').collect();
    if let [algorithm, device, engine] = parts[..] {
        let is_gpu = matches!(device.parse(), Ok(crate::device::Device::Gpu(_)));
        let has_engine = |candidate: &Candidate| {
            candidate.id.algorithm() == algorithm && candidate.id.device() == "gpu0" && candidate.id.engine() == engine
        };
        if is_gpu && registry.candidates().iter().any(has_engine) {
            let message = format!("{text} is not available here: there is no {device}");
            return Failure::new(UNAVAILABLE, message, "hashwatt devices lists the graphics adapters");
        }
    }
    let message = match kind {
        "filter" => format!("the filter {text:?} matches no engine"),
        _ => format!("unknown engine {text:?}"),
    };
    let help = match registry.nearest(text) {
        Some(id) => format!("did you mean {id}? hashwatt devices lists all engines"),
        None => "hashwatt devices lists all engines".to_owned(),
    };
    Failure::usage(message, help)
}

/// Checks a number of threads, one for each processor that this process may use where none is given.
pub(super) fn threads(asked: Option<usize>) -> Result<usize, Failure> {
    let most = affinity::parallelism();
    match asked {
        None => Ok(most),
        Some(0) => Err(Failure::usage("0 threads can't compute anything", format!("give --threads 1 to {most}"))),
        Some(threads) if threads > most => Err(Failure::usage(
            format!("{threads} threads are more than the {most} that this process may run at once"),
            format!(
                "give --threads 1 to {most}: more only take turns, and the rate would say nothing about the machine"
            ),
        )),
        Some(threads) => Ok(threads),
    }
}

/// Reads the numbers of threads of a sweep: a list of numbers and ranges, both ends of which are meant. An empty one
/// stands for the powers of two and all.
pub(super) fn sweep(list: &str) -> Result<Vec<usize>, Failure> {
    let most = threads(None)?;
    if list.is_empty() {
        let powers = std::iter::successors(Some(1), |&threads| Some(2 * threads));
        return Ok(powers.take_while(|&threads| threads < most).chain([most]).collect());
    }
    let unread = || {
        let message = format!("{list:?} is no list of numbers of threads");
        Failure::usage(message, format!("for example --sweep-threads=1,2 or --sweep-threads=1-{most}"))
    };
    let number = |text: &str| text.parse::<usize>().map_err(|_| unread());
    let mut counts = BTreeSet::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (threads(Some(number(first)?))?, threads(Some(number(last)?))?);
        if last < first {
            return Err(unread());
        }
        counts.extend(first..=last);
    }
    Ok(counts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_a_list_of_numbers_that_can_run() {
        let most = affinity::parallelism();
        let all: Vec<usize> = (1..=most).collect();
        assert_eq!(sweep(&format!("1-{most}")).unwrap(), all);
        assert_eq!(sweep(&format!("{most},1-{most},1")).unwrap(), all);
        assert_eq!(sweep("1").unwrap(), [1]);
        let usual = sweep("").unwrap();
        assert!(usual.is_sorted() && usual.first() == Some(&1) && usual.last() == Some(&most), "{usual:?}");
        for wrong in
            ["0", "1,", ",", "x", "1-", "-1", "2-1", "1..2", " 1", &format!("1-{}", most + 1), "1-99999999999999"]
        {
            assert!(sweep(wrong).is_err(), "{wrong}");
        }
    }
}
