//! SHA-256d on vectors, a hash in each 32-bit lane, written once for every instruction set that has such vectors.
//!
//! Several vectors, the streams, go side by side, because one alone waits for itself: from e to the next e are a
//! rotation, an exclusive or and two sums, eight cycles where each takes two (Zen 5). All streams have the same state,
//! and a schedule of their own; so any number of states will do, and a schedule is computed once for all of them.
//!
//! Vector operations in a vector of hashes, counted in the compiled loops, moves and loads left out: with AVX-512 2,398
//! for each state and 468 for the schedule that the states share (the least known is 2,386 and 460); with AVX2 4,923
//! and about 870. On a Zen 5 core, which can start four each cycle, that takes 848 cycles with one state and 691 with
//! sixteen (AVX2: 1,630 and 1,378), so 3.4 to 3.6 are started each cycle.
//!
//! What was tried on that core, and lost:
//! - one, two or four streams with AVX-512: a round takes 9.0, 5.3 and 5.9 cycles a vector, with three 4.2. Two give 65
//!   and 80 MH/s (one state, sixteen), three 77 and 96. Four have no registers left. AVX2 gives 15, 21, 24 MH/s with
//!   one, two, three streams and sixteen states, and 23 with four.
//! - rounds and schedule of the second hash in one pass, sixteen words in registers: 82 MH/s with two streams, sixteen
//!   states, and 62 with three; the words spill.
//! - a sum more in each round for a chain of six cycles from e to e: the rounds alone take 9 % less with two
//!   streams, but 2 % more with three.
//! - twelve rounds in the loop instead of four: AVX-512 the same, AVX2 9 % slower.
//! - the second hash's rounds 1 to 7 in a straight line and its padding's in a loop of their own: AVX-512 the same,
//!   AVX2 4 to 7 % slower, though it saves eight sums.

use super::fold::{FoldedState, FoldedTail, ROUND_0_A, ROUND_0_E};
use super::midstate::{Kernel, Midstate, RolledHit, Scan};
use super::scalar::{H0, K, sha256_with, small_sigma0, small_sigma1};
use crate::engine::{Hash, HitFilter};

/// An instruction set with vectors of 32-bit lanes.
///
/// A value of an implementing type is the proof that this processor has it. All methods are inlined into a function
/// with the features; elsewhere they work too, slowly.
pub(super) trait VectorSet: Copy {
    /// As many words as there are lanes.
    type Vector: Copy;
    /// How many words a vector has, at most 32.
    const LANES: u32;

