//! The header of a Bitcoin block.

use crate::engine::{Job, NONCE_END};

/// The length of a header in bytes.
pub(super) const HEADER_LEN: usize = 80;
/// Where the time lies in a header.
pub(super) const TIME_OFFSET: usize = 68;
/// Where the nonce lies in a header.
pub(super) const NONCE_OFFSET: usize = 76;

/// The header of a Bitcoin block, in wire order.
///
/// Multi-byte numbers are little-endian on the wire; the two hashes are in the byte order of SHA-256d's output, the
/// reverse of how they are displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// The version, with the bits that version rolling (BIP 320) may use.
    pub version: u32,
    /// The hash of the block before.
    pub prev_blockhash: [u8; 32],
    /// The root of the Merkle tree of the block's transactions.
    pub merkle_root: [u8; 32],
    /// Seconds since 1970.
    pub time: u32,
    /// The target in compact form.
    pub bits: u32,
    /// The nonce.
    pub nonce: u32,
}

/// Why a text is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not 160 characters.
    #[error("a block header has 80 bytes, written as 160 hex digits; this has {0} characters")]
    Length(usize),
    /// A character that is no hex digit.
    #[error("{character:?} at position {position} is no hex digit")]
    Digit {
        /// The character.
        character: char,
        /// Where it is, counted from 0.
        position: usize,
    },
}

impl BlockHeader {
    /// The header of block 125552, a well-known example.
    pub const BLOCK_125552: Self = Self {
        version: 1,
        prev_blockhash: [
            0x81, 0xcd, 0x02, 0xab, 0x7e, 0x56, 0x9e, 0x8b, 0xcd, 0x93, 0x17, 0xe2, 0xfe, 0x99, 0xf2, 0xde, 0x44, 0xd4,
            0x9a, 0xb2, 0xb8, 0x85, 0x1b, 0xa4, 0xa3, 0x08, 0, 0, 0, 0, 0, 0,
        ],
        merkle_root: [
            0xe3, 0x20, 0xb6, 0xc2, 0xff, 0xfc, 0x8d, 0x75, 0x04, 0x23, 0xdb, 0x8b, 0x1e, 0xb9, 0x42, 0xae, 0x71, 0x0e,
            0x95, 0x1e, 0xd7, 0x97, 0xf7, 0xaf, 0xfc, 0x88, 0x92, 0xb0, 0xf1, 0xfc, 0x12, 0x2b,
        ],
        time: 0x4dd7_f5c7,
        bits: 0x1a44_b9f2,
        nonce: 0x9546_a142,
    };

    /// Reads a header from its 160 hex digits.
    ///
    /// # Errors
    ///
    /// Another length; a character that is no hex digit.
    pub fn from_hex(text: &str) -> Result<Self, HeaderError> {
        if let Some((position, character)) = text.chars().enumerate().find(|(_, char)| !char.is_ascii_hexdigit()) {
            return Err(HeaderError::Digit { character, position });
        }
        let mut bytes = [0; HEADER_LEN];
        const_hex::decode_to_slice(text, &mut bytes).map_err(|_| HeaderError::Length(text.len()))?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Reads a header from its 80 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Self {
        let word = |offset: usize| u32::from_le_bytes([0, 1, 2, 3].map(|index| bytes[offset + index]));
        let hash = |offset: usize| std::array::from_fn(|index| bytes[offset + index]);
        Self {
            version: word(0),
            prev_blockhash: hash(4),
            merkle_root: hash(36),
            time: word(TIME_OFFSET),
            bits: word(72),
            nonce: word(NONCE_OFFSET),
        }
    }

    /// Returns the 80 bytes of the header.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..36].copy_from_slice(&self.prev_blockhash);
        bytes[36..68].copy_from_slice(&self.merkle_root);
        bytes[68..72].copy_from_slice(&self.time.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.bits.to_le_bytes());
        bytes[76..].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// Returns the job of finding this header's nonce.
    #[must_use]
    pub fn job(&self) -> Job {
        debug_assert!(u64::from(self.nonce) < NONCE_END, "nonces are 32 bits wide");
        Job { key: Vec::new(), template: self.to_bytes().to_vec(), nonce_offset: NONCE_OFFSET, version_mask: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENESIS: &str = "01000000000000000000000000000000000000000000000000000000000000000000000\
        03ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

    #[test]
    fn the_fields_of_the_genesis_header_are_read() {
        let header = BlockHeader::from_hex(GENESIS).unwrap();
        assert_eq!(
            (header.version, header.time, header.bits, header.nonce),
            (1, 1_231_006_505, 0x1d00_ffff, 2_083_236_893)
        );
        assert_eq!(const_hex::encode(header.to_bytes()), GENESIS);
    }

    #[test]
    fn what_is_no_header_is_refused_with_the_reason() {
        assert_eq!(BlockHeader::from_hex(&GENESIS[1..]), Err(HeaderError::Length(159)));
        assert_eq!(BlockHeader::from_hex(""), Err(HeaderError::Length(0)));
        assert_eq!(BlockHeader::from_hex(&format!("{GENESIS}00")), Err(HeaderError::Length(162)));
        let spoilt = GENESIS.replacen('f', "g", 1);
        let position = GENESIS.find('f').unwrap();
        assert_eq!(BlockHeader::from_hex(&spoilt), Err(HeaderError::Digit { character: 'g', position }));
        // A prefix counts as digits that are none.
        let prefixed = format!("0x{}", &GENESIS[2..]);
        assert_eq!(BlockHeader::from_hex(&prefixed), Err(HeaderError::Digit { character: 'x', position: 1 }));
    }
}
