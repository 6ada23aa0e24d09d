//! SHA-256d with the SHA extensions of x86: `sha256rnds2` does two rounds, `sha256msg1` and `sha256msg2` the schedule.
//!
//! The limit is `sha256rnds2`. Read on a Zen 5 core: one can start every 2 cycles, each takes 4; `sha256msg2` has the
//! same rate, `sha256msg1` nearly four times that, and both run beside it. So what counts is to do fewer of them:
//! rounds 0 to 3 of the first hash are one addition to what was computed ahead, round 0 of the second hash is one
//! addition, and its round 60 decides. That leaves 30 for each hash: 120 cycles a nonce. The plain scan takes 126, two
//! streams with 64 of them a hash and nothing folded take 187.
//!
//! What lost (Zen 5 at about 4.0 GHz, where the limit is 33.5 MH/s; plain, in MH/s):
//! - fewer streams than these eight, which give 33: six 29, four 30, three 27.7, two 24.8. `sha256msg2` takes 6 cycles
//!   and waits for the one before; that eight streams don't fit in sixteen registers costs less;
//! - eight streams in a loop over the groups of the schedule: 27.3. The states go through memory each time round;
//! - moves and additions in their forms for AVX2 (33.5, but the rolled scan 1 % less) and AVX-512 (32.6).
//!
//! A rolled scan computes the first hash's schedule once for all states, which saves `sha256msg1` and `sha256msg2` but
//! no rounds. Where these hide behind `sha256rnds2`, as here, it can't win: 31 with 64 states, 30 with 8 (134 and 137
//! cycles), because the first hash is then nothing but rounds and evens out less of what the second leaves idle. It is
//! for processors where `sha256rnds2` is faster and all three compete, as is said of Zen 4. What lost for it, against
//! 31 with 64 states: all streams' first two rounds, then their last two 30; the words stored twice instead of shuffled
//! 27; the first hash four streams at a time 27; four streams in all 28.
//!
//! Vectors and this unit in one thread: beside vector work that fills all four pipes, one `sha256rnds2` costs just one
//! of the four slots of a cycle, so 512-bit vectors and SHA could together do 1.1 times what the vectors do alone. In
//! a loop of rounds (the words ready in memory) it lost, in rounds a cycle: three vectors 4.0; three and two SHA
//! streams 3.7; two and four 3.3; one and three 2.1; two vectors alone 2.9. Three vectors alone fill the pipes, and
//! beside them no registers are left. 256-bit vectors without AVX-512: one vector and four SHA streams 1.39, two and
//! four 1.21, SHA alone 1.0, two vectors alone 0.85. But both schedules would have to hide in that loop too: behind it,
//! they take what it gains (by count 125 cycles a nonce against 120).

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_and_si128, _mm_castsi128_ps, _mm_cmpeq_epi32, _mm_extract_epi32,
    _mm_movemask_ps, _mm_set_epi8, _mm_set_epi32, _mm_set1_epi32, _mm_setzero_si128, _mm_sha256msg1_epu32,
    _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_unpackhi_epi64,
    _mm_unpacklo_epi32, _mm_unpacklo_epi64,
};

use super::fold::{ROUND_0_A, ROUND_0_E};
use super::midstate::{Kernel, Midstate, RolledHit, Scan};
use super::scalar::{H0, K, sha256_with};
use crate::engine::{Hash, HitFilter};

/// How many hashes run side by side.
const STREAMS: usize = 8;

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

    fn scan_rolled(&self, scan: &Scan<'_>, hits: &mut Vec<RolledHit>) {
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "the features are proved by the type")]
        unsafe {
            scan_rolled(scan, hits);
        }
    }

    fn sha256d(&self, message: &[u8]) -> Hash {
        let compress = |hash: &[u32; 8], block: &[u32; 16]| {
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "the features are proved by the type")]
            unsafe {
                compress(hash, block)
            }
        };
        sha256_with(compress, &sha256_with(compress, message))
    }
}