    /// Calls [`scan`] where the features are on, with as many streams as suit this set.
    fn scan_states(self, scan: &Scan<'_>, found: &mut dyn FnMut(usize, u32));
    /// Calls [`compress`] where the features are on.
    fn compress_block(self, hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8];

    /// Returns `word` in each lane.
    fn splat(self, word: u32) -> Self::Vector;
    /// Returns the nonces from `first` as words of a block, byte-swapped.
    fn nonces(self, first: u32) -> Self::Vector;
    /// Returns the first lane.
    fn first_lane(self, x: Self::Vector) -> u32;
    /// Returns a bit for each lane, that of the first lowest, set where x & mask is zero.
    fn zero_lanes(self, x: Self::Vector, mask: Self::Vector) -> u32;
    /// Returns x + y.
    fn add(self, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// Returns x ^ y.
    fn xor(self, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// Returns x ^ y ^ z.
    fn xor3(self, x: Self::Vector, y: Self::Vector, z: Self::Vector) -> Self::Vector;
    /// Rotates each word to the right by `N`.
    fn rotate<const N: u32>(self, x: Self::Vector) -> Self::Vector;
    /// Shifts each word to the right by `N`.
    fn shift<const N: u32>(self, x: Self::Vector) -> Self::Vector;
    /// Returns Ch (FIPS 180-4, section 4.1.2).
    fn ch(self, x: Self::Vector, y: Self::Vector, z: Self::Vector) -> Self::Vector;
    /// Returns Maj. `x_xor_y` is this round's x ^ y and next round's `y_xor_z`; where one instruction is Maj, both go
    /// unused, and the compiler drops them.
    fn maj(self, variables: [Self::Vector; 3], x_xor_y: Self::Vector, y_xor_z: Self::Vector) -> Self::Vector;
}

impl<I: VectorSet + Send + Sync> Kernel for I {
    fn scan(&self, midstate: &Midstate, first_nonce: u32, count: u64, filter: HitFilter, hits: &mut Vec<u32>) {
        let scan = Scan { states: &[midstate.state], tail: midstate.tail, first_nonce, count, filter };
        self.scan_states(&scan, &mut |_, nonce| hits.push(nonce));
    }

    fn scan_rolled(&self, scan: &Scan<'_>, hits: &mut Vec<RolledHit>) {
        self.scan_states(scan, &mut |state, nonce| {
            let state = u32::try_from(state).expect("versions have 32 bits, so there are no more states");
            hits.push(RolledHit { state, nonce });
        });
    }

    fn sha256d(&self, message: &[u8]) -> Hash {
        let compress = |hash: &[u32; 8], block: &[u32; 16]| self.compress_block(hash, block);
        sha256_with(compress, &sha256_with(compress, message))
    }
}

#[inline(always)]
fn big_sigma0<I: VectorSet>(isa: I, x: I::Vector) -> I::Vector {
    isa.xor3(isa.rotate::<2>(x), isa.rotate::<13>(x), isa.rotate::<22>(x))
}

#[inline(always)]
fn big_sigma1<I: VectorSet>(isa: I, x: I::Vector) -> I::Vector {
    isa.xor3(isa.rotate::<6>(x), isa.rotate::<11>(x), isa.rotate::<25>(x))
}

#[inline(always)]
fn sigma0<I: VectorSet>(isa: I, x: I::Vector) -> I::Vector {
    isa.xor3(isa.rotate::<7>(x), isa.rotate::<18>(x), isa.shift::<3>(x))
}

#[inline(always)]
fn sigma1<I: VectorSet>(isa: I, x: I::Vector) -> I::Vector {
    isa.xor3(isa.rotate::<17>(x), isa.rotate::<19>(x), isa.shift::<10>(x))
}

/// The words of a message schedule, or their sums with the round constants; those of the streams side by side.
#[repr(align(64))]
struct Schedule<V, const S: usize>([[V; S]; 64]);

/// The working variables (FIPS 180-4, section 6.2.2).
#[derive(Clone, Copy)]
struct Working<V> {
    a: V,
    b: V,
    c: V,
    d: V,
    e: V,
    f: V,
    g: V,
    h: V,
    b_xor_c: V,
}

impl<V: Copy> Working<V> {
    #[inline(always)]
    fn new<I: VectorSet<Vector = V>>(isa: I, [a, b, c, d, e, f, g, h]: [V; 8]) -> Self {
        Self { a, b, c, d, e, f, g, h, b_xor_c: isa.xor(b, c) }
    }

    /// Does one round; `h_k_w` is the sum of h, the constant and the word.
    #[inline(always)]
    fn round<I: VectorSet<Vector = V>>(self, isa: I, h_k_w: V) -> Self {
        let Self { a, b, c, d, e, f, g, b_xor_c, .. } = self;
        let t1 = isa.add(big_sigma1(isa, e), isa.add(isa.ch(e, f, g), h_k_w));
        let a_xor_b = isa.xor(a, b);
        let t2 = isa.add(big_sigma0(isa, a), isa.maj([a, b, c], a_xor_b, b_xor_c));
        Self { a: isa.add(t1, t2), b: a, c: b, d: c, e: isa.add(d, t1), f: e, g: f, h: g, b_xor_c: a_xor_b }
    }
}

/// Does a round of each stream with the sums of constant and word.
#[inline(always)]
fn round_of_sums<I: VectorSet, const S: usize>(isa: I, states: &mut [Working<I::Vector>; S], sums: &[I::Vector; S]) {
    for (state, &sum) in states.iter_mut().zip(sums) {
        *state = state.round(isa, isa.add(state.h, sum));
    }
}

/// Does a round of each stream with the round's constant and the words.
#[inline(always)]
fn round<I: VectorSet, const S: usize>(isa: I, states: &mut [Working<I::Vector>; S], k: u32, words: &[I::Vector; S]) {
    for (state, &word) in states.iter_mut().zip(words) {
        *state = state.round(isa, isa.add(isa.add(state.h, isa.splat(k)), word));
    }
}

/// Computes words of the schedule, `fours` times four from the word `first` (FIPS 180-4, section 6.2.2).
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "the streams go side by side")]
fn expand<I: VectorSet, const S: usize>(isa: I, w: &mut [[I::Vector; S]; 64], first: usize, fours: usize) {
    for four in 0..fours {
        let t = first + 4 * four;
        let window: &mut [_; 20] = (&mut w[t - 16..t + 4]).try_into().expect("it is of 20 words");
        for i in 16..20 {
            for s in 0..S {
                let sum = isa.add(window[i - 16][s], window[i - 7][s]);
                let sum = isa.add(sum, sigma0(isa, window[i - 15][s]));
                window[i][s] = isa.add(sum, sigma1(isa, window[i - 2][s]));
            }
        }
    }
}

/// Computes the schedules of the header's second block, constants added, for the nonces from `first_nonce`. Words 4 to
/// 17 have no nonce in them and are there already; `w` is for the words in between.
#[inline(always)]
fn first_schedule<I: VectorSet, const S: usize>(
    isa: I,
    tail: &FoldedTail,
    first_nonce: u32,
    w: &mut [[I::Vector; S]; 64],
    sums: &mut [[I::Vector; S]; 64],
) {
    let (s0, s1) = (|x| sigma0(isa, x), |x| sigma1(isa, x));
    let (add, splat) = (|x, y| isa.add(x, y), |word| isa.splat(word));
    let mut nonce = first_nonce;
    for s in 0..S {
        let w3 = isa.nonces(nonce);
        nonce = nonce.wrapping_add(I::LANES);
        sums[3][s] = add(w3, splat(K[3]));
        w[16][s] = splat(tail.w16);
        w[17][s] = splat(tail.w17);
        w[18][s] = add(s0(w3), splat(tail.w18_less_nonce));
        w[19][s] = add(w3, splat(tail.w19_less_nonce));
        w[20][s] = add(s1(w[18][s]), splat(0x8000_0000));
        w[21][s] = s1(w[19][s]);
        w[22][s] = add(s1(w[20][s]), splat(640));
        for t in 23..30 {
            w[t][s] = add(s1(w[t - 2][s]), w[t - 7][s]);
        }
        w[30][s] = add(add(w[23][s], splat(small_sigma0(640))), s1(w[28][s]));
        w[31][s] = add(add(w[24][s], splat(tail.w31_less_nonce)), s1(w[29][s]));
    }
    for t in 18..32 {
        for s in 0..S {
            sums[t][s] = add(w[t][s], splat(K[t]));
        }
    }
    // Four words and their sums at a time; all sums in a pass of their own cost 1.5 % of the plain rate.
    for t in (32..64).step_by(4) {
        expand(isa, w, t, 1);
        for t in t..t + 4 {
            for s in 0..S {
                sums[t][s] = add(w[t][s], splat(K[t]));
            }
        }
    }
}

/// Completes the schedules of the second hash, which begin with the eight words of the first, as far as word 60.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "the streams go side by side")]
fn second_schedule<I: VectorSet, const S: usize>(isa: I, w: &mut [[I::Vector; S]; 64]) {
    let (s0, s1) = (|x| sigma0(isa, x), |x| sigma1(isa, x));
    let (add, splat) = (|x, y| isa.add(x, y), |word| isa.splat(word));
    for s in 0..S {
        w[16][s] = add(w[0][s], s0(w[1][s]));
        w[17][s] = add(add(w[1][s], s0(w[2][s])), splat(small_sigma1(256)));
        for t in 18..22 {
            w[t][s] = add(add(w[t - 16][s], s0(w[t - 15][s])), s1(w[t - 2][s]));
        }
        w[22][s] = add(add(add(w[6][s], splat(256)), s0(w[7][s])), s1(w[20][s]));
        w[23][s] = add(add(add(w[7][s], splat(small_sigma0(0x8000_0000))), w[16][s]), s1(w[21][s]));
        w[24][s] = add(add(w[17][s], splat(0x8000_0000)), s1(w[22][s]));
        for t in 25..30 {
            w[t][s] = add(w[t - 7][s], s1(w[t - 2][s]));
        }
        w[30][s] = add(add(w[23][s], splat(small_sigma0(256))), s1(w[28][s]));
        w[31][s] = add(add(add(w[24][s], splat(256)), s0(w[16][s])), s1(w[29][s]));
        w[32][s] = add(add(add(w[16][s], s0(w[17][s])), w[25][s]), s1(w[30][s]));
    }
    expand(isa, w, 33, 7);
}

/// Does the rounds of the first hash from the nonce's, and writes its words where the schedules of the second begin.
#[inline(always)]
fn first_rounds<I: VectorSet, const S: usize>(
    isa: I,
    folded: &FoldedState,
    sums: &[[I::Vector; S]; 64],
    w: &mut [[I::Vector; S]; 64],
) {
    let [b, c, d, f, g, h] = folded.others.map(|word| isa.splat(word));
    let mut states: [Working<I::Vector>; S] = std::array::from_fn(|s| {
        let a = isa.add(sums[3][s], isa.splat(folded.a_less_sum));
        let e = isa.add(sums[3][s], isa.splat(folded.e_less_sum));
        Working::new(isa, [a, b, c, d, e, f, g, h])
    });
    for [sums0, sums1, sums2, sums3] in sums[4..].as_chunks().0 {
        round_of_sums(isa, &mut states, sums0);
        round_of_sums(isa, &mut states, sums1);
        round_of_sums(isa, &mut states, sums2);
        round_of_sums(isa, &mut states, sums3);
    }
    for (s, Working { a, b, c, d, e, f, g, h, .. }) in states.into_iter().enumerate() {
        for (t, word) in [a, b, c, d, e, f, g, h].into_iter().enumerate() {
            w[t][s] = isa.add(word, isa.splat(folded.initial[t]));
        }
    }
}

/// Does the rounds of the second hash up to 60, and returns the last words of the hash: what is e now is only moved in
/// the rounds after. The compiler drops the last four a, on which nothing depends, as long as these rounds stand alone.
/// The padding goes through the loop like any word: eight sums too many, but the one loop is faster than two.
#[inline(always)]
fn second_rounds<I: VectorSet, const S: usize>(isa: I, w: &[[I::Vector; S]; 64]) -> [I::Vector; S] {
    let [a, b, c, _, e, f, g, _] = H0.map(|word| isa.splat(word));
    let mut states: [Working<I::Vector>; S] = w[0].map(|word| {
        let new_a = isa.add(word, isa.splat(ROUND_0_A));
        let new_e = isa.add(word, isa.splat(ROUND_0_E));
        Working::new(isa, [new_a, a, b, c, new_e, e, f, g])
    });
    round(isa, &mut states, K[1], &w[1]);
    round(isa, &mut states, K[2], &w[2]);
    round(isa, &mut states, K[3], &w[3]);
    for ([w0, w1, w2, w3], &[k0, k1, k2, k3]) in w[4..56].as_chunks().0.iter().zip(K[4..56].as_chunks().0) {
        round(isa, &mut states, k0, w0);
        round(isa, &mut states, k1, w1);
        round(isa, &mut states, k2, w2);
        round(isa, &mut states, k3, w3);
    }
    round(isa, &mut states, K[56], &w[56]);
    round(isa, &mut states, K[57], &w[57]);
    round(isa, &mut states, K[58], &w[58]);
    round(isa, &mut states, K[59], &w[59]);
    round(isa, &mut states, K[60].wrapping_add(H0[7]), &w[60]);
    states.map(|state| state.e)
}

/// Scans with `S` streams and calls `found` with the index of the state and the nonce of each hit; with one state, in
/// the order of the nonces.
#[inline(always)]
pub(super) fn scan<I: VectorSet, const S: usize>(isa: I, scan: &Scan<'_>, found: &mut dyn FnMut(usize, u32)) {
    let states: Vec<FoldedState> = scan.states.iter().map(|state| FoldedState::new(state, scan.tail)).collect();
    let tail = FoldedTail::new(scan.tail);
    let mask = isa.splat(scan.filter.mask().swap_bytes());
    let mut sums = Schedule([[isa.splat(0); S]; 64]);
    for t in 4..18 {
        sums.0[t] = [isa.splat(tail.sum(t)); S];
    }
    let mut w = Schedule([[isa.splat(0); S]; 64]);
    for (word, padding) in w.0[8..16].iter_mut().zip([0x8000_0000, 0, 0, 0, 0, 0, 0, 256]) {
        *word = [isa.splat(padding); S];
    }
    let mut nonce = scan.first_nonce;
    let mut left = scan.count;
    while left > 0 {
        first_schedule(isa, &tail, nonce, &mut w.0, &mut sums.0);
        for (index, folded) in states.iter().enumerate() {
            first_rounds(isa, folded, &sums.0, &mut w.0);
            second_schedule(isa, &mut w.0);
            let bits = second_rounds(isa, &w.0).map(|last| isa.zero_lanes(last, mask));
            if bits.iter().any(|&bits| bits != 0) {
                report(&bits, I::LANES, left, &mut |offset| found(index, nonce.wrapping_add(offset)));
            }
        }
        let step = S.try_into().map_or(u32::MAX, |streams: u32| streams * I::LANES);
        nonce = nonce.wrapping_add(step);
        left = left.saturating_sub(u64::from(step));
    }
}

/// Calls `found` with the position of each set bit below `left`.
#[cold]
fn report(bits: &[u32], lanes: u32, left: u64, found: &mut dyn FnMut(u32)) {
    for (stream, bits) in (0..).zip(bits) {
        let set = (0..lanes).filter(|lane| bits >> lane & 1 == 1).map(|lane| stream * lanes + lane);
        set.take_while(|&offset| u64::from(offset) < left).for_each(&mut *found);
    }
}

/// Computes the hash value after one more block, with the same in every lane.
#[inline(always)]
pub(super) fn compress<I: VectorSet>(isa: I, hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    let mut w = Schedule([[isa.splat(0)]; 64]);
    for (word, &given) in w.0.iter_mut().zip(block) {
        *word = [isa.splat(given)];
    }
    expand(isa, &mut w.0, 16, 12);
    let initial = hash.map(|word| isa.splat(word));
    let mut states = [Working::new(isa, initial)];
    for (&k, words) in K.iter().zip(&w.0) {
        round(isa, &mut states, k, words);
    }
    let [Working { a, b, c, d, e, f, g, h, .. }] = states;
    let working = [a, b, c, d, e, f, g, h];
    std::array::from_fn(|index| isa.first_lane(isa.add(initial[index], working[index])))
}
