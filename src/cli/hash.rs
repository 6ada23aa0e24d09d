//! `hashwatt hash`: one input, one hash.

use std::process::ExitCode;

use serde::Serialize;

use super::args::{HashAlgorithm, HashArguments};
use super::exit::Failure;
use super::output::Output;
use super::progress::Terminal;
use super::{interrupt, select};
use crate::bench::Supplier;
use crate::engine::{EngineId, Pool, Preparation};
use crate::registry::Registry;
use crate::sysroot::Sysroot;
use crate::{randomx, sha256d};

#[derive(Serialize)]
struct Hashed<'a> {
    engine: &'a EngineId,
    hash: String,
}

pub(super) fn run(arguments: &HashArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let (algorithm, input, key, engine) = match &arguments.algorithm {
        HashAlgorithm::Sha256d { input, engine } => (sha256d::ALGORITHM, input, "", engine),
        HashAlgorithm::RandomxV1 { input, key, engine } => (randomx::ALGORITHM_V1, input, key.as_str(), engine),
    };
    let input = bytes("--input", input)?;
    let key = bytes("--key", key)?;
    let registry = Registry::find(&Sysroot::default());
    let automatic = match algorithm {
        sha256d::ALGORITHM => "sha256d/cpu/scalar",
        _ => "randomx-v1/cpu/reference+light",
    };
    let id = if engine == "auto" { automatic } else { engine };
    let candidate = select::by_id(&registry, id, algorithm)?;
    if !candidate.can_hash {
        let can = |other: &&crate::engine::Candidate| other.can_hash && other.id.algorithm() == algorithm;
        let ids: Vec<&str> = registry.candidates().iter().filter(can).map(|other| other.id.as_str()).collect();
        let message = format!("{id} can only scan ranges of nonces: it gives no single hashes");
        return Err(Failure::usage(message, format!("engines that do: {}", ids.join(", "))));
    }
    let terminal = Terminal::new(output.quiet);
    let preparation =
        Preparation { key: &key, threads: 1, pool: &Pool::default(), progress: &terminal, cancel: &interrupt::watch() };
    let mut engine = registry.prepare(candidate, &preparation)?;
    let mut hash = engine.hash(&input)?;
    terminal.clear();
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

/// Reads hex of any even length.
pub(super) fn bytes(option: &str, text: &str) -> Result<Vec<u8>, Failure> {
    let help = "give hex digits without a prefix, two for each byte";
    if let Some((position, character)) = text.chars().enumerate().find(|(_, char)| !char.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!("{option}: {character:?} at position {position} is no hex digit"), help));
    }
    const_hex::decode(text)
        .map_err(|_| Failure::usage(format!("{option}: {} hex digits are no whole number of bytes", text.len()), help))
}
