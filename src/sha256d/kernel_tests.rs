//! Drives every kernel that runs here, plain and rolled, against the `sha2` crate.

use std::sync::Arc;

use sha2::Digest;

use super::cpu;
use super::midstate::{Kernel, Midstate, RolledHit, Scan};
use crate::engine::{HitFilter, Job, NONCE_END};
use crate::random::SplitMix64;
use crate::sha256d::BlockHeader;

/// Lists the kernels that run here, the scalar one too, so that the test itself is tested.
fn kernels() -> Vec<(&'static str, Arc<dyn Kernel>)> {
    cpu::kernels().into_iter().filter_map(|(name, kernel)| Some((name, kernel.ok()?))).collect()
}

/// Returns a header whose bytes look random.
fn header(numbers: &mut SplitMix64) -> Job {
    let template = (0..80).map(|_| numbers.bits().to_le_bytes()[0]).collect();
    Job { key: Vec::new(), template, nonce_offset: 76, version_mask: 0 }
}

/// Returns copies of a header whose versions count up.
fn versions(job: &Job, count: u32) -> Vec<Job> {
    let with_version = |version: u32| {
        let mut job = job.clone();
        job.template[..4].copy_from_slice(&(0x2000_0000 | version << 13).to_le_bytes());
        job
    };
    (0..count).map(with_version).collect()
}

fn is_hit(job: &Job, nonce: u32, filter: HitFilter) -> bool {
    let mut header = job.template.clone();
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    let hash = sha2::Sha256::digest(sha2::Sha256::digest(&header));
    u32::from_le_bytes(hash[28..].try_into().expect("four bytes are left")) & filter.mask() == 0
}

/// Compares every kernel's hits of both scans, in order and each once, with those of the `sha2` crate.
fn check(jobs: &[Job], first_nonce: u32, count: u64, zero_bits: u32) {
    check_some(&kernels(), jobs, first_nonce, count, zero_bits);
}

