//! SHA-256d with the SHA extensions of x86: `sha256rnds2` does two rounds, `sha256msg1` and `sha256msg2` the schedule.
//!
//! Two nonces run side by side: `sha256rnds2` takes about four cycles but a new one can start every second cycle, and
//! the chain of one hash leaves the unit idle in between.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_extract_epi32, _mm_set_epi32, _mm_sha256msg1_epu32,
    _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
};

use super::midstate::{Kernel, Midstate};
use super::scalar::{H0, K, sha256_with};
use crate::engine::{Hash, HitFilter};

/// Proof that this processor has the SHA extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShaNi(());

impl ShaNi {
    /// Returns the proof where the processor has what the kernel needs.
    pub(super) fn new() -> Option<Self> {
        (is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3"))
            .then_some(Self(()))
    }
}

impl Kernel for ShaNi {
    fn scan(&self, midstate: &Midstate, first_nonce: u32, count: u64, filter: HitFilter, hits: &mut Vec<u32>) {
        // SAFETY: a value of this type exists only where the features were detected.
        #[expect(unsafe_code, reason = "the features are proved by the type")]
        unsafe {
            scan(midstate, first_nonce, count, filter.mask(), hits);
        }
    }

    fn sha256d(&self, message: &[u8]) -> Hash {
        let compress = |hash: &[u32; 8], block: &[u32; 16]| {
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "the features are proved by the type")]
            unsafe {
                compress_one(hash, block)
            }
        };
        sha256_with(compress, &sha256_with(compress, message))
    }
}

/// A hash value in the order that the instructions want: the words a, b, e, f and c, d, g, h, high end first.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn quad(w: [u32; 4]) -> __m128i {
    let [w0, w1, w2, w3] = w.map(u32::cast_signed);
    _mm_set_epi32(w3, w2, w1, w0)
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn load(hash: &[u32; 8]) -> State {
    let [a, b, c, d, e, f, g, h] = *hash;
    State { abef: quad([f, e, b, a]), cdgh: quad([h, g, d, c]) }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn store(state: State) -> [u32; 8] {
    let State { abef, cdgh } = state;
    [
        _mm_extract_epi32::<3>(abef),
        _mm_extract_epi32::<2>(abef),
        _mm_extract_epi32::<3>(cdgh),
        _mm_extract_epi32::<2>(cdgh),
        _mm_extract_epi32::<1>(abef),
        _mm_extract_epi32::<0>(abef),
        _mm_extract_epi32::<1>(cdgh),
        _mm_extract_epi32::<0>(cdgh),
    ]
    .map(i32::cast_unsigned)
}

/// Compresses one block into each of `N` hash values. Loops over `0..N` unroll, so that the `N` chains interleave.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress<const N: usize>(initial: [State; N], mut w: [[__m128i; 4]; N]) -> [State; N] {
    let mut states = initial;
    for group in 0..16 {
        let k = quad([K[4 * group], K[4 * group + 1], K[4 * group + 2], K[4 * group + 3]]);
        for n in 0..N {
            if group >= 4 {
                let [w0, w1, w2, w3] = w[n];
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
                w[n] = [w1, w2, w3, _mm_sha256msg2_epu32(sum, w3)];
            }
            let k_plus_w = _mm_add_epi32(k, w[n][group.min(3)]);
            let State { abef, cdgh } = states[n];
            let next = _mm_sha256rnds2_epu32(cdgh, abef, k_plus_w);
            let after = _mm_sha256rnds2_epu32(abef, next, _mm_shuffle_epi32::<0x0e>(k_plus_w));
            states[n] = State { abef: after, cdgh: next };
        }
    }
    for n in 0..N {
        states[n].abef = _mm_add_epi32(states[n].abef, initial[n].abef);
        states[n].cdgh = _mm_add_epi32(states[n].cdgh, initial[n].cdgh);
    }
    states
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress_one(hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    let w = std::array::from_fn(|index| 4 * index)
        .map(|at: usize| quad([block[at], block[at + 1], block[at + 2], block[at + 3]]));
    let [state] = compress([load(hash)], [w]);
    store(state)
}

/// Returns the hash value that the second hash of each nonce ends with.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn double_hash<const N: usize>(midstate: &Midstate, nonces: [u32; N]) -> [State; N] {
    let start = load(&midstate.state);
    let [w0, w1, w2] = midstate.tail;
    let padding = [quad([0x8000_0000, 0, 0, 0]), quad([0; 4]), quad([0, 0, 0, 640])];
    let blocks = nonces.map(|nonce| {
        let [pad1, pad2, pad3] = padding;
        [quad([w0, w1, w2, nonce.swap_bytes()]), pad1, pad2, pad3]
    });
    let first = compress([start; N], blocks);
    let blocks = first.map(|State { abef, cdgh }| {
        // From (a b e f)(c d g h), high end first, to the words a b c d and e f g h, low end first.
        let feba = _mm_shuffle_epi32::<0b00_01_10_11>(abef);
        let hgdc = _mm_shuffle_epi32::<0b00_01_10_11>(cdgh);
        let dcba = _mm_blend_epi16::<0xf0>(feba, _mm_shuffle_epi32::<0b01_00_11_10>(hgdc));
        let hgfe = _mm_blend_epi16::<0xf0>(_mm_shuffle_epi32::<0b01_00_11_10>(feba), hgdc);
        [dcba, hgfe, quad([0x8000_0000, 0, 0, 0]), quad([0, 0, 0, 256])]
    });
    compress([load(&H0); N], blocks)
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn is_hit(state: State, mask: u32) -> bool {
    _mm_extract_epi32::<0>(state.cdgh).cast_unsigned().swap_bytes() & mask == 0
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn scan(midstate: &Midstate, first_nonce: u32, count: u64, mask: u32, hits: &mut Vec<u32>) {
    let mut nonce = first_nonce;
    for _ in 0..count / 2 {
        let [even, odd] = double_hash(midstate, [nonce, nonce.wrapping_add(1)]);
        if is_hit(even, mask) {
            hits.push(nonce);
        }
        if is_hit(odd, mask) {
            hits.push(nonce.wrapping_add(1));
        }
        nonce = nonce.wrapping_add(2);
    }
    if count % 2 == 1 {
        let [last] = double_hash(midstate, [nonce]);
        if is_hit(last, mask) {
            hits.push(nonce);
        }
    }
}
