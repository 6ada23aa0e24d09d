//! Blake2b with outputs of 256 and 512 bits, which the specification calls Hash256 and Hash512.

use blake2::{Blake2b256, Blake2b512, Digest};

/// Returns Hash256 of the concatenated `parts`.
pub(super) fn hash256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Blake2b256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Returns Hash512 of `input`.
pub(super) fn hash512(input: &[u8]) -> [u8; 64] {
    Blake2b512::digest(input).into()
}

/// Returns the words that `bytes` are in little-endian order.
pub(super) fn words(bytes: &[u8; 64]) -> [u64; 8] {
    std::array::from_fn(|word| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[8 * word..8 * word + 8]);
        u64::from_le_bytes(eight)
    })
}
