//! What a scan computes once, ahead of its nonces: what no nonce changes, folded with the constants it meets.

use super::scalar::{H0, K, big_sigma0, big_sigma1, ch, maj, small_sigma0, small_sigma1};

/// a after the first round of the second hash, less the word.
pub(super) const ROUND_0_A: u32 = round_0().0;
/// e after the first round of the second hash, less the word.
pub(super) const ROUND_0_E: u32 = round_0().1;

const fn round_0() -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = H0;
    let t1 = h.wrapping_add(big_sigma1(e)).wrapping_add(ch(e, f, g)).wrapping_add(K[0]);
    (t1.wrapping_add(big_sigma0(a)).wrapping_add(maj(a, b, c)), d.wrapping_add(t1))
}

/// A midstate, and the working variables that it leads to in the round that takes the nonce.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct FoldedState {
    /// The midstate.
    pub(super) initial: [u32; 8],
    /// a after round 3, less the sum of constant and word.
    pub(super) a_less_sum: u32,
    /// e after round 3, less the sum of constant and word.
    pub(super) e_less_sum: u32,
    /// b, c, d, f, g, h after round 3.
    pub(super) others: [u32; 6],
}

impl FoldedState {
    /// Does the first three rounds of the header's second block, and of the fourth what comes before the nonce.
    pub(super) fn new(initial: &[u32; 8], tail: [u32; 3]) -> Self {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *initial;
        for (k, word) in K.into_iter().zip(tail) {
            let t1 = h.wrapping_add(big_sigma1(e)).wrapping_add(ch(e, f, g)).wrapping_add(k).wrapping_add(word);
            let t2 = big_sigma0(a).wrapping_add(maj(a, b, c));
            (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
            (d, c, b, a) = (c, b, a, t1.wrapping_add(t2));
        }
        let t1 = h.wrapping_add(big_sigma1(e)).wrapping_add(ch(e, f, g));
        let t2 = big_sigma0(a).wrapping_add(maj(a, b, c));
        Self {
            initial: *initial,
            a_less_sum: t1.wrapping_add(t2),
            e_less_sum: d.wrapping_add(t1),
            others: [a, b, c, e, f, g],
        }
    }
}

/// What the words of the second block before the nonce, and its padding, put into its schedule.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoldedTail {
    /// Word 16.
    pub(super) w16: u32,
    /// Word 17.
    pub(super) w17: u32,
    /// Word 18, less what the nonce adds.
    pub(super) w18_less_nonce: u32,
    /// Word 19, less what the nonce adds.
    pub(super) w19_less_nonce: u32,
    /// Word 31, less what words 24 and 29 add, in which the nonce is.
    pub(super) w31_less_nonce: u32,
}

impl FoldedTail {
    /// Computes it from the three words before the nonce.
    pub(super) fn new([w0, w1, w2]: [u32; 3]) -> Self {
        let w16 = w0.wrapping_add(small_sigma0(w1));
        let w17 = w1.wrapping_add(small_sigma0(w2)).wrapping_add(small_sigma1(640));
        Self {
            w16,
            w17,
            w18_less_nonce: w2.wrapping_add(small_sigma1(w16)),
            w19_less_nonce: small_sigma0(0x8000_0000).wrapping_add(small_sigma1(w17)),
            w31_less_nonce: small_sigma0(w16).wrapping_add(640),
        }
    }

    /// Returns the sum of constant and word of a round from 4 to 17, where no nonce is in the word.
    pub(super) fn sum(&self, t: usize) -> u32 {
        let word = match t {
            4 => 0x8000_0000,
            15 => 640,
            16 => self.w16,
            17 => self.w17,
            _ => 0,
        };
        K[t].wrapping_add(word)
    }
}
