//! Many hashes of random keys and inputs, to be compared with those of another program: docs/METHODOLOGY.md says how.
//!
//! `HASHWATT_DIFFERENTIAL=FILE cargo test --release --test randomx_differential -- --ignored v2` writes a line for each:
//! key, input and hash in hex. Fast mode, light mode and the interpreter have to agree among themselves first.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;

use hashwatt::randomx::{Cache, Dataset, Execution, Items, Machine, Version};

const KEYS: usize = 16;
const INPUTS: usize = 1000;
/// How many inputs of each key the slower ways hash, too: light mode compiled, and the dataset's items interpreted.
const LIGHT: usize = 50;
const INTERPRETED: usize = 10;

/// Random bytes, the same in each run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns bytes in any number up to `most`.
    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() >> 32;
        (0..length % (most + 1)).map(|_| self.next().to_le_bytes()[7]).collect()
    }
}

/// Returns keys, each with its inputs. The first key is empty, and so is the first input of each.
fn cases() -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..KEYS)
        .map(|number| {
            let key = if number == 0 { Vec::new() } else { random.bytes(60) };
            let inputs = (0..INPUTS).map(|input| if input == 0 { Vec::new() } else { random.bytes(200) });
            (key, inputs.collect())
        })
        .collect()
}

fn hashes(version: Version, items: &Items, execution: Execution, inputs: &[Vec<u8>]) -> Vec<[u8; 32]> {
    let half = inputs.len().div_ceil(2).max(1);
    let of = |inputs: &[Vec<u8>]| {
        let mut machine = Machine::new(version, items.clone(), execution).unwrap();
        let mut hashes = Vec::new();
        machine.hash_each(inputs, |hash| hashes.push(hash));
        hashes
    };
    thread::scope(|scope| {
        let threads: Vec<_> = inputs.chunks(half).map(|inputs| scope.spawn(|| of(inputs))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn write_hashes(version: Version) {
    let path = std::env::var("HASHWATT_DIFFERENTIAL").expect("HASHWATT_DIFFERENTIAL names the file to write");
    let mut lines = String::new();
    for (key, inputs) in cases() {
        let cache = Arc::new(Cache::new(&key).unwrap());
        let threads = thread::available_parallelism().unwrap().get();
        let dataset = Arc::new(Dataset::new(&cache, threads, &|_| ControlFlow::Continue(())).unwrap());
        let stored = Items::Stored(dataset);
        let fast = hashes(version, &stored, Execution::Compiled, &inputs);
        let light = hashes(version, &Items::Computed(cache), Execution::Compiled, &inputs[..LIGHT]);
        assert_eq!(fast[..LIGHT], light);
        let interpreted = hashes(version, &stored, Execution::Interpreted, &inputs[..INTERPRETED]);
        assert_eq!(fast[..INTERPRETED], interpreted);
        for (input, hash) in inputs.iter().zip(fast) {
            let [key, input, hash] = [&key, input, &hash.to_vec()].map(const_hex::encode);
            // An empty text would be no word.
            writeln!(lines, "k{key} i{input} {hash}").unwrap();
        }
    }
    std::fs::write(path, lines).unwrap();
}

#[test]
#[ignore = "takes minutes: writes hashes of version 1 for another program to compare"]
fn v1_hashes_are_written() {
    write_hashes(Version::V1);
}

#[test]
#[ignore = "takes minutes: writes hashes of version 2 for another program to compare"]
fn v2_hashes_are_written() {
    write_hashes(Version::V2);
}
