//! SHA-256d with AVX2: eight hashes in a vector.

use core::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm_setr_epi8, _mm256_add_epi32, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_cvtsi256_si32, _mm256_movemask_ps, _mm256_set1_epi32,
    _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sll_epi32, _mm256_srl_epi32, _mm256_xor_si256,
};

use super::midstate::Scan;
use super::vector::{self, VectorSet};

/// Calls what needs the features of this kernel.
macro_rules! proved {
    ($call:expr) => {{
        // SAFETY: a value of the type exists only where the features were detected, and each call has one at hand.
        #[expect(unsafe_code, reason = "the features are proved by the type")]
        unsafe {
            $call
        }
    }};
}

/// How many vectors go side by side.
const STREAMS: usize = 3;

/// Proof that this processor has AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Returns the proof where the processor has what the kernel needs.
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

#[target_feature(enable = "avx2")]
fn scan_states(isa: Avx2, scan: &Scan<'_>, found: &mut dyn FnMut(usize, u32)) {
    vector::scan::<_, STREAMS>(isa, scan, found);
}

#[target_feature(enable = "avx2")]
fn compress(isa: Avx2, hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    vector::compress(isa, hash, block)
}

#[inline]
#[target_feature(enable = "avx2")]
fn nonces(first: u32) -> __m256i {
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let swapped = _mm256_broadcastsi128_si256(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    _mm256_shuffle_epi8(_mm256_add_epi32(_mm256_set1_epi32(first.cast_signed()), lanes), swapped)
}

#[inline]
#[target_feature(enable = "avx2")]
fn zero_lanes(x: __m256i, mask: __m256i) -> u32 {
    let zeros = _mm256_cmpeq_epi32(_mm256_and_si256(x, mask), _mm256_setzero_si256());
    _mm256_movemask_ps(_mm256_castsi256_ps(zeros)).cast_unsigned()
}

// With counts in registers, because immediate ones can't be computed from a constant parameter; the compiler makes
// them immediate.
#[inline]
#[target_feature(enable = "avx2")]
fn shift(x: __m256i, count: u32) -> __m256i {
    _mm256_srl_epi32(x, _mm_cvtsi32_si128(count.cast_signed()))
}

#[inline]
#[target_feature(enable = "avx2")]
fn shift_left(x: __m256i, count: u32) -> __m256i {
    _mm256_sll_epi32(x, _mm_cvtsi32_si128(count.cast_signed()))
}

impl VectorSet for Avx2 {
    type Vector = __m256i;
    const LANES: u32 = 8;

    fn scan_states(self, scan: &Scan<'_>, found: &mut dyn FnMut(usize, u32)) {
        proved!(scan_states(self, scan, found));
    }

    fn compress_block(self, hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
        proved!(compress(self, hash, block))
    }

    #[inline(always)]
    fn splat(self, word: u32) -> __m256i {
        proved!(_mm256_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn nonces(self, first: u32) -> __m256i {
        proved!(nonces(first))
    }

    #[inline(always)]
    fn first_lane(self, x: __m256i) -> u32 {
        proved!(_mm256_cvtsi256_si32(x)).cast_unsigned()
    }

    #[inline(always)]
    fn zero_lanes(self, x: __m256i, mask: __m256i) -> u32 {
        proved!(zero_lanes(x, mask))
    }

    #[inline(always)]
    fn add(self, x: __m256i, y: __m256i) -> __m256i {
        proved!(_mm256_add_epi32(x, y))
    }

    #[inline(always)]
    fn xor(self, x: __m256i, y: __m256i) -> __m256i {
        proved!(_mm256_xor_si256(x, y))
    }

    #[inline(always)]
    fn xor3(self, x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        self.xor(self.xor(x, y), z)
    }

    #[inline(always)]
    fn rotate<const N: u32>(self, x: __m256i) -> __m256i {
        self.xor(proved!(shift(x, N)), proved!(shift_left(x, 32 - N)))
    }

    #[inline(always)]
    fn shift<const N: u32>(self, x: __m256i) -> __m256i {
        proved!(shift(x, N))
    }

    #[inline(always)]
    fn ch(self, x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        self.xor(z, proved!(_mm256_and_si256(x, self.xor(y, z))))
    }

    #[inline(always)]
    fn maj(self, [_, y, _]: [__m256i; 3], x_xor_y: __m256i, y_xor_z: __m256i) -> __m256i {
        self.xor(y, proved!(_mm256_and_si256(x_xor_y, y_xor_z)))
    }
}
