//! `hashwatt scan`: a range of nonces, and those that meet the target.

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;

use super::args::{RandomxScan, ScanAlgorithm, ScanArguments};
use super::exit::{Failure, INTERRUPTED};
use super::hash::{bytes, no_commitment, randomx_key};
use super::output::Output;
use super::progress::Terminal;
use super::select;
use super::workshop::Workshop;
use crate::coin::bitcoin::{CompactTarget, Target};
use crate::coin::monero;
use crate::engine::{
    Candidate, Engine, EngineId, Hash, Hit, HitFilter, Job, NONCE_END, Progress, RangeWork, Sink, SpanReport,
};
use crate::record::Calibrated;
use crate::sha256d::BlockHeader;
use crate::sysroot::Sysroot;
use crate::verify::{TimedWork, VerifyError, WrongHash};
use crate::{randomx, sha256d};

/// More hits than this are not listed: the target is no target.
const HITS_MAX: f64 = 1e7;
/// Below this many SHA-256d hashes a trial of the engines takes longer than the work.
const TRIAL_MIN: u64 = 1 << 20;

#[derive(Serialize)]
struct Scanned {
    engine: EngineId,
    /// The rates that decided where the engine was to be chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tried: Vec<Calibrated>,
    scanned: u64,
    hits: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xor_tail: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
}

/// A hit, as it is printed.
#[derive(Serialize)]
struct Listed {
    nonce: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    hash: String,
}

/// What decides which hits are listed.
enum Goal {
    Target(Target),
    Difficulty(monero::Difficulty),
    /// Only the checksum is wanted.
    Checksum,
}

/// A scan whose arguments have been checked.
struct Scan<'a> {
    algorithm: &'static str,
    job: Arc<Job>,
    nonces: Range<u64>,
    goal: Goal,
    /// Whether commitments count in the place of hashes.
    commits: bool,
    engine: &'a str,
    threads: Option<usize>,
}