fn check_some(kernels: &[(&'static str, Arc<dyn Kernel>)], jobs: &[Job], first_nonce: u32, count: u64, zero_bits: u32) {
    let filter = HitFilter::with_zero_bits(zero_bits);
    let midstates: Vec<Midstate> = jobs.iter().map(Midstate::of).collect();
    let states: Vec<[u32; 8]> = midstates.iter().map(|midstate| midstate.state).collect();
    let nonces =
        || (0..count).map(|offset| u32::try_from(u64::from(first_nonce) + offset).expect("the range ends at 2^32"));
    let expected: Vec<Vec<u32>> =
        jobs.iter().map(|job| nonces().filter(|&nonce| is_hit(job, nonce, filter)).collect()).collect();
    for (name, kernel) in kernels {
        let what = format!("{name}, {} states, {count} nonces from {first_nonce}, {zero_bits} bits", jobs.len());
        for (midstate, expected) in midstates.iter().zip(&expected) {
            let mut hits = Vec::new();
            kernel.scan(midstate, first_nonce, count, filter, &mut hits);
            assert_eq!(&hits, expected, "{what}");
        }
        let mut hits = Vec::new();
        let scan = Scan { states: &states, tail: midstates[0].tail, first_nonce, count, filter };
        kernel.scan_rolled(&scan, &mut hits);
        hits.sort_unstable();
        let rolled = (0..).zip(&expected).flat_map(|(state, nonces)| nonces.iter().map(move |&nonce| (state, nonce)));
        let rolled: Vec<RolledHit> = rolled.map(|(state, nonce)| RolledHit { state, nonce }).collect();
        assert_eq!(hits, rolled, "{what}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_kernel_is_there_exactly_where_its_features_are() {
    let names: Vec<&str> = kernels().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"scalar"));
    assert_eq!(names.contains(&"sha-ni"), is_x86_feature_detected!("sha"));
    assert_eq!(names.contains(&"avx2"), is_x86_feature_detected!("avx2"));
    let has_avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    assert_eq!(names.contains(&"avx512"), has_avx512);
}

#[test]
fn a_range_may_begin_and_end_at_every_lane() {
    let mut numbers = SplitMix64::new(1);
    // The largest step of a kernel is 48 nonces. Where every hash is a hit, each lane shows.
    for count in 0..=100 {
        let job = header(&mut numbers);
        let first_nonce = (numbers.bits() as u32) & 0x7fff_ffff;
        check(std::slice::from_ref(&job), first_nonce, count, 0);
        check(&versions(&job, 2), first_nonce, count, 1);
    }
}

#[test]
fn the_last_nonce_is_followed_by_none() {
    let mut numbers = SplitMix64::new(2);
    for count in 0..=100 {
        let job = header(&mut numbers);
        check(&versions(&job, 2), u32::try_from(NONCE_END - 1 - count).unwrap(), count + 1, 0);
    }
    check(&[header(&mut numbers)], 0, 1, 0);
    check(&[header(&mut numbers)], 0, 257, 5);
}

#[test]
fn every_state_of_any_number_is_scanned() {
    let mut numbers = SplitMix64::new(3);
    for count in (1..=17).chain([64]) {
        let job = header(&mut numbers);
        let first_nonce = (numbers.bits() as u32) & 0x7fff_ffff;
        check(&versions(&job, count), first_nonce, 61, 0);
        check(&versions(&job, count), first_nonce, 500, 5);
    }
}

#[test]
fn masks_of_every_width_find_the_same_as_the_oracle() {
    let mut numbers = SplitMix64::new(4);
    for zero_bits in 0..=16 {
        check(&versions(&header(&mut numbers), 3), (numbers.bits() as u32) & 0x7fff_ffff, 1 << 10, zero_bits);
    }
}

#[test]
fn the_solution_of_block_125552_is_found_in_every_lane() {
    let (job, solution) = (BlockHeader::BLOCK_125552.job(), BlockHeader::BLOCK_125552.nonce);
    let first = solution - 60;
    let version = u32::from_le_bytes(job.template[..4].try_into().unwrap());
    // Its neighbours by version have none there.
    let mut jobs = versions(&job, 4);
    jobs.insert(2, job.clone());
    assert!(is_hit(&job, solution, HitFilter::with_zero_bits(32)) && version == 1);
    for offset in 0..=60 {
        check(&jobs, first + offset, 61, 32);
    }
    check(&jobs, solution, 1, 32);
    check(&jobs, solution + 1, 100, 32);
}

#[test]
fn messages_of_every_length_are_hashed() {
    let message: Vec<u8> = (0..200_u8).map(|index| index.wrapping_mul(151)).collect();
    for (name, kernel) in kernels() {
        for length in 0..=message.len() {
            let expected = sha2::Sha256::digest(sha2::Sha256::digest(&message[..length]));
            assert_eq!(kernel.sha256d(&message[..length])[..], expected[..], "{name}, length {length}");
        }
    }
}

/// Compares a thousand million hashes of every kernel but the scalar one, plain and rolled, with the `sha2` crate: one
/// bit of each decides whether it is a hit. `cargo test --release --lib -- --ignored soak` takes about five minutes on
/// two processors; with the scalar kernel, which is an oracle itself, it would be fifteen.
#[test]
#[ignore = "takes minutes: cargo test --release --lib -- --ignored soak"]
fn soak() {
    const VERSIONS: u32 = 32;
    const NONCES: u64 = 1 << 15;
    const ROUNDS: u64 = 1_000_000_000 / (VERSIONS as u64 * NONCES) + 1;
    let mut fast = kernels();
    fast.retain(|(name, _)| *name != "scalar");
    let next_round = std::sync::atomic::AtomicU64::new(0);
    let work = || loop {
        let round = next_round.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if round >= ROUNDS {
            return;
        }
        let mut numbers = SplitMix64::new(1000 + round);
        let jobs = versions(&header(&mut numbers), VERSIONS);
        // Each hundredth range ends with the last nonce of all.
        let last = NONCE_END - NONCES;
        let first_nonce = if round.is_multiple_of(100) { last } else { numbers.bits() % last };
        check_some(&fast, &jobs, u32::try_from(first_nonce).unwrap(), NONCES, 1);
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
}
