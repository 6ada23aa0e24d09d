//! Argon2d as RandomX uses it: one lane, no output, only the filled memory (RFC 9106, section 3).

use std::ops::ControlFlow;

use super::blake2b::{hash512, words};
use super::memory::Line;

/// The words of a block.
const BLOCK_WORDS: usize = 128;
/// After how many blocks is asked whether to go on: some hundred times a second.
const OBSERVED_BLOCKS: usize = 1 << 14;
/// The slices of a pass. With one lane, they only decide which blocks may be referred to.
const SLICES: usize = 4;

/// A block of 1 KiB.
type Block = [u64; BLOCK_WORDS];

/// Is asked from time to time whether to go on.
type Observe<'a> = &'a dyn Fn() -> ControlFlow<()>;

/// Fills `memory`, whose length is a multiple of four blocks, in `passes` passes. `observe` can break off, and then the
/// memory holds nothing of use.
pub(super) fn fill(
    memory: &mut [Line],
    password: &[u8],
    salt: &[u8],
    passes: u32,
    observe: Observe<'_>,
) -> ControlFlow<()> {
    let kernel = kernels()[0];
    kernel(memory, password, salt, passes, observe)
}

/// A way to fill memory.
type Kernel = fn(&mut [Line], &[u8], &[u8], u32, Observe<'_>) -> ControlFlow<()>;

/// Returns the ways that this processor can go, the fastest first.
fn kernels() -> Vec<Kernel> {
    #[cfg(target_arch = "x86_64")]
    let special = x86::kernels();
    #[cfg(not(target_arch = "x86_64"))]
    let special: [Kernel; 0] = [];
    special.into_iter().chain([fill_anywhere as Kernel]).collect()
}

/// [`fill_anywhere`], compiled for certain processors.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for processors with certain features")]
mod x86 {
    use super::{ControlFlow, Kernel, Line, Observe, fill_anywhere};

    /// Returns what this processor has the features for, the fastest first.
    pub(super) fn kernels() -> Vec<Kernel> {
        let mut kernels: Vec<Kernel> = Vec::new();
        // AVX-512 has rotations.
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            kernels.push(avx512);
        }
        if is_x86_feature_detected!("avx2") {
            kernels.push(avx2);
        }
        kernels
    }

    /// Is made known by [`kernels`] only, and only on processors with the features.
    fn avx512(memory: &mut [Line], password: &[u8], salt: &[u8], passes: u32, observe: Observe<'_>) -> ControlFlow<()> {
        #[target_feature(enable = "avx512f,avx512vl,avx2")]
        fn inner(
            memory: &mut [Line],
            password: &[u8],
            salt: &[u8],
            passes: u32,
            observe: Observe<'_>,
        ) -> ControlFlow<()> {
            fill_anywhere(memory, password, salt, passes, observe)
        }
        // SAFETY: `kernels` has detected the features.
        unsafe { inner(memory, password, salt, passes, observe) }
    }

    /// Is made known by [`kernels`] only, and only on processors with the features.
    fn avx2(memory: &mut [Line], password: &[u8], salt: &[u8], passes: u32, observe: Observe<'_>) -> ControlFlow<()> {
        #[target_feature(enable = "avx2")]
        fn inner(
            memory: &mut [Line],
            password: &[u8],
            salt: &[u8],
            passes: u32,
            observe: Observe<'_>,
        ) -> ControlFlow<()> {
            fill_anywhere(memory, password, salt, passes, observe)
        }
        // SAFETY: `kernels` has detected the features.
        unsafe { inner(memory, password, salt, passes, observe) }
    }
}

#[inline(always)]
fn fill_anywhere(
    memory: &mut [Line],
    password: &[u8],
    salt: &[u8],
    passes: u32,
    observe: Observe<'_>,
) -> ControlFlow<()> {
    let blocks: &mut [Block] = bytemuck::cast_slice_mut(memory);
    let seed = initial_hash(blocks.len(), password, salt, passes);
    for (index, block) in (0..2_u32).zip(blocks.iter_mut()) {
        *block = first_block(&seed, index);
    }
    let segment = blocks.len() / SLICES;
    for pass in 0..passes {
        for index in if pass == 0 { 2 } else { 0 }..blocks.len() {
            if index % OBSERVED_BLOCKS == 0 {
                observe()?;
            }
            let previous = blocks[index.checked_sub(1).unwrap_or(blocks.len() - 1)];
            let (slice, offset) = (index / segment, index % segment);
            // Any block may be referred to that is complete and belongs to this slice or one of the last three, but for
            // the previous one.
            let (area, start) = if pass == 0 {
                (index - 1, 0)
            } else {
                (blocks.len() - segment + offset - 1, (slice + 1) % SLICES * segment)
            };
            let reference = (start + distance(previous[0], area)) % blocks.len();
            let mixed = compress(&previous, &blocks[reference]);
            let block = &mut blocks[index];
            if pass == 0 {
                *block = mixed;
            } else {
                block.iter_mut().zip(mixed).for_each(|(word, mixed)| *word ^= mixed);
            }
        }
    }
    ControlFlow::Continue(())
}

/// Maps a pseudo-random word to a place in an area, later ones more often.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "smaller than the area")]
fn distance(word: u64, area: usize) -> usize {
    let x = word & 0xffff_ffff;
    let area = area as u64;
    (area - 1 - ((area * ((x * x) >> 32)) >> 32)) as usize
}