pub(super) fn run(arguments: &ScanArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let scan = check(&arguments.algorithm)?;
    let filter = scan.filter();
    let hashes = scan.hashes();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let hits_expected = hashes as f64 * filter.probability();
    if hits_expected > HITS_MAX {
        let message = format!("about {hits_expected:.0} of these {hashes} hashes would be hits");
        return Err(Failure::usage(message, "give a harder target, or fewer nonces or versions"));
    }
    let workshop = Workshop::open(&Sysroot::default(), scan.threads, output.quiet)?;
    let (candidate, tried) = scan.candidate(&workshop)?;
    let mut engine = workshop.prepare(candidate, &scan.job.key)?;
    let mut oracle = workshop.trust(candidate, engine.as_mut(), &scan.job)?;
    if scan.commits {
        engine.commit()?;
        oracle = oracle.followed_by(randomx::commitment);
    }

    workshop.terminal.step(&format!("scanning with {}", candidate.id), Some(hashes));
    let checked = TimedWork::new(filter, scan.nonces.end);
    let mut collect =
        Collect { terminal: &workshop.terminal, hits: Vec::new(), scanned: 0, xor_tail: Some(0), checked };
    let work = RangeWork::new(Arc::clone(&scan.job), scan.nonces.clone(), workshop.cancel.clone());
    engine.run(filter, &work, &mut collect)?;
    let Collect { hits, scanned, xor_tail, checked, .. } = collect;
    checked.check(engine.as_ref(), &mut oracle)?;
    let hits = scan.hits(hits, engine.as_mut())?;
    workshop.terminal.clear();
    let interrupted = scanned < hashes;
    let xor_tail = xor_tail.map(|tail| format!("{tail:016x}"));
    let scanned = Scanned { engine: candidate.id.clone(), tried, scanned, hits, xor_tail, interrupted };
    if output.json {
        output.json(&scanned)?;
    } else {
        print(&scanned, output)?;
    }
    Ok(if interrupted { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

fn check(algorithm: &ScanAlgorithm) -> Result<Scan<'_>, Failure> {
    match algorithm {
        ScanAlgorithm::Sha256d { commitment: true, .. } => Err(no_commitment()),
        ScanAlgorithm::Sha256d { header, nonces, version_mask, target, engine, threads, .. } => {
            let help = "a header is 160 hex digits without a prefix, as on the wire";
            let header =
                BlockHeader::from_hex(header).map_err(|error| Failure::usage(format!("--header: {error}"), help))?;
            let goal = Goal::Target(match target {
                Some(text) => text.parse().map_err(|error| Failure::usage(format!("--target: {error}"), ""))?,
                None => Target::try_from(CompactTarget(header.bits)).map_err(|error| {
                    Failure::usage(format!("the header's bits are no target: {error}"), "give a --target")
                })?,
            });
            let version_mask = match version_mask {
                Some(text) => mask(text)?,
                None if engine.ends_with("+rolled") => sha256d::VERSION_MASK,
                None => 0,
            };
            let (job, nonces) = (Arc::new(Job { version_mask, ..header.job() }), range(nonces)?);
            Ok(Scan { algorithm: sha256d::ALGORITHM, job, nonces, goal, commits: false, engine, threads: *threads })
        }
        ScanAlgorithm::RandomxV1(scan) => check_randomx(randomx::ALGORITHM_V1, scan),
        ScanAlgorithm::RandomxV2(scan) => check_randomx(randomx::ALGORITHM_V2, scan),
    }
}

fn check_randomx<'a>(algorithm: &'static str, scan: &'a RandomxScan) -> Result<Scan<'a>, Failure> {
    let RandomxScan { key, blob, nonce_offset, nonces, difficulty, commitment, engine, threads } = scan;
    let (key, template) = (randomx_key(key)?, bytes("--blob", blob)?);
    if nonce_offset.checked_add(4).is_none_or(|end| end > template.len()) {
        let message =
            format!("a nonce of 4 bytes at {nonce_offset} doesn't fit into a blob of {} bytes", template.len());
        return Err(Failure::usage(message, "give a longer --blob, or another --nonce-offset"));
    }
    let goal = match difficulty {
        Some(text) => {
            Goal::Difficulty(text.parse().map_err(|error| Failure::usage(format!("--difficulty: {error}"), ""))?)
        }
        None => Goal::Checksum,
    };
    let job = Arc::new(Job { key, template, nonce_offset: *nonce_offset, version_mask: 0 });
    Ok(Scan { algorithm, job, nonces: range(nonces)?, goal, commits: *commitment, engine, threads: *threads })
}

impl Scan<'_> {
    /// Returns the filter that is just looser than the goal.
    fn filter(&self) -> HitFilter {
        match &self.goal {
            Goal::Target(target) => {
                HitFilter::with_zero_bits(u32::try_from(target.to_u256().leading_zeros()).unwrap_or(0))
            }
            Goal::Difficulty(difficulty) => HitFilter::with_zero_bits(difficulty.to_u128().ilog2()),
            Goal::Checksum => HitFilter::with_zero_bits(32),
        }
    }

    /// Returns how many hashes there are to compute.
    fn hashes(&self) -> u64 {
        self.job.versions().saturating_mul(self.nonces.end - self.nonces.start)
    }

    /// Finds the engine that is meant, with the rates of those that were tried for it.
    fn candidate<'b>(&self, workshop: &'b Workshop) -> Result<(&'b Candidate, Vec<Calibrated>), Failure> {
        let mut tried = Vec::new();
        let candidate = self.choose(workshop, &mut tried)?;
        let id = &candidate.id;
        if self.job.version_mask != 0 && !candidate.id.is_rolled() {
            let message = format!("--version-mask {:08x}: {id} doesn't roll versions", self.job.version_mask);
            let rolled = EngineId::new(id.algorithm(), id.device(), &format!("{}+rolled", id.engine()));
            let help = match workshop.registry.get(rolled.as_str()) {
                Some(_) => format!("leave it out, or give --engine {rolled}"),
                None => "leave it out, or give --engine auto".to_owned(),
            };
            return Err(Failure::usage(message, help));
        }
        Ok((candidate, tried))
    }

    fn choose<'b>(&self, workshop: &'b Workshop, tried: &mut Vec<Calibrated>) -> Result<&'b Candidate, Failure> {
        let registry = &workshop.registry;
        let by_id = |id: &str| select::by_id(registry, id, self.algorithm);
        let (hashes, rolls) = (self.hashes(), self.job.version_mask != 0);
        match (self.engine, self.algorithm) {
            ("auto", sha256d::ALGORITHM) if hashes < TRIAL_MIN => {
                by_id(if rolls { "sha256d/cpu/scalar+rolled" } else { "sha256d/cpu/scalar" })
            }
            ("auto", sha256d::ALGORITHM) => {
                let is_rival = |candidate: &&Candidate| {
                    candidate.id.algorithm() == self.algorithm
                        && candidate.availability.is_ok()
                        && candidate.id.is_rolled() == rolls
                };
                let rivals: Vec<&Candidate> = registry.candidates().iter().filter(is_rival).collect();
                by_id(workshop.fastest(&rivals, tried)?.as_str())
            }
            ("auto", _) => {
                let fast = select::randomx(registry, self.algorithm, "fast");
                let is_sooner = |fast: &Candidate| match fast.id.engine() {
                    "reference" => randomx::is_fast_mode_of_reference_sooner(hashes, workshop.threads),
                    _ => randomx::is_fast_mode_sooner(hashes),
                };
                match fast {
                    Ok(fast) if is_sooner(fast) => Ok(fast),
                    _ => select::randomx(registry, self.algorithm, "light"),
                }
            }
            (id, _) => by_id(id),
        }
    }

    /// Hashes every candidate of a hit again, keeps those that meet the goal, and puts them in order.
    fn hits(&self, mut found: Vec<Hit>, engine: &mut dyn Engine) -> Result<Vec<Listed>, VerifyError> {
        if matches!(self.goal, Goal::Checksum) {
            return Ok(Vec::new());
        }
        found.sort_unstable();
        let filter = self.filter();
        let mut hits = Vec::new();
        for hit in found {
            let input = self.job.input(hit);
            let is_sha256d = self.algorithm == sha256d::ALGORITHM;
            let hash = if is_sha256d { sha256d::scalar::sha256d(&input) } else { engine.hash(&input)? };
            if !filter.admits(&hash) {
                let check = "a hit of the scan";
                return Err(WrongHash::hit(engine, check, &input, &hash, filter, "hashing it again").into());
            }
            if self.is_met_by(&hash) {
                let version = is_sha256d.then(|| format!("{:08x}", version_of(&input)));
                hits.push(Listed { nonce: hit.nonce, version, hash: displayed(hash, is_sha256d) });
            }
        }
        Ok(hits)
    }

    fn is_met_by(&self, hash: &Hash) -> bool {
        match &self.goal {
            Goal::Target(target) => target.is_met_by(hash),
            Goal::Difficulty(difficulty) => monero::meets(hash, *difficulty),
            Goal::Checksum => false,
        }
    }
}