/// Repeats a block with a constant index, so that the states stay in registers; a loop of this length stays a loop.
macro_rules! unrolled {
    ($index:ident in [$($value:literal)*] $body:block) => { $({ const $index: usize = $value; $body })* };
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

/// Returns the constants of the four rounds from `t`.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn k_quad(t: usize) -> __m128i {
    quad([K[t], K[t + 1], K[t + 2], K[t + 3]])
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn load(hash: &[u32; 8]) -> State {
    let [a, b, c, d, e, f, g, h] = *hash;
    State { abef: quad([f, e, b, a]), cdgh: quad([h, g, d, c]) }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn sum(x: State, y: State) -> State {
    State { abef: _mm_add_epi32(x.abef, y.abef), cdgh: _mm_add_epi32(x.cdgh, y.cdgh) }
}

/// Returns the words of a hash value in their order, a to d and e to h, low end first.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn words(state: State) -> [__m128i; 2] {
    let abef = _mm_shuffle_epi32::<0b00_01_10_11>(state.abef);
    let cdgh = _mm_shuffle_epi32::<0b00_01_10_11>(state.cdgh);
    [_mm_unpacklo_epi64(abef, cdgh), _mm_unpackhi_epi64(abef, cdgh)]
}

/// Does four rounds with the sums of constant and word in `k_plus_w`.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn four_rounds(State { abef, cdgh }: State, k_plus_w: __m128i) -> State {
    let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k_plus_w);
    State { abef: _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0b11_10>(k_plus_w)), cdgh }
}

/// Returns words t + 1 to t + 4, where `w0` has words t to t + 3 and `w4` the four after them.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn shifted(w4: __m128i, w0: __m128i) -> __m128i {
    _mm_alignr_epi8::<4>(w4, w0)
}

/// Compresses any block, one at a time.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress(hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    let mut w = [0, 4, 8, 12].map(|t: usize| quad([block[t], block[t + 1], block[t + 2], block[t + 3]]));
    let initial = load(hash);
    let mut state = initial;
    for t in (0..64).step_by(4) {
        let [w0, w4, w8, w12] = w;
        state = four_rounds(state, _mm_add_epi32(k_quad(t), w0));
        let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), shifted(w12, w8));
        w = [w4, w8, w12, _mm_sha256msg2_epu32(sum, w12)];
    }
    let State { abef, cdgh } = sum(state, initial);
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

/// What is known of the second block's schedule before the nonce is.
struct Block {
    /// Words 4 to 15 with the constants of their rounds.
    k_plus_w: [__m128i; 3],
    /// Words 16 to 19 of nonce 0.
    w16: __m128i,
    /// What words 20 to 23 have beside the small sigma 1 of words before them.
    part20: __m128i,
    /// What the words 12 to 16 give to words 28 to 31.
    part28: __m128i,
}

impl Block {
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn new([w0, w1, w2]: [u32; 3]) -> Self {
        let (w0, w4, w8, w12) =
            (quad([w0, w1, w2, 0]), quad([0x8000_0000, 0, 0, 0]), quad([0; 4]), quad([0, 0, 0, 640]));
        let w16 = _mm_sha256msg2_epu32(_mm_sha256msg1_epu32(w0, w4), w12);
        Self {
            k_plus_w: [_mm_add_epi32(w4, k_quad(4)), k_quad(8), _mm_add_epi32(w12, k_quad(12))],
            w16,
            part20: _mm_add_epi32(_mm_sha256msg1_epu32(w4, w8), shifted(w16, w12)),
            part28: _mm_sha256msg1_epu32(w12, w16),
        }
    }

    /// Returns the next four words of the schedule from 16 on, `group` counting by fours, where `w` has the last 16.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn next(&self, group: usize, nonce: u32, [w0, w4, w8, w12]: [__m128i; 4]) -> __m128i {
        match group {
            4 => {
                // Words 16 and 17 don't depend on the nonce; 18 adds its small sigma 0, 19 the nonce itself.
                let at_3 = _mm_set_epi8(0, 1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
                let w0 = _mm_shuffle_epi8(_mm_set1_epi32(nonce.cast_signed()), at_3);
                _mm_add_epi32(self.w16, _mm_sha256msg1_epu32(w0, _mm_setzero_si128()))
            }
            5 => _mm_sha256msg2_epu32(self.part20, w12),
            6 => _mm_sha256msg2_epu32(shifted(w12, w8), w12),
            7 => _mm_sha256msg2_epu32(_mm_add_epi32(self.part28, shifted(w12, w8)), w12),
            _ => _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), shifted(w12, w8)), w12),
        }
    }
}

/// A midstate, as the first hash starts from it.
struct Start {
    initial: State,
    /// After round 3 of the second block, for nonce 0.
    round_4: State,
}

impl Start {
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn new(midstate: &[u32; 8], [w0, w1, w2]: [u32; 3]) -> Self {
        let initial = load(midstate);
        Self { initial, round_4: four_rounds(initial, _mm_add_epi32(quad([w0, w1, w2, 0]), k_quad(0))) }
    }

