//! Commitments, by which a wrong hash can be refused without computing the right one.

use super::blake2b::hash256;
use super::hash::Hash;

/// Returns the commitment of `hash`, which is the RandomX hash of `input`: Hash256 of both.
#[must_use]
pub fn commitment(input: &[u8], hash: &Hash) -> Hash {
    hash256(&[input, hash])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From upstream's src/tests/tests.cpp: of "This is a test" with "test key 000", in version 1 and 2.
    #[test]
    fn commitments_are_the_published_ones() {
        let published = [
            (
                "639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f",
                "d53ccf348b75291b7be76f0a7ac8208bbced734b912f6fca60539ab6f86be919",
            ),
            (
                "22ec6b861b3eb23686b2efbad69513c967ecfce80983df66c9c5b4fbfb4cdb6f",
                "133be717399046b03ae82ce8ddd9d1ee4d3ea7fca03a50dec09b6848cbb98e18",
            ),
        ];
        for (hash, expected) in published {
            let mut bytes = [0; 32];
            const_hex::decode_to_slice(hash, &mut bytes).unwrap();
            assert_eq!(const_hex::encode(commitment(b"This is a test", &bytes)), expected);
        }
    }
}
