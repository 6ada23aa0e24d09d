//! A scan finds exactly the nonces that solve a block, with every engine, and RandomX's published checksums.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use common::{HASH_125552, HEADER_125552, NONCE_125552, available_engines, hashwatt};
use serde_json::{Value, json};

/// 32 zero bytes in hex.
const KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Block 558432 of the main chain, which was mined with a rolled version.
const HEADER_558432: &str = "00c0ff2f6550b5dae76559589e3e3e135237072b6bc498949da6280000000000000000005988783435f506d2ccfbadb484e56d6f1d5dfdd480650acae1e3b43d3464ea73caf13b5c33d62f171d508fdb";
const NONCE_558432: u64 = 3683602461;
const HASH_558432: &str = "00000000000000000021ac236d0b29b4467f99c2c8783032451ba7b735045e3c";

fn is_plain_sha256d(id: &str) -> bool {
    id.starts_with("sha256d/") && !id.ends_with("+rolled")
}

fn rolled_engines() -> Vec<String> {
    let mut engines = available_engines();
    engines.retain(|id| id.starts_with("sha256d/") && id.ends_with("+rolled"));
    assert!(engines.iter().any(|id| id == "sha256d/cpu/scalar+rolled"), "it runs everywhere: {engines:?}");
    engines
}

fn scan_sha256d(engine: &str, nonces: &str) -> Value {
    hashwatt(&["scan", "sha256d", "--header", HEADER_125552, "--nonces", nonces, "--engine", engine, "--json"]).json()
}

#[test]
fn every_engine_finds_the_one_nonce_of_block_125552() {
    let engines = available_engines();
    let engines: Vec<&String> = engines.iter().filter(|id| is_plain_sha256d(id)).collect();
    assert!(engines.iter().any(|id| *id == "sha256d/cpu/scalar"), "the scalar engine runs everywhere: {engines:?}");
    for engine in engines {
        // Ragged at both ends, and more than one piece of work for whatever is parallel.
        let nonces = format!("{}..{}", NONCE_125552 - 99_999, NONCE_125552 + 100_002);
        let expected = json!({
            "engine": engine,
            "scanned": 200_001,
            "hits": [{ "nonce": NONCE_125552, "version": "00000001", "hash": HASH_125552 }],
        });
        assert_eq!(scan_sha256d(engine, &nonces), expected);
    }
}

#[test]
fn every_rolled_engine_finds_a_real_version_among_all_65536() {
    for engine in rolled_engines() {
        // Any version of the mask is where it may begin.
        let header = format!("00e0ff3f{}", &HEADER_558432[8..]);
        let nonces = format!("{}..{}", NONCE_558432 - 5, NONCE_558432 + 3);
        let run = ["scan", "sha256d", "--header", &header, "--nonces", &nonces, "--engine", &engine, "--json"];
        let expected = json!({
            "engine": engine,
            "scanned": 8 << 16,
            "hits": [{ "nonce": NONCE_558432, "version": "2fffc000", "hash": HASH_558432 }],
        });
        assert_eq!(hashwatt(&run).json(), expected);
    }
}

#[test]
fn each_version_of_a_mask_is_scanned_once_with_each_nonce_and_hits_come_in_order() {
    let target = format!("000fffff{}", "f".repeat(56));
    // One bit, the version's lowest and highest bit, and a block of versions more than one span holds.
    for (mask, bits) in [("00002000", vec![13]), ("80000001", vec![0, 31]), ("0007e000", vec![13, 14, 15, 16, 17, 18])]
    {
        let mut expected = Vec::new();
        for index in 0..1_u32 << bits.len() {
            let version = bits
                .iter()
                .enumerate()
                .fold(1, |version: u32, (number, bit)| version & !(1 << bit) | (index >> number & 1) << bit);
            for nonce in 100..3100 {
                let hash = displayed_hash_of(version, nonce);
                if hash <= target {
                    expected.push(json!({ "nonce": nonce, "version": format!("{version:08x}"), "hash": hash }));
                }
            }
        }
        assert!(!expected.is_empty());
        for engine in rolled_engines() {
            let run = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "100..3100", "--target", &target];
            let more = ["--version-mask", mask, "--engine", &engine, "--json"];
            let found = hashwatt(&[&run[..], &more].concat()).json();
            assert_eq!(found["scanned"], 3000_u64 << bits.len(), "{engine}, {mask}");
            assert_eq!(found["hits"], json!(expected), "{engine}, {mask}");
        }
    }
}

#[test]
fn auto_rolls_versions_only_where_a_mask_is_given_and_says_what_it_tried() {
    let run = ["scan", "sha256d", "--header", HEADER_125552, "--json", "--nonces"];
    let plain = hashwatt(&[&run[..], &["0..2000000"]].concat()).json();
    assert!(is_plain_sha256d(plain["engine"].as_str().unwrap()), "{plain}");
    assert!(plain["tried"].as_array().unwrap().len() > 1, "{plain}");
    let rolled = hashwatt(&[&run[..], &["0..1000000", "--version-mask", "00002000"]].concat()).json();
    assert!(rolled["engine"].as_str().unwrap().ends_with("+rolled"), "{rolled}");
    assert_eq!(rolled["scanned"], 2_000_000);
}

