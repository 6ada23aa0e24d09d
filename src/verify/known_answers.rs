//! Known answers: inputs whose hashes somebody else published, and small ranges that the oracle scans as well.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;

use super::{Oracle, VerifyError, WrongHash};
use crate::engine::{
    Cancel, Engine, EngineError, Hash, Hit, HitFilter, Job, NONCE_END, RangeWork, Sink, Span, SpanReport, Workload,
    hash_tail,
};
use crate::{randomx, sha256d};

const SHA256D: &str = include_str!("../../tests/vectors/sha256d.json");
const RANDOMX_V1: &str = include_str!("../../tests/vectors/randomx_v1.json");
const RANDOMX_V2: &str = include_str!("../../tests/vectors/randomx_v2.json");

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
        randomx::ALGORITHM_V2 => (RANDOMX_V2, false),
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
            find_nonce(engine, &answer, &workload.job)?;
            checks += 1;
        }
    }
    if oracle.is_nobody() {
        return Ok(checks);
    }
    // Odd ends, and more than one lane of whatever is parallel; few where a hash takes milliseconds.
    let (count, zero_bits) = if oracle.budget_hashes > 1000 { (4099, 4) } else { (3, 0) };
    let job = Job { version_mask: few_versions(workload.job.version_mask, 5), ..workload.job.clone() };
    let start = NONCE_END - (count / job.versions()).max(3);
    compare_range(engine, &Arc::new(job), start..NONCE_END, HitFilter::with_zero_bits(zero_bits), oracle)?;
    Ok(checks + 1)
}

/// Returns the lowest bits of a mask, as many as there may be.
fn few_versions(mask: u32, bits: u32) -> u32 {
    let mut few = 0;
    for _ in 0..bits {
        few |= (mask & !few) & (mask & !few).wrapping_neg();
    }
    few
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

/// Scans around the nonce of a solved header, and with eight versions where the engine rolls them. The header alone has
/// 32 leading zero bits, but for a chance of one in a million.
fn find_nonce(engine: &mut dyn Engine, answer: &KnownAnswer, like: &Job) -> Result<(), VerifyError> {
    let nonce: [u8; 4] = std::array::from_fn(|index| answer.input[like.nonce_offset + index]);
    let nonce = u32::from_le_bytes(nonce);
    let version_mask = few_versions(like.version_mask, 3);
    let job = Job { key: answer.key.clone(), template: answer.input.clone(), version_mask, ..*like };
    let hit = Hit { version: job.template_version_index(), nonce };
    let nonces = u64::from(nonce).saturating_sub(1000)..NONCE_END.min(u64::from(nonce) + 1000);
    let span = all_versions(&Arc::new(job), nonces);
    let found = scan(engine, &span, HitFilter::with_zero_bits(32))?;
    if found.hits == [hit] {
        return Ok(());
    }
    let check = format!("known answer: {}", answer.name);
    Err(wrong_hits(engine, check, &span, &[hit], &found.hits, "the published hash"))
}

fn all_versions(job: &Arc<Job>, nonces: Range<u64>) -> Span {
    Span { versions: 0..job.versions(), ..Span::of_nonces(Arc::clone(job), nonces) }
}

/// Scans a range and has the oracle hash every nonce of it.
fn compare_range(
    engine: &mut dyn Engine,
    job: &Arc<Job>,
    nonces: Range<u64>,
    filter: HitFilter,
    oracle: &mut Oracle,
) -> Result<(), VerifyError> {
    let span = all_versions(job, nonces);
    let found = scan(engine, &span, filter)?;
    let expected = expected_of(&span, filter, oracle)?;
    let check = "every nonce of a short range".to_owned();
    if found.hits != expected.hits {
        return Err(wrong_hits(engine, check, &span, &expected.hits, &found.hits, &oracle.name));
    }
    match found.xor_tail {
        Some(tail) if tail != expected.xor_tail => Err(WrongHash {
            id: engine.id().clone(),
            check,
            input: describe(&span),
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
    pub(super) hits: Vec<Hit>,
    pub(super) xor_tail: u64,
}

/// Has the oracle hash every input of a span.
pub(super) fn expected_of(span: &Span, filter: HitFilter, oracle: &mut Oracle) -> Result<Expected, EngineError> {
    let mut expected = Expected { hits: Vec::new(), xor_tail: 0 };
    let mut input = span.job.template.clone();
    for hit in span.inputs() {
        span.job.write(&mut input, hit);
        let hash = oracle.hash(&input)?;
        expected.xor_tail ^= hash_tail(&hash);
        if filter.admits(&hash) {
            expected.hits.push(hit);
        }
    }
    Ok(expected)
}

/// Says how hits differ from what they should be.
pub(super) fn wrong_hits(
    engine: &dyn Engine,
    check: String,
    span: &Span,
    expected: &[Hit],
    computed: &[Hit],
    verified_by: &str,
) -> VerifyError {
    WrongHash {
        id: engine.id().clone(),
        check,
        input: describe(span),
        expected: list(expected),
        computed: list(computed),
        verified_by: verified_by.to_owned(),
    }
    .into()
}

/// Names what a span holds, so that it can be hashed again.
pub(super) fn describe(span: &Span) -> String {
    let Span { job, versions, nonces } = span;
    let key = if job.key.is_empty() { String::new() } else { format!("key {}, ", const_hex::encode(&job.key)) };
    let versions = match job.version_mask {
        0 => String::new(),
        mask => format!("versions {}..{} of the mask {mask:08x} and ", versions.start, versions.end),
    };
    format!("{key}{} with {versions}nonces {}..{}", const_hex::encode(&job.template), nonces.start, nonces.end)
}

fn list(hits: &[Hit]) -> String {
    let word = |hit: &Hit| match hit.version {
        0 => hit.nonce.to_string(),
        version => format!("{} of version {version}", hit.nonce),
    };
    let shown: Vec<String> = hits.iter().take(20).map(word).collect();
    let more = if hits.len() > shown.len() { ", ..." } else { "" };
    format!("{} hits: {}{more}", hits.len(), shown.join(", "))
}

/// What an engine found in one range, all of it.
struct Found {
    /// Sorted.
    hits: Vec<Hit>,
    xor_tail: Option<u64>,
}

#[derive(Default)]
struct Collect {
    hits: Vec<Hit>,
    tails: Vec<Option<u64>>,
}

impl Sink for Collect {
    fn report(&mut self, report: SpanReport) {
        self.hits.extend(report.hits);
        self.tails.push(report.xor_tail);
    }
}

/// Scans a span that holds all versions of its job.
fn scan(engine: &mut dyn Engine, span: &Span, filter: HitFilter) -> Result<Found, EngineError> {
    let mut collect = Collect::default();
    let work = RangeWork::new(Arc::clone(&span.job), span.nonces.clone(), Cancel::default());
    engine.run(filter, &work, &mut collect)?;
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
        let answers = known_answers(randomx::ALGORITHM_V2);
        assert_eq!((answers.len(), answers[1].input.as_slice()), (5, &b"Lorem ipsum dolor sit amet"[..]));
        assert!(known_answers("md5").is_empty());
    }
}