    /// Returns the state before round 4: round 3 adds the nonce to a and e, and no earlier round knows it.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn with_nonce(&self, nonce: u32) -> State {
        let at_a_and_e = _mm_set_epi8(0, 1, 2, 3, -1, -1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1);
        let nonce = _mm_shuffle_epi8(_mm_set1_epi32(nonce.cast_signed()), at_a_and_e);
        State { abef: _mm_add_epi32(self.round_4.abef, nonce), cdgh: self.round_4.cdgh }
    }
}

/// Computes the first hash of each nonce.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn first<const N: usize>(block: &Block, start: &Start, nonces: [u32; N]) -> [State; N] {
    let mut states = nonces.map(|nonce| start.with_nonce(nonce));
    let mut w = [[_mm_setzero_si128(); 4]; N];
    for k_plus_w in block.k_plus_w {
        states = states.map(|state| four_rounds(state, k_plus_w));
    }
    unrolled!(GROUP in [4 5 6 7 8 9 10 11 12 13 14 15] {
        for n in 0..N {
            let next = block.next(GROUP, nonces[n], w[n]);
            w[n] = [w[n][1], w[n][2], w[n][3], next];
            states[n] = four_rounds(states[n], _mm_add_epi32(next, k_quad(4 * GROUP)));
        }
    });
    states.map(|state| sum(state, start.initial))
}

/// Words 16 to 63 of the second block, with the constants of their rounds.
type Schedule = [__m128i; 12];

/// Computes the schedule of each nonce.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn schedules<const N: usize>(block: &Block, nonces: [u32; N], schedules: &mut [Schedule; N]) {
    let mut w = [[_mm_setzero_si128(); 4]; N];
    unrolled!(GROUP in [4 5 6 7 8 9 10 11 12 13 14 15] {
        for n in 0..N {
            let next = block.next(GROUP, nonces[n], w[n]);
            w[n] = [w[n][1], w[n][2], w[n][3], next];
            schedules[n][GROUP - 4] = _mm_add_epi32(next, k_quad(4 * GROUP));
        }
    });
}

/// Computes the first hash of each pair of a state and a nonce whose schedule is known.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn first_rolled<const N: usize>(block: &Block, pairs: [(&Start, u32, &Schedule); N]) -> [State; N] {
    let mut states = pairs.map(|(start, nonce, _)| start.with_nonce(nonce));
    for k_plus_w in block.k_plus_w {
        states = states.map(|state| four_rounds(state, k_plus_w));
    }
    unrolled!(GROUP in [0 1 2 3 4 5 6 7 8 9 10 11] {
        for n in 0..N {
            states[n] = four_rounds(states[n], pairs[n].2[GROUP]);
        }
    });
    std::array::from_fn(|n| sum(states[n], pairs[n].0.initial))
}

/// Returns the second hash's state after round 0, which adds word 0 to a and e.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn after_round_0(w0: __m128i) -> State {
    let ([a, b, c, _, e, f, g, _], [new_a, new_e]) = (H0, [ROUND_0_A, ROUND_0_E]);
    let at_a_and_e = _mm_set_epi8(3, 2, 1, 0, -1, -1, -1, -1, 3, 2, 1, 0, -1, -1, -1, -1);
    let constant = quad([e, new_e, a, new_a]);
    State { abef: _mm_add_epi32(constant, _mm_shuffle_epi8(w0, at_a_and_e)), cdgh: quad([g, f, c, b]) }
}

