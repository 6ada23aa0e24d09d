//! SHA-256 as FIPS 180-4 writes it: the oracle for every other engine. Readable first; it is itself checked against the
//! `sha2` crate.

use super::midstate::{Kernel, Midstate, RolledHit, Scan};
use crate::engine::{Hash, HitFilter};

/// The initial hash value (FIPS 180-4, section 5.3.3).
pub const H0: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The round constants (FIPS 180-4, section 4.2.2).
#[rustfmt::skip]
pub const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

pub(super) const fn ch(x: u32, y: u32, z: u32) -> u32 {
    (x & y) ^ (!x & z)
}

pub(super) const fn maj(x: u32, y: u32, z: u32) -> u32 {
    (x & y) ^ (x & z) ^ (y & z)
}

pub(super) const fn big_sigma0(x: u32) -> u32 {
    x.rotate_right(2) ^ x.rotate_right(13) ^ x.rotate_right(22)
}

pub(super) const fn big_sigma1(x: u32) -> u32 {
    x.rotate_right(6) ^ x.rotate_right(11) ^ x.rotate_right(25)
}

pub(super) const fn small_sigma0(x: u32) -> u32 {
    x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
}

pub(super) const fn small_sigma1(x: u32) -> u32 {
    x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
}

/// Computes the hash value after one more message block (FIPS 180-4, section 6.2.2).
#[must_use]
pub fn compress(hash: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    rounds(hash, &schedule(block))
}

/// Expands a message block (FIPS 180-4, section 6.2.2, step 1).
fn schedule(block: &[u32; 16]) -> [u32; 64] {
    let mut w = [0; 64];
    w[..16].copy_from_slice(block);
    for t in 16..64 {
        w[t] =
            small_sigma1(w[t - 2]).wrapping_add(w[t - 7]).wrapping_add(small_sigma0(w[t - 15])).wrapping_add(w[t - 16]);
    }
    w
}

/// Computes the hash value after the block of this schedule (FIPS 180-4, section 6.2.2, steps 2 to 4).
fn rounds(hash: &[u32; 8], w: &[u32; 64]) -> [u32; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *hash;
    for t in 0..64 {
        let t1 = h.wrapping_add(big_sigma1(e)).wrapping_add(ch(e, f, g)).wrapping_add(K[t]).wrapping_add(w[t]);
        let t2 = big_sigma0(a).wrapping_add(maj(a, b, c));
        (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
        (d, c, b, a) = (c, b, a, t1.wrapping_add(t2));
    }
    let working = [a, b, c, d, e, f, g, h];
    std::array::from_fn(|index| hash[index].wrapping_add(working[index]))
}

/// Reads 64 bytes as the sixteen big-endian words of a block.
pub(super) fn block_words(bytes: &[u8]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words
}

/// Computes SHA-256 of a message of any length with the given compression function.
///
/// Padding is that of FIPS 180-4, section 5.1.1: a one bit, zeros, the length in bits as 64 bits.
pub(super) fn sha256_with(compress: impl Fn(&[u32; 8], &[u32; 16]) -> [u32; 8], message: &[u8]) -> Hash {
    let mut hash = H0;
    let blocks = message.chunks_exact(64);
    let mut tail = [0; 128];
    let rest = blocks.remainder();
    for block in blocks {
        hash = compress(&hash, &block_words(block));
    }
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()] = 0x80;
    let tail_len = if rest.len() < 56 { 64 } else { 128 };
    tail[tail_len - 8..tail_len].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in tail[..tail_len].chunks_exact(64) {
        hash = compress(&hash, &block_words(block));
    }
    digest_bytes(&hash)
}

/// Writes the final hash value as bytes, big end first.
pub(super) fn digest_bytes(hash: &[u32; 8]) -> Hash {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(hash) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// Computes SHA-256 of a message of any length.
#[must_use]
pub fn sha256(message: &[u8]) -> Hash {
    sha256_with(compress, message)
}

/// Computes SHA-256d: SHA-256 of SHA-256.
#[must_use]
pub fn sha256d(message: &[u8]) -> Hash {
    sha256(&sha256(message))
}

/// Scans with [`compress`], one nonce at a time: two blocks for each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scalar;

impl Kernel for Scalar {
    fn scan(&self, midstate: &Midstate, first_nonce: u32, count: u64, filter: HitFilter, hits: &mut Vec<u32>) {
        let mut nonce = first_nonce;
        for _ in 0..count {
            let first = compress(&midstate.state, &midstate.block(nonce));
            if is_hit(&first, filter) {
                hits.push(nonce);
            }
            nonce = nonce.wrapping_add(1);
        }
    }

    fn scan_rolled(&self, scan: &Scan<'_>, hits: &mut Vec<RolledHit>) {
        let Scan { states, tail, first_nonce, count, filter } = *scan;
        let mut nonce = first_nonce;
        for _ in 0..count {
            // The version is in the first block: headers that differ in it have their second block in common.
            let w = schedule(&Midstate { state: H0, tail }.block(nonce));
            for (state, midstate) in (0..).zip(states) {
                if is_hit(&rounds(midstate, &w), filter) {
                    hits.push(RolledHit { state, nonce });
                }
            }
            nonce = nonce.wrapping_add(1);
        }
    }

    fn sha256d(&self, message: &[u8]) -> Hash {
        sha256d(message)
    }
}

/// Tells whether the filter admits the second hash of a first one.
fn is_hit(first: &[u32; 8], filter: HitFilter) -> bool {
    let second = compress(&H0, &Midstate::second_block(first));
    second[7].swap_bytes() & filter.mask() == 0
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold() {
        // NIST's examples for FIPS 180-4, SHA-256: one block and two blocks; and the empty message.
        let cases = [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ];
        for (message, digest) in cases {
            assert_eq!(const_hex::encode(sha256(message.as_bytes())), digest);
        }
    }

    #[test]
    fn every_length_up_to_three_blocks_agrees_with_the_sha2_crate() {
        let message: Vec<u8> = (0..200_u8).map(|index| index.wrapping_mul(151)).collect();
        for length in 0..=message.len() {
            let once = sha2::Sha256::digest(&message[..length]);
            assert_eq!(sha256(&message[..length])[..], once[..], "length {length}");
            assert_eq!(sha256d(&message[..length])[..], sha2::Sha256::digest(once)[..], "length {length}");
        }
    }
}
