//! Whole hashes against published ones, and against the reference implementation.

use std::sync::Arc;

use super::*;
use crate::randomx::cache::Cache;
use crate::randomx::cache::tests::test_key_000;

fn light(version: Version, cache: &Arc<Cache>, execution: Execution) -> Machine {
    Machine::new(version, Items::Computed(Arc::clone(cache)), execution).unwrap()
}

/// How programs can be executed here.
const EXECUTIONS: &[Execution] = if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
    &[Execution::Interpreted, Execution::Compiled]
} else {
    &[Execution::Interpreted]
};

fn check(version: Version, cache: &Arc<Cache>, cases: &[(Vec<u8>, &str)]) {
    for &execution in EXECUTIONS {
        let mut machine = light(version, cache, execution);
        for (input, expected) in cases {
            let hash = const_hex::encode(machine.hash(input));
            assert_eq!(hash, *expected, "{version:?} {execution:?}: {}", const_hex::encode(input));
        }
        if execution == *EXECUTIONS.last().unwrap() {
            let mut hashes = Vec::new();
            machine.hash_each(cases.iter().map(|(input, _)| input), |hash| hashes.push(const_hex::encode(hash)));
            assert!(cases.iter().map(|&(_, expected)| expected).eq(&hashes), "{version:?} {execution:?}");
        }
    }
}

const LOREM: &[u8] = b"Lorem ipsum dolor sit amet";
const SED: &[u8] = b"sed do eiusmod tempor incididunt ut labore et dolore magna aliqua";

/// Hashes from upstream's src/tests/tests.cpp, version 1 and 2.
#[test]
fn hashes_with_the_first_key_are_the_published_ones() {
    let cache = test_key_000();
    let v1 = [
        (b"This is a test".to_vec(), "639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f"),
        (LOREM.to_vec(), "300a0adb47603dedb42228ccb2b211104f4da45af709cd7547cd049e9489c969"),
        (SED.to_vec(), "c36d4ed4191e617309867ed66a443be4075014e2b061bcdaf9ce7b721d2b77a8"),
    ];
    let v2 = [
        (b"This is a test".to_vec(), "22ec6b861b3eb23686b2efbad69513c967ecfce80983df66c9c5b4fbfb4cdb6f"),
        (LOREM.to_vec(), "9e2c772c12fd48f93c14c97fdc89d556264d9100597023f44d9163e279012ecf"),
        (SED.to_vec(), "4d6b063a1a603751d525f18a171336a4002f2f06df6c17e4b25fe17e17796e42"),
    ];
    check(Version::V1, &cache, &v1);
    check(Version::V2, &cache, &v2);
}

/// Hashes from upstream's src/tests/tests.cpp, version 1 and 2.
#[test]
fn hashes_with_the_second_key_are_the_published_ones() {
    let cache = Arc::new(Cache::new(b"test key 001").unwrap());
    let blob = const_hex::decode(
        "0b0b98bea7e805e0010a2126d287a2a0cc833d312cb786385a7c2f9de69d25537f584a9bc9977b00000000666fd8753bf61a8631f1298\
         4e3fd44f4014eca629276817b56f32e9b68bd82f416",
    )
    .unwrap();
    let v1 = [
        (SED.to_vec(), "e9ff4503201c0c2cca26d285c93ae883f9b1d30c9eb240b820756f2d5a7905fc"),
        (blob.clone(), "c56414121acda1713c2f2a819d8ae38aed7c80c35c2a769298d34f03833cd5f1"),
    ];
    let v2 = [
        (SED.to_vec(), "97024134686ce27d362ea8d86d8ef16483ac272abdabd46ef13359400777fe5e"),
        (blob, "c8e92c5f7c1946fecf06bc382b92e3111da38ee3e6a5ad90704e1a9d8aaf6e76"),
    ];
    check(Version::V1, &cache, &v1);
    check(Version::V2, &cache, &v2);
}

/// Upstream's known answer for ISUB_R with an immediate of -2^31, which some JIT compilers get wrong (tests 1f and 2f
/// of version 1.2.3).
#[test]
fn the_most_negative_immediate_is_subtracted_rightly() {
    let key = const_hex::decode("7797373ea4633194640bf8d8c3b66724d6aa7bd2dc20e009df2f8f1710abe8").unwrap();
    let cache = Arc::new(Cache::new(&key).unwrap());
    let input = const_hex::decode(
        "1010e1eaf8cf067b37b5f0ee031ab23ed1755e090a3af4415830145853e2be3e1f6821fed84dae58d00e00da5214d6c1f2d0622e0abd5\
         1f9373d04e0b0f8e6d6514d90689721c4aac5a9bb0d",
    )
    .unwrap();
    check(Version::V1, &cache, &[(input, "78af2a1864c42abce36d2e8983e13df99b2af0ce1362999af09fab004d4435a8")]);
}

/// Monero's known answers, and one that reads the last item of the dataset.
#[test]
fn hashes_of_the_project_s_vectors_come_out() {
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/randomx_v1.json")).unwrap();
    let text = |vector: &serde_json::Value, field: &str| vector[field].as_str().unwrap().to_owned();
    let vectors = document["vectors"].as_array().unwrap();
    let mut checked = 0;
    // Those with the first two keys are checked above.
    for vector in vectors.iter().filter(|vector| !text(vector, "name").starts_with("upstream")) {
        let cache = Arc::new(Cache::new(&const_hex::decode(text(vector, "key")).unwrap()).unwrap());
        let input = const_hex::decode(text(vector, "input")).unwrap();
        check(Version::V1, &cache, &[(input, &text(vector, "hash"))]);
        checked += 1;
    }
    assert_eq!(checked, 3);
}

/// The miner XMRig's benchmark: the XOR of the last words of the hashes of 112 zero bytes with the nonce at offset 39,
/// with a key of 32 zero bytes. Its published sums are over 10,000 nonces and more; this one, over 64, was computed
/// with upstream 1.2.1.
#[test]
fn a_checksum_over_nonces_comes_out() {
    let cache = Arc::new(Cache::new(&[0; 32]).unwrap());
    let mut machine = light(Version::V1, &cache, *EXECUTIONS.last().unwrap());
    let sum = (0..64_u32).fold(0, |sum, nonce| {
        let mut input = [0; 112];
        input[39..43].copy_from_slice(&nonce.to_le_bytes());
        let hash = machine.hash(&input);
        sum ^ u64::from_le_bytes(*hash.last_chunk().unwrap())
    });
    assert_eq!(sum, 0xacd8_7a07_ec5c_3dcc);
}

/// Empty keys and inputs are legal.
#[cfg(feature = "reference")]
#[test]
fn hashes_agree_with_the_reference_implementation() {
    use rust_randomx::{Context, Hasher};

    use crate::randomx::blake2_generator::BlakeGenerator;

    let mut random = BlakeGenerator::new(b"differential");
    for key_bytes in [0, 60] {
        let key: Vec<u8> = (0..key_bytes).map(|_| random.byte()).collect();
        let cache = Arc::new(Cache::new(&key).unwrap());
        let hasher = Hasher::new(Arc::new(Context::new(&key, false)));
        for input_bytes in [0, 76, 128, 1000] {
            let input: Vec<u8> = (0..input_bytes).map(|_| random.byte()).collect();
            check(Version::V1, &cache, &[(input.clone(), &const_hex::encode(hasher.hash(&input)))]);
        }
    }
}
