//! Known answers: inputs whose hashes somebody else published, and small ranges that the oracle scans as well.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;

use super::{Oracle, VerifyError, WrongHash};
use crate::engine::{
    Cancel, Engine, EngineError, Hash, HitFilter, Job, NONCE_END, RangeWork, Sink, SpanReport, Workload, hash_tail,
};
use crate::{randomx, sha256d};

const SHA256D: &str = include_str!("../../tests/vectors/sha256d.json");
const RANDOMX_V1: &str = include_str!("../../tests/vectors/randomx_v1.json");

/// An input whose hash was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAnswer {
    /// What it is, such as `block 125552`.
    pub name: String,
    /// RandomX's key; empty for SHA-256d.
    pub key: Vec<u8>,
    /// The input.
    pub input: Vec<u8>,
    /// Its hash, in the order in which the algorithm puts it out.
    pub hash: Hash,
}

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(default)]
    key: String,
    #[serde(alias = "header")]
    input: String,
    hash: String,
}

/// Returns the known answers of an algorithm; none where this program has none.
///
/// # Panics
///
/// Never: the files are part of the program, and a test reads them all.
#[must_use]
pub fn known_answers(algorithm: &str) -> Vec<KnownAnswer> {
    let (text, is_displayed) = match algorithm {
        sha256d::ALGORITHM => (SHA256D, true),
        randomx::ALGORITHM_V1 => (RANDOMX_V1, false),
        _ => return Vec::new(),
    };
    let bytes = |hex: &str| const_hex::decode(hex).expect("the vectors are part of the program, and a test reads them");
    let file: File = serde_json::from_str(text).expect("the vectors are part of the program, and a test reads them");
    file.vectors
        .into_iter()
        .map(|vector| {
            let mut hash: Hash = std::array::from_fn(|index| bytes(&vector.hash)[index]);
            if is_displayed {
                hash.reverse();
            }
            KnownAnswer { name: vector.name, key: bytes(&vector.key), input: bytes(&vector.input), hash }
        })
        .collect()
}

/// Checks an engine that was prepared for `key`, and returns how many checks there were.
///
/// Each known answer of that key is hashed where the engine can hash, and found among its neighbours where the input
/// holds a nonce; then a short range is scanned with a filter that admits many nonces, and compared with the oracle's
/// hits nonce by nonce.
///
/// # Errors
///
/// What the engine got wrong; or what kept it from computing.
pub fn self_test(
    engine: &mut dyn Engine,
    can_hash: bool,
    workload: &Workload,
    oracle: &mut Oracle,
) -> Result<usize, VerifyError> {
    let mut checks = 0;
    let algorithm = engine.id().algorithm().to_owned();
    let answers = known_answers(&algorithm).into_iter().filter(|answer| answer.key == workload.job.key);
    for answer in answers {
        if can_hash {
            let computed = engine.hash(&answer.input)?;
            compare_hash(engine, &answer, computed)?;
            checks += 1;
        }
        if algorithm == sha256d::ALGORITHM {
            find_nonce(engine, &answer, workload.job.nonce_offset)?;
            checks += 1;
        }
    }
    if oracle.is_nobody() {
        return Ok(checks);
    }
    // Odd ends, and more than one lane of whatever is parallel; few where a hash takes milliseconds.
    let (count, zero_bits) = if oracle.budget_hashes > 1000 { (4099, 4) } else { (3, 0) };
    let start = NONCE_END - count;
    compare_range(
        engine,
        &Arc::new(workload.job.clone()),
        start..NONCE_END,
        HitFilter::with_zero_bits(zero_bits),
        oracle,
    )?;
    Ok(checks + 1)
}

fn compare_hash(engine: &dyn Engine, answer: &KnownAnswer, computed: Hash) -> Result<(), VerifyError> {
    if computed == answer.hash {
        return Ok(());
    }
    Err(WrongHash {
        id: engine.id().clone(),
        check: format!("known answer: {}", answer.name),
        input: const_hex::encode(&answer.input),
        expected: const_hex::encode(answer.hash),
        computed: const_hex::encode(computed),
        verified_by: "the published hash".to_owned(),
    }
    .into())
}

/// Scans around the nonce of a solved header. It alone has 32 leading zero bits, but for a chance of one in a million.
fn find_nonce(engine: &mut dyn Engine, answer: &KnownAnswer, nonce_offset: usize) -> Result<(), VerifyError> {
    let nonce: [u8; 4] = std::array::from_fn(|index| answer.input[nonce_offset + index]);
    let nonce = u64::from(u32::from_le_bytes(nonce));
    let job = Arc::new(Job { key: answer.key.clone(), template: answer.input.clone(), nonce_offset });
    let nonces = nonce.saturating_sub(1000)..NONCE_END.min(nonce + 1000);
    let found = scan(engine, &job, nonces.clone(), HitFilter::with_zero_bits(32))?;
    let expected: Vec<u32> = u32::try_from(nonce).into_iter().collect();
    if found.hits == expected {
        return Ok(());
    }
    Err(wrong_hits(
        engine,
        format!("known answer: {}", answer.name),
        &job,
        &nonces,
        &expected,
        &found.hits,
        "the published hash",
    ))
}