/// Reads the version of a header.
fn version_of(header: &[u8]) -> u32 {
    header.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Reads a mask of version bits.
fn mask(text: &str) -> Result<u32, Failure> {
    let help = "give eight hex digits with at least one bit set, such as 1fffe000, the bits of BIP 320";
    let refuse = |reason: &str| Failure::usage(format!("--version-mask {text}: {reason}"), help);
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refuse("not eight hex digits"));
    }
    match u32::from_str_radix(text, 16) {
        Ok(0) | Err(_) => Err(refuse("there is no bit to roll")),
        Ok(mask) => Ok(mask),
    }
}

/// Writes a hash as its coin displays it: Bitcoin's big end first, RandomX's in byte order.
fn displayed(mut hash: Hash, is_sha256d: bool) -> String {
    if is_sha256d {
        hash.reverse();
    }
    const_hex::encode(hash)
}

struct Collect<'a> {
    terminal: &'a Terminal,
    hits: Vec<Hit>,
    scanned: u64,
    xor_tail: Option<u64>,
    checked: TimedWork,
}

impl Sink for Collect<'_> {
    fn report(&mut self, report: SpanReport) {
        self.scanned += report.span.hashes();
        self.xor_tail = self.xor_tail.zip(report.xor_tail).map(|(sum, tail)| sum ^ tail);
        self.hits.extend(&report.hits);
        self.checked.observe(report);
        self.terminal.set(self.scanned);
    }
}

