//! Every parser of foreign records against damaged input: none may panic, hang, or keep more than it should.
//!
//! Inputs are those of `tests/corpus`, changed at random in ways that parsers mind: bits, numbers at their limits,
//! parts cut out, doubled, swapped between files. A seed repeats them. The tests run a few thousand; for more:
//!
//! ```text
//! HASHWATT_FUZZ_S=600 cargo test --release --test fuzz -- --nocapture
//! ```
//!
//! runs each parser for ten minutes. An input that fails is written to the directory of `HASHWATT_FUZZ_OUT`, if that is
//! set, before it is read; the slowest one, too.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can't go on has failed; what a long run did is printed"
)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hashwatt::traffic::flows::{self, search};
use hashwatt::traffic::input::Input;
use hashwatt::traffic::{capture, stratum};

/// Inputs of a usual run, for each parser.
const INPUTS: u64 = 2_000;
/// The longest input that changes lead to, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// The generator splitmix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit.max(1) as u64) as usize
    }

    /// A part of so many bytes: where it begins, and where it ends.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        // Short parts are the more telling ones.
        let longest = 1 << self.below(12);
        start..(start + self.below(longest + 1)).min(length)
    }
}

/// Words that parsers of these records mind.
const WORDS: [&[u8]; 28] = [
    b"\n",
    b"\r\n",
    b"\t",
    b",",
    b"\"",
    b"\\",
    b"\0",
    b"{",
    b"}",
    b"[",
    b"-",
    b".",
    b"e999",
    b"1e308",
    b"NaN",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"#fields\t",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"Content-Length: 99999999999\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n",
    b"\r\nffffff\r\n",
    b"\r\n\r\n",
    b"{\"method\":\"mining.notify\",\"params\":[\"a\"]}\n",
    b"{\"method\":\"login\",\"id\":1}\n",
    b"\x17\x03\x03\xff\xff",
];

/// Changes an input in a few places.
fn mutate(seed: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(6) {
        let part = random.part(bytes.len());
        match random.below(10) {
            0 if !bytes.is_empty() => {
                let place = random.below(bytes.len());
                bytes[place] ^= 1 << random.below(8);
            }
            1 if !bytes.is_empty() => {
                let place = random.below(bytes.len());
                bytes[place] = random.bits() as u8;
            }
            // A number of four bytes at its limits, in either order.
            2 if bytes.len() >= 4 => {
                let place = random.below(bytes.len() - 3);
                let values = [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX - 3, u32::MAX];
                let value = values[random.below(values.len())];
                let value = if random.below(2) == 0 { value.to_le_bytes() } else { value.to_be_bytes() };
                bytes[place..place + 4].copy_from_slice(&value);
            }
            3 => drop(bytes.drain(part)),
            4 => {
                let copy = bytes[part].to_vec();
                let place = random.below(bytes.len() + 1);
                bytes.splice(place..place, copy);
            }
            5 | 6 => {
                let place = random.below(bytes.len() + 1);
                bytes.splice(place..place, WORDS[random.below(WORDS.len())].to_vec());
            }
            7 => {
                let other = &others[random.below(others.len())];
                let foreign = other[random.part(other.len())].to_vec();
                bytes.splice(part, foreign);
            }
            8 => bytes.truncate(part.start),
            _ => {
                let filling = vec![random.bits() as u8; random.below(300)];
                bytes.splice(part, filling);
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 3, "{folder}: {paths:?}");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs a parser over its corpus as it is, which it has to accept, and over changed inputs.
fn fuzz(folder: &str, parse: impl Fn(Input) -> bool) {
    let seeds = corpus(folder);
    let input = |bytes: &[u8]| Input::from_reader(Path::new("x"), Cursor::new(bytes.to_vec()));
    for seed in &seeds {
        assert!(
            parse(input(seed).unwrap()),
            "{folder}: an input of the corpus is refused: {:?}",
            &seed[..seed.len().min(80)]
        );
    }
    let limit: Option<u64> = std::env::var("HASHWATT_FUZZ_S").ok().map(|seconds| seconds.parse().unwrap());
    let out = std::env::var_os("HASHWATT_FUZZ_OUT").map(|out| PathBuf::from(out).join(folder));
    let mut random = Random(limit.unwrap_or(1));
    let start = Instant::now();
    let (mut count, mut accepted, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while limit.map_or(count < INPUTS, |seconds| start.elapsed() < Duration::from_secs(seconds)) {
        let seed = &seeds[random.below(seeds.len())];
        let bytes = mutate(seed, &seeds, &mut random);
        if let Some(out) = &out {
            fs::write(out, &bytes).unwrap();
        }
        let began = Instant::now();
        // A damaged head of a compressed file is refused before any parser sees it.
        accepted += u64::from(input(&bytes).is_ok_and(&parse));
        if began.elapsed() > slowest {
            slowest = began.elapsed();
            if let Some(out) = &out {
                fs::write(out.with_extension("slowest"), &bytes).unwrap();
            }
        }
        count += 1;
    }
    if limit.is_some() {
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        println!("{folder}: {count} inputs in {minutes:.1} min, {accepted} accepted, the slowest in {slowest:?}");
    }
    assert!(accepted > 0, "{folder}: changes leave nothing that is accepted, so they test little");
}

#[test]
fn flow_records_of_any_kind() {
    fuzz("flows", |input| match flows::read(input) {
        Ok((endpoints, reading)) => {
            let found = search(&endpoints, 1.0);
            let is_usual = |estimate: &flows::ShareEstimate| {
                estimate.shares.is_ordered() && estimate.share_rate_per_s.is_ordered()
            };
            assert!(found.candidates.iter().all(|candidate| candidate.estimates.iter().all(is_usual)), "{found:?}");
            reading.records > 0
        }
        Err(_) => false,
    });
}

#[test]
fn transcripts_of_any_kind() {
    fuzz("transcripts", |input| match stratum::read_transcript(input) {
        Ok(transcript) => {
            let rates = transcript.sessions.iter().filter_map(|(_, session)| session.hash_rate_hps);
            rates.for_each(|rate| assert!(rate.is_ordered(), "{rate:?}"));
            true
        }
        Err(_) => false,
    });
}

#[test]
fn captures_of_any_kind() {
    fuzz("captures", |input| match capture::read(input) {
        Ok(capture) => {
            for found in capture.found {
                match found.outcome {
                    stratum::Outcome::Session(session) => {
                        assert!(session.hash_rate_hps.is_none_or(|rate| rate.is_ordered()), "{session:?}");
                    }
                    stratum::Outcome::Encrypted(encrypted) => {
                        assert!(encrypted.share_rate_per_s.is_none_or(|rate| rate.is_ordered()), "{encrypted:?}");
                    }
                }
            }
            true
        }
        Err(_) => false,
    });
}