/// Scans a range and has the oracle hash every nonce of it.
fn compare_range(
    engine: &mut dyn Engine,
    job: &Arc<Job>,
    nonces: Range<u64>,
    filter: HitFilter,
    oracle: &mut Oracle,
) -> Result<(), VerifyError> {
    let found = scan(engine, job, nonces.clone(), filter)?;
    let expected = expected_of(job, nonces.clone(), filter, oracle)?;
    let check = "every nonce of a short range".to_owned();
    if found.hits != expected.hits {
        return Err(wrong_hits(engine, check, job, &nonces, &expected.hits, &found.hits, &oracle.name));
    }
    match found.xor_tail {
        Some(tail) if tail != expected.xor_tail => Err(WrongHash {
            id: engine.id().clone(),
            check,
            input: describe(job, &nonces),
            expected: format!("checksum {:016x}", expected.xor_tail),
            computed: format!("checksum {tail:016x}"),
            verified_by: oracle.name.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// What a range should give.
pub(super) struct Expected {
    /// Sorted.
    pub(super) hits: Vec<u32>,
    pub(super) xor_tail: u64,
}

/// Has the oracle hash every nonce of a range.
pub(super) fn expected_of(
    job: &Job,
    nonces: Range<u64>,
    filter: HitFilter,
    oracle: &mut Oracle,
) -> Result<Expected, EngineError> {
    let mut expected = Expected { hits: Vec::new(), xor_tail: 0 };
    let mut input = job.template.clone();
    for nonce in nonces {
        #[expect(clippy::cast_possible_truncation, reason = "nonces end at 2^32")]
        let nonce = nonce as u32;
        job.write_nonce(&mut input, nonce);
        let hash = oracle.hash(&input)?;
        expected.xor_tail ^= hash_tail(&hash);
        if filter.admits(&hash) {
            expected.hits.push(nonce);
        }
    }
    Ok(expected)
}

/// Says how hits differ from what they should be.
pub(super) fn wrong_hits(
    engine: &dyn Engine,
    check: String,
    job: &Job,
    nonces: &Range<u64>,
    expected: &[u32],
    computed: &[u32],
    verified_by: &str,
) -> VerifyError {
    WrongHash {
        id: engine.id().clone(),
        check,
        input: describe(job, nonces),
        expected: list(expected),
        computed: list(computed),
        verified_by: verified_by.to_owned(),
    }
    .into()
}

pub(super) fn describe(job: &Job, nonces: &Range<u64>) -> String {
    let key = if job.key.is_empty() { String::new() } else { format!("key {}, ", const_hex::encode(&job.key)) };
    format!("{key}{} with nonces {}..{}", const_hex::encode(&job.template), nonces.start, nonces.end)
}

fn list(nonces: &[u32]) -> String {
    let shown: Vec<String> = nonces.iter().take(20).map(ToString::to_string).collect();
    let more = if nonces.len() > shown.len() { ", ..." } else { "" };
    format!("{} hits: {}{more}", nonces.len(), shown.join(", "))
}

/// What an engine found in one range, all of it.
struct Found {
    /// Sorted.
    hits: Vec<u32>,
    xor_tail: Option<u64>,
}

#[derive(Default)]
struct Collect {
    hits: Vec<u32>,
    tails: Vec<Option<u64>>,
}

impl Sink for Collect {
    fn report(&mut self, report: SpanReport) {
        self.hits.extend(report.hits);
        self.tails.push(report.xor_tail);
    }
}

fn scan(engine: &mut dyn Engine, job: &Arc<Job>, nonces: Range<u64>, filter: HitFilter) -> Result<Found, EngineError> {
    let mut collect = Collect::default();
    engine.run(filter, &RangeWork::new(Arc::clone(job), nonces, Cancel::default()), &mut collect)?;
    collect.hits.sort_unstable();
    let xor_tail = collect.tails.into_iter().try_fold(0, |sum, tail| Some(sum ^ tail?));
    Ok(Found { hits: collect.hits, xor_tail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256d::scalar;

    #[test]
    fn the_headers_prove_themselves() {
        let answers = known_answers(sha256d::ALGORITHM);
        assert_eq!(answers.len(), 5);
        for answer in answers {
            assert_eq!(scalar::sha256d(&answer.input), answer.hash, "{}", answer.name);
            assert!(HitFilter::with_zero_bits(32).admits(&answer.hash), "{}", answer.name);
        }
    }

    #[test]
    fn all_vectors_of_randomx_are_read() {
        let answers = known_answers(randomx::ALGORITHM_V1);
        assert_eq!(answers.len(), 8);
        assert_eq!(answers[0].key, b"test key 000");
        assert_eq!(answers[0].input, b"This is a test");
        assert_eq!(answers[5].input.len(), 352);
        assert!(answers.iter().any(|answer| answer.key == randomx::BENCHMARK_KEY));
        assert!(known_answers("md5").is_empty());
    }
}