/// Reads a half-open range of nonces.
fn range(text: &str) -> Result<Range<u64>, Failure> {
    let help = "give A..B with A below B and B at most 4294967296, decimal or 0x-hex; B itself is left out";
    let refuse = |reason: &str| Failure::usage(format!("--nonces {text}: {reason}"), help);
    let number = |digits: &str| match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let (start, end) = text.split_once("..").ok_or_else(|| refuse("there is no .. in it"))?;
    let (start, end) = match (number(start), number(end)) {
        (Ok(start), Ok(end)) => (start, end),
        (Err(_), _) => return Err(refuse(&format!("{start:?} is no number"))),
        (_, Err(_)) => return Err(refuse(&format!("{end:?} is no number"))),
    };
    if end > NONCE_END {
        return Err(refuse("nonces are 32 bits wide, and the range doesn't wrap"));
    }
    match start.cmp(&end) {
        std::cmp::Ordering::Less => Ok(start..end),
        std::cmp::Ordering::Equal => Err(refuse("it holds no nonce")),
        std::cmp::Ordering::Greater => Err(refuse("it runs backwards, and the range doesn't wrap")),
    }
}

fn print(scanned: &Scanned, output: &mut Output) -> std::io::Result<()> {
    for hit in &scanned.hits {
        let version = hit.version.as_ref().map_or_else(String::new, |version| format!("  version {version}"));
        output.line(&format!("nonce {}{version}  hash {}", hit.nonce, hit.hash))?;
    }
    if let Some(tail) = &scanned.xor_tail {
        output.line(&format!("xor_tail {tail}"))?;
    }
    let interrupted = if scanned.interrupted { ", then interrupted" } else { "" };
    let hits = match scanned.hits.len() {
        1 => "1 hit".to_owned(),
        count => format!("{count} hits"),
    };
    output.remark(&format!("{} hashes by {}: {hits}{interrupted}", scanned.scanned, scanned.engine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_in_decimal_and_hex() {
        assert_eq!(range("0..1").unwrap(), 0..1);
        assert_eq!(range("0x10..0x20").unwrap(), 16..32);
        assert_eq!(range("0..4294967296").unwrap(), 0..NONCE_END);
        assert_eq!(range("0xfffffffe..0x100000000").unwrap(), NONCE_END - 2..NONCE_END);
    }

    #[test]
    fn ranges_that_wrap_or_are_none_are_refused_with_the_reason() {
        let cases = [
            ("5", "there is no .."),
            ("..5", "\"\" is no number"),
            ("0..", "\"\" is no number"),
            ("a..5", "\"a\" is no number"),
            ("-1..5", "\"-1\" is no number"),
            ("5..5", "holds no nonce"),
            ("6..5", "runs backwards"),
            ("0..4294967297", "32 bits"),
            ("0..0x100000001", "32 bits"),
            ("0..99999999999999999999", "is no number"),
        ];
        for (text, reason) in cases {
            let message = range(text).unwrap_err().message;
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
