//! SHA-256d with AVX-512: sixteen hashes in a vector.

use core::arch::x86_64::{
    __m512i, _mm_setr_epi8, _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_cvtsi512_si32, _mm512_rorv_epi32,
    _mm512_set1_epi32, _mm512_setr_epi32, _mm512_shuffle_epi8, _mm512_srli_epi32, _mm512_ternarylogic_epi32,
    _mm512_testn_epi32_mask, _mm512_xor_si512,
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

/// Proof that this processor has AVX-512.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Returns the proof where the processor has what the kernel needs.
    pub(super) fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")).then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn scan_states(isa: Avx512, scan: &Scan<'_>, found: &mut dyn FnMut(usize, u32)) {
    vector::scan::<_, STREAMS>(isa, scan, found);
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compress(isa: Avx512, hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    vector::compress(isa, hash, block)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn nonces(first: u32) -> __m512i {
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let swapped = _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    _mm512_shuffle_epi8(_mm512_add_epi32(_mm512_set1_epi32(first.cast_signed()), lanes), swapped)
}

impl VectorSet for Avx512 {
    type Vector = __m512i;
    const LANES: u32 = 16;

    fn scan_states(self, scan: &Scan<'_>, found: &mut dyn FnMut(usize, u32)) {
        proved!(scan_states(self, scan, found));
    }

    fn compress_block(self, hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
        proved!(compress(self, hash, block))
    }

    #[inline(always)]
    fn splat(self, word: u32) -> __m512i {
        proved!(_mm512_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn nonces(self, first: u32) -> __m512i {
        proved!(nonces(first))
    }

    #[inline(always)]
    fn first_lane(self, x: __m512i) -> u32 {
        proved!(_mm512_cvtsi512_si32(x)).cast_unsigned()
    }

    #[inline(always)]
    fn zero_lanes(self, x: __m512i, mask: __m512i) -> u32 {
        u32::from(proved!(_mm512_testn_epi32_mask(x, mask)))
    }

    #[inline(always)]
    fn add(self, x: __m512i, y: __m512i) -> __m512i {
        proved!(_mm512_add_epi32(x, y))
    }

    #[inline(always)]
    fn xor(self, x: __m512i, y: __m512i) -> __m512i {
        proved!(_mm512_xor_si512(x, y))
    }

    #[inline(always)]
    fn xor3(self, x: __m512i, y: __m512i, z: __m512i) -> __m512i {
        proved!(_mm512_ternarylogic_epi32::<0x96>(x, y, z))
    }

    #[inline(always)]
    fn rotate<const N: u32>(self, x: __m512i) -> __m512i {
        proved!(_mm512_rorv_epi32(x, _mm512_set1_epi32(N.cast_signed())))
    }

    #[inline(always)]
    fn shift<const N: u32>(self, x: __m512i) -> __m512i {
        proved!(_mm512_srli_epi32::<N>(x))
    }

    #[inline(always)]
    fn ch(self, x: __m512i, y: __m512i, z: __m512i) -> __m512i {
        proved!(_mm512_ternarylogic_epi32::<0xca>(x, y, z))
    }

    #[inline(always)]
    fn maj(self, [x, y, z]: [__m512i; 3], _: __m512i, _: __m512i) -> __m512i {
        proved!(_mm512_ternarylogic_epi32::<0xe8>(x, y, z))
    }
}