/// Returns H0, the hash of the parameters.
fn initial_hash(blocks: usize, password: &[u8], salt: &[u8], passes: u32) -> [u8; 64] {
    let length = |bytes: usize| u32::try_from(bytes).expect("fits 32 bits").to_le_bytes();
    let mut input = Vec::new();
    // Lanes, length of the output, KiB of memory, passes, version, Argon2d.
    for parameter in [1, 0, u32::try_from(blocks).expect("fits 32 bits"), passes, 0x13, 0] {
        input.extend(parameter.to_le_bytes());
    }
    for text in [password, salt, &[], &[]] {
        input.extend(length(text.len()));
        input.extend(text);
    }
    hash512(&input)
}

/// Returns one of the two blocks that all others follow from: H' of 1024 bytes.
fn first_block(seed: &[u8; 64], index: u32) -> Block {
    let mut input = 1024_u32.to_le_bytes().to_vec();
    input.extend(seed);
    input.extend(index.to_le_bytes());
    input.extend(0_u32.to_le_bytes());
    let mut hash = hash512(&input);
    let mut block = [0; BLOCK_WORDS];
    // Half of each hash is output, but for the last, which is output whole.
    let (halves, last) = block.split_at_mut(BLOCK_WORDS - 8);
    for half in halves.chunks_exact_mut(4) {
        half.copy_from_slice(&words(&hash)[..4]);
        hash = hash512(&hash);
    }
    last.copy_from_slice(&words(&hash));
    block
}

/// The compression function G.
#[inline(always)]
fn compress(x: &Block, y: &Block) -> Block {
    let mut mixed = *x;
    mixed.iter_mut().zip(y).for_each(|(word, y)| *word ^= y);
    let before = mixed;
    for row in 0..8 {
        permute(&mut mixed, |word| 16 * row + word);
    }
    for column in 0..8 {
        permute(&mut mixed, |word| word / 2 * 16 + 2 * column + word % 2);
    }
    mixed.iter_mut().zip(before).for_each(|(word, before)| *word ^= before);
    mixed
}

/// The permutation P on the 16 words that `at` points out.
#[inline(always)]
fn permute(block: &mut Block, at: impl Fn(usize) -> usize) {
    // Four words at a time, so that they go into vectors.
    let four = |first: usize| [block[at(first)], block[at(first + 1)], block[at(first + 2)], block[at(first + 3)]];
    let (mut a, mut b, mut c, mut d) = (four(0), four(4), four(8), four(12));
    mix(&mut a, &mut b, &mut c, &mut d);
    let (mut b, mut c, mut d) = (rotate::<1>(b), rotate::<2>(c), rotate::<3>(d));
    mix(&mut a, &mut b, &mut c, &mut d);
    let (b, c, d) = (rotate::<3>(b), rotate::<2>(c), rotate::<1>(d));
    for (first, four) in [(0, a), (4, b), (8, c), (12, d)] {
        for (word, value) in four.into_iter().enumerate() {
            block[at(first + word)] = value;
        }
    }
}

#[inline(always)]
fn rotate<const BY: usize>(x: [u64; 4]) -> [u64; 4] {
    [x[BY % 4], x[(BY + 1) % 4], x[(BY + 2) % 4], x[(BY + 3) % 4]]
}

/// Blake2b's mixing function with multiplications, four times side by side.
#[inline(always)]
fn mix(a: &mut [u64; 4], b: &mut [u64; 4], c: &mut [u64; 4], d: &mut [u64; 4]) {
    let add = |x: &mut [u64; 4], y: &[u64; 4]| {
        for word in 0..4 {
            let product = (x[word] & 0xffff_ffff) * (y[word] & 0xffff_ffff);
            x[word] = x[word].wrapping_add(y[word]).wrapping_add(product << 1);
        }
    };
    let xor_rotate = |x: &mut [u64; 4], y: &[u64; 4], by: u32| {
        for word in 0..4 {
            x[word] = (x[word] ^ y[word]).rotate_right(by);
        }
    };
    add(a, b);
    xor_rotate(d, a, 32);
    add(c, d);
    xor_rotate(b, c, 24);
    add(a, b);
    xor_rotate(d, a, 16);
    add(c, d);
    xor_rotate(b, c, 63);
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Argon2, Block as TheirBlock, Params, Version};

    use super::*;

    #[test]
    fn memory_is_filled_as_another_implementation_fills_it() {
        let cases: [(usize, u32, &[u8]); 5] =
            [(8, 1, b""), (8, 3, b"key"), (64, 1, b"key"), (64, 4, &[0; 60]), (1024, 3, b"test key 000")];
        for (blocks, passes, password) in cases {
            let parameters = Params::new(u32::try_from(blocks).unwrap(), passes, 1, None).unwrap();
            let theirs = Argon2::new(Algorithm::Argon2d, Version::V0x13, parameters);
            let mut expected = vec![TheirBlock::new(); blocks];
            theirs.fill_memory(password, b"some salt", &mut expected).unwrap();
            for fill in kernels() {
                let mut memory = vec![Line::default(); blocks * 1024 / 64];
                assert!(fill(&mut memory, password, b"some salt", passes, &|| ControlFlow::Continue(())).is_continue());
                let words: &[u64] = bytemuck::cast_slice(&memory);
                assert!(expected.iter().flat_map(AsRef::as_ref).eq(words), "{blocks} blocks, {passes} passes");
            }
        }
    }
}
