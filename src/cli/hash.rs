//! `hashwatt hash`: one input, one hash.

use std::process::ExitCode;

use serde::Serialize;

use super::args::{HashAlgorithm, HashArguments, RandomxHash};
use super::exit::Failure;
use super::output::Output;
use super::select;
use super::workshop::Workshop;
use crate::bench::Supplier;
use crate::engine::{Candidate, EngineId, Job};
use crate::sysroot::Sysroot;
use crate::{randomx, sha256d};

/// The longest key of RandomX, in bytes (specification, section 1.1: K has 0 to 60).
const KEY_MAX: usize = 60;

#[derive(Serialize)]
struct Hashed<'a> {
    engine: &'a EngineId,
    hash: String,
}

pub(super) fn run(arguments: &HashArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let of_randomx = |one: &'_ RandomxHash| Ok::<_, Failure>((randomx_key(&one.key)?, one.commitment));
    let (algorithm, input, engine, (key, commits)) = match &arguments.algorithm {
        HashAlgorithm::Sha256d { commitment: true, .. } => return Err(no_commitment()),
        HashAlgorithm::Sha256d { input, engine, .. } => (sha256d::ALGORITHM, input, engine, (Vec::new(), false)),
        HashAlgorithm::RandomxV1(one) => (randomx::ALGORITHM_V1, &one.input, &one.engine, of_randomx(one)?),
        HashAlgorithm::RandomxV2(one) => (randomx::ALGORITHM_V2, &one.input, &one.engine, of_randomx(one)?),
    };
    let input = bytes("--input", input)?;
    let workshop = Workshop::open(&Sysroot::default(), Some(1), output.quiet)?;
    let registry = &workshop.registry;
    let candidate = match (engine.as_str(), algorithm) {
        ("auto", sha256d::ALGORITHM) => select::by_id(registry, "sha256d/cpu/scalar", algorithm)?,
        ("auto", _) => select::randomx(registry, algorithm, "light")?,
        (id, _) => select::by_id(registry, id, algorithm)?,
    };
    if !candidate.can_hash {
        let can = |other: &&Candidate| other.can_hash && other.id.algorithm() == algorithm;
        let ids: Vec<&str> = registry.candidates().iter().filter(can).map(|other| other.id.as_str()).collect();
        let message = format!("{} can only scan ranges of nonces: it gives no single hashes", candidate.id);
        return Err(Failure::usage(message, format!("engines that do: {}", ids.join(", "))));
    }
    let mut engine = workshop.prepare(candidate, &key)?;
    let job = Job { key, ..workshop.registry.workload(&candidate.id).job };
    workshop.trust(candidate, engine.as_mut(), &job)?;
    if commits {
        engine.commit()?;
    }
    let mut hash = engine.hash(&input)?;
    workshop.terminal.clear();
    if algorithm == sha256d::ALGORITHM {
        hash.reverse();
    }
    let hash = const_hex::encode(hash);
    if output.json {
        output.json(&Hashed { engine: &candidate.id, hash })?;
    } else {
        output.line(&hash)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses `--commitment` where there is none.
pub(super) fn no_commitment() -> Failure {
    let message = "--commitment: SHA-256d has no commitments, they belong to RandomX";
    Failure::usage(message, "leave it out, or name randomx-v1 or randomx-v2")
}

/// Reads a key of RandomX.
pub(super) fn randomx_key(text: &str) -> Result<Vec<u8>, Failure> {
    let key = bytes("--key", text)?;
    if key.len() > KEY_MAX {
        let message = format!("--key: a key of RandomX has at most {KEY_MAX} bytes; this has {}", key.len());
        return Err(Failure::usage(message, "Monero's keys are block hashes of 32 bytes"));
    }
    Ok(key)
}

/// Reads hex of any even length.
pub(super) fn bytes(option: &str, text: &str) -> Result<Vec<u8>, Failure> {
    let help = "give hex digits without a prefix, two for each byte";
    if let Some((position, character)) = text.chars().enumerate().find(|(_, char)| !char.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!("{option}: {character:?} at position {position} is no hex digit"), help));
    }
    const_hex::decode(text)
        .map_err(|_| Failure::usage(format!("{option}: {} hex digits are no whole number of bytes", text.len()), help))
}
