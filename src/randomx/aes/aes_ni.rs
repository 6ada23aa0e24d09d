//! AES with the instructions of x86 processors.

use core::arch::x86_64::{__m128i, _mm_aesdec_si128, _mm_aesenc_si128};

use super::{Line, Rounds, State};

/// The instructions. A value of this type is the proof that the processor has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AesNi(());

impl AesNi {
    /// Returns the instructions where the processor has them.
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("aes").then_some(Self(()))
    }
}

#[expect(unsafe_code, reason = "the instructions may be used where they were detected")]
impl Rounds for AesNi {
    type Block = __m128i;

    #[inline(always)]
    fn load(self, block: u128) -> __m128i {
        bytemuck::must_cast(block)
    }

    #[inline(always)]
    fn store(self, block: __m128i) -> u128 {
        bytemuck::must_cast(block)
    }

    #[inline(always)]
    fn encrypt(self, block: __m128i, key: __m128i) -> __m128i {
        // SAFETY: `detect` has found the instruction.
        unsafe { _mm_aesenc_si128(block, key) }
    }

    #[inline(always)]
    fn decrypt(self, block: __m128i, key: __m128i) -> __m128i {
        // SAFETY: `detect` has found the instruction.
        unsafe { _mm_aesdec_si128(block, key) }
    }
}

/// Compiles a function of the parent module for processors with the instructions, as a method.
macro_rules! with_instructions {
    ($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?) => {
        pub(super) fn $name(self, $($argument: $type),*) $(-> $result)? {
            #[target_feature(enable = "aes,sse4.1")]
            fn inner(aes: AesNi, $($argument: $type),*) $(-> $result)? {
                super::$name(aes, $($argument),*)
            }
            // SAFETY: `detect` has found the instructions; all processors with them have SSE 4.1.
            unsafe { inner(self, $($argument),*) }
        }
    };
}

#[expect(unsafe_code, reason = "calls code for processors with the instructions, which were detected")]
impl AesNi {
    with_instructions!(generate_1r(state: &mut State, lines: &mut [Line]));
    with_instructions!(generate_4r(state: &mut State, lines: &mut [Line]));
    with_instructions!(hash_1r(lines: &[Line]) -> State);
    with_instructions!(hash_and_generate_1r(state: &mut State, lines: &mut [Line]) -> State);
    with_instructions!(mix(f: State, e: State) -> State);
}