#[test]
fn the_nonce_is_found_at_either_end_of_a_range_and_alone() {
    for (start, end) in [(0, 1), (0, 1000), (999, 1)] {
        let nonces = format!("{}..{:#x}", NONCE_125552 - start, NONCE_125552 + end);
        let found = scan_sha256d("auto", &nonces);
        assert_eq!(found["hits"][0]["nonce"], NONCE_125552, "{nonces}");
        assert_eq!(found["scanned"], start + end, "{nonces}");
    }
    let beside = format!("{}..{}", NONCE_125552 + 1, NONCE_125552 + 5000);
    assert_eq!(scan_sha256d("auto", &beside)["hits"], json!([]));
}

#[test]
fn the_last_nonce_of_all_is_scanned() {
    let found = scan_sha256d("auto", "4294967290..4294967296");
    assert_eq!((&found["scanned"], &found["hits"]), (&json!(6), &json!([])));
}

#[test]
fn a_loose_target_gives_every_hit_in_order_with_hashes_below_it() {
    let target = format!("000fffff{}", "f".repeat(56));
    let run = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..20000", "--target", &target, "--json"];
    let reference = hashwatt(&run).json();
    let hits = reference["hits"].as_array().unwrap();
    assert!(!hits.is_empty());
    let nonces: Vec<u64> = hits.iter().map(|hit| hit["nonce"].as_u64().unwrap()).collect();
    assert!(nonces.is_sorted_by(|a, b| a < b), "{nonces:?}");
    let expected: Vec<u64> = (0..20_000).filter(|&nonce| displayed_hash(nonce) <= target).collect();
    assert_eq!(nonces, expected);
    for hit in hits {
        assert_eq!(hit["hash"], displayed_hash(hit["nonce"].as_u64().unwrap()));
    }
    for engine in available_engines().iter().filter(|id| is_plain_sha256d(id)) {
        let found = hashwatt(&[&run[..], &["--engine", engine]].concat()).json();
        assert_eq!(found["hits"], reference["hits"], "{engine}");
    }
}

/// Hashes the header with another nonce by the `sha2` crate, big end first.
fn displayed_hash(nonce: u64) -> String {
    displayed_hash_of(1, nonce)
}

/// Hashes the header with another version and nonce by the `sha2` crate, big end first.
fn displayed_hash_of(version: u32, nonce: u64) -> String {
    use sha2::{Digest, Sha256};
    let mut header = const_hex::decode(HEADER_125552).unwrap();
    header[..4].copy_from_slice(&version.to_le_bytes());
    header[76..].copy_from_slice(&u32::try_from(nonce).unwrap().to_le_bytes());
    let mut hash: [u8; 32] = Sha256::digest(Sha256::digest(&header)).into();
    hash.reverse();
    const_hex::encode(hash)
}

/// Returns the fastest engine of our own that hashes in light mode here.
fn light_engine() -> String {
    let jit = "randomx-v1/cpu/jit+light";
    let is_available = available_engines().iter().any(|id| id == jit);
    if is_available { jit.to_owned() } else { "randomx-v1/cpu/interpreter+light".to_owned() }
}

/// Scans the work of XMRig's benchmark with RandomX in light mode. The checksums were computed with the reference.
fn scan_randomx(nonces: &str, more: &[&str]) -> Value {
    let blob = "00".repeat(112);
    let light = light_engine();
    let run = ["scan", "randomx-v1", "--key", KEY, "--blob", &blob, "--nonces", nonces, "--engine", &light, "--json"];
    hashwatt(&[&run, more].concat()).json()
}

/// Asserts that what some process did in two numbers of threads is one and the same.
fn has_checksum(nonces: &str, count: u64, xor_tail: &str) {
    let expected = json!({ "engine": light_engine(), "scanned": count, "hits": [], "xor_tail": xor_tail });
    assert_eq!(scan_randomx(nonces, &[]), expected);
    assert_eq!(scan_randomx(nonces, &["--threads", "1"]), expected);
}

#[test]
fn light_mode_gives_the_checksum_of_64_nonces() {
    has_checksum("0..64", 64, "acd87a07ec5c3dcc");
}

#[test]
fn light_mode_gives_the_checksum_of_256_nonces_and_checksums_of_parts_add_up() {
    assert_eq!(scan_randomx("0..256", &[])["xor_tail"], "be5de7fe80c38cca");
    let rest = scan_randomx("64..256", &[])["xor_tail"].as_str().map(|hex| u64::from_str_radix(hex, 16).unwrap());
    assert_eq!(rest.unwrap() ^ 0xacd8_7a07_ec5c_3dcc, 0xbe5d_e7fe_80c3_8cca);
}

#[test]
fn a_difficulty_lists_the_nonces_that_meet_it() {
    let all = scan_randomx("0..24", &["--difficulty", "1"]);
    let all = all["hits"].as_array().unwrap();
    assert_eq!(all.len(), 24, "difficulty 1 is met by every hash");
    let some = scan_randomx("0..24", &["--difficulty", "4"]);
    // Monero's rule: the hash, a little-endian number, times the difficulty stays below 2^256.
    let meets = |hit: &&Value| const_hex::decode(hit["hash"].as_str().unwrap()).unwrap()[31] < 64;
    let expected: Vec<&Value> = all.iter().filter(meets).collect();
    assert_eq!(some["hits"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
    assert_eq!(some["hits"][0].get("version"), None, "only Bitcoin's headers have one");
}