/// Computes the second hash as far as its last word, which then stands in word 1 of each vector.
///
/// Round 0 is done by itself, so rounds come in pairs (1, 2) to (59, 60), and their words from vectors that are one
/// word off: the same that the schedule needs for its seventh word before. What e is after round 60, h is at the end.
/// The first hash comes from a closure, so that every caller has a copy of this to inline: through memory it costs a
/// rolled scan 1 %.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn second<const N: usize>(first: impl Fn(usize) -> State) -> [__m128i; N] {
    let [w8, w12] = [quad([0x8000_0000, 0, 0, 0]), quad([0, 0, 0, 256])];
    let mut w: [[__m128i; 4]; N] = std::array::from_fn(|n| {
        let [w0, w4] = words(first(n));
        [w0, w4, w8, w12]
    });
    let mut states: [State; N] = w.map(|[w0, w4, ..]| {
        let state = after_round_0(w0);
        four_rounds(state, _mm_add_epi32(shifted(w4, w0), k_quad(1)))
    });
    for n in 0..N {
        states[n] = four_rounds(states[n], _mm_add_epi32(shifted(w8, w[n][1]), k_quad(5)));
    }
    states = states.map(|state| four_rounds(state, k_quad(9)));
    unrolled!(GROUP in [4 5 6 7 8 9 10 11 12 13 14 15] {
        for n in 0..N {
            let [w0, w4, w8, w12] = w[n];
            let sum = match GROUP {
                4 => _mm_sha256msg1_epu32(w0, w4),
                6 => _mm_add_epi32(w0, shifted(w12, w8)),
                _ => _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), shifted(w12, w8)),
            };
            let next = _mm_sha256msg2_epu32(sum, w12);
            w[n] = [w4, w8, w12, next];
            let k = match GROUP {
                15 => quad([K[57], K[58], K[59], K[60].wrapping_add(H0[7])]),
                _ => k_quad(4 * GROUP - 3),
            };
            states[n] = four_rounds(states[n], _mm_add_epi32(shifted(next, w12), k));
        }
    });
    states.map(|state| state.abef)
}

/// Calls `hit` with the index of each stream whose last word meets no bit of the mask.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn for_each_hit(last: [__m128i; STREAMS], mask: __m128i, mut hit: impl FnMut(usize)) {
    let (fours, []) = last.as_chunks::<4>() else { unreachable!("streams come in fours") };
    let mut bits = 0;
    for (index, &[x0, x1, x2, x3]) in fours.iter().enumerate() {
        let last = _mm_unpackhi_epi64(_mm_unpacklo_epi32(x0, x1), _mm_unpacklo_epi32(x2, x3));
        let zeros = _mm_cmpeq_epi32(_mm_and_si128(last, mask), _mm_setzero_si128());
        bits |= _mm_movemask_ps(_mm_castsi128_ps(zeros)) << (4 * index);
    }
    while bits != 0 {
        hit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Returns the nonces that start `done` after the first; those beyond the range are hashed in vain.
#[expect(clippy::cast_possible_truncation, reason = "nonces end at 2^32")]
fn nonces_at(first_nonce: u32, done: u64) -> [u32; STREAMS] {
    std::array::from_fn(|n| first_nonce.wrapping_add((done + n as u64) as u32))
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn scan(midstate: &Midstate, first_nonce: u32, count: u64, mask: u32, hits: &mut Vec<u32>) {
    let block = Block::new(midstate.tail);
    let start = Start::new(&midstate.state, midstate.tail);
    let mask = _mm_set1_epi32(mask.swap_bytes().cast_signed());
    for done in (0..count).step_by(STREAMS) {
        let nonces = nonces_at(first_nonce, done);
        let first = first(&block, &start, nonces);
        for_each_hit(second(|n| first[n]), mask, |n| {
            if done + (n as u64) < count {
                hits.push(nonces[n]);
            }
        });
    }
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn scan_rolled(scan: &Scan<'_>, hits: &mut Vec<RolledHit>) {
    let Scan { states, tail, first_nonce, count, filter } = *scan;
    let block = Block::new(tail);
    let starts: Vec<Start> = states.iter().map(|state| Start::new(state, tail)).collect();
    let mask = _mm_set1_epi32(filter.mask().swap_bytes().cast_signed());
    let mut k_plus_w = [[_mm_setzero_si128(); 12]; STREAMS];
    for done in (0..count).step_by(STREAMS) {
        let nonces = nonces_at(first_nonce, done);
        schedules(&block, nonces, &mut k_plus_w);
        // As many nonces as streams, so that any number of states fills the streams: they take the pairs in turn.
        let (mut state, mut nonce) = (0, 0);
        for _ in 0..starts.len() {
            let pairs: [(usize, usize); STREAMS] = std::array::from_fn(|_| {
                let pair = (state, nonce);
                let last = state + 1 == starts.len();
                (state, nonce) = (if last { 0 } else { state + 1 }, nonce + usize::from(last));
                pair
            });
            // The remainder spares a check.
            let parts = pairs.map(|(s, n)| (&starts[s], nonces[n % STREAMS], &k_plus_w[n % STREAMS]));
            let first = first_rolled(&block, parts);
            for_each_hit(second(|n| first[n]), mask, |stream| {
                let (state, nonce) = pairs[stream];
                if done + (nonce as u64) < count {
                    let state = u32::try_from(state).expect("there are at most 2^32 versions");
                    hits.push(RolledHit { state, nonce: nonces[nonce] });
                }
            });
        }
    }
}
