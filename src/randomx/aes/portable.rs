//! AES from tables, for processors without instructions for it.
//!
//! Look-ups take different times for different data. Nothing here is secret.

use super::Rounds;

/// AES from tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

impl Rounds for Portable {
    type Block = u128;

    #[inline(always)]
    fn load(self, block: u128) -> u128 {
        block
    }

    #[inline(always)]
    fn store(self, block: u128) -> u128 {
        block
    }

    #[inline(always)]
    fn encrypt(self, block: u128, key: u128) -> u128 {
        round(&ENCRYPT, block, [0, 5, 10, 15]) ^ key
    }

    #[inline(always)]
    fn decrypt(self, block: u128, key: u128) -> u128 {
        round(&DECRYPT, block, [0, 13, 10, 7]) ^ key
    }
}

/// What each byte contributes to a column of four bytes, for the four rows that it can come from.
type Tables = [[u32; 256]; 4];

/// SubBytes and MixColumns.
static ENCRYPT: Tables = tables(&SBOX, [2, 1, 1, 3]);
/// Their inverses.
static DECRYPT: Tables = tables(&inverse(&SBOX), [14, 9, 13, 11]);

/// Substitutes, shifts and mixes. `shifted` says where the bytes of column 0 come from.
#[inline(always)]
fn round(tables: &Tables, block: u128, shifted: [usize; 4]) -> u128 {
    let bytes = block.to_le_bytes();
    (0..4).fold(0, |result, column| {
        let mixed =
            (0..4).fold(0, |mixed, row| mixed ^ tables[row][usize::from(bytes[(shifted[row] + 4 * column) % 16])]);
        result | u128::from(mixed) << (32 * column)
    })
}

const SBOX: [u8; 256] = sbox();

/// Multiplies in the field of AES.
const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 };
        b >>= 1;
    }
    product
}

/// Computes the S-box from its definition: the inverse in the field, then an affine map.
const fn sbox() -> [u8; 256] {
    let mut sbox = [0x63; 256];
    // Powers of 3 run through all elements but zero, and powers of its inverse 0xf6 through their inverses.
    let (mut element, mut inverse) = (1_u8, 1_u8);
    loop {
        sbox[element as usize] = 0x63
            ^ inverse
            ^ inverse.rotate_left(1)
            ^ inverse.rotate_left(2)
            ^ inverse.rotate_left(3)
            ^ inverse.rotate_left(4);
        element = multiply(element, 3);
        inverse = multiply(inverse, 0xf6);
        if element == 1 {
            return sbox;
        }
    }
}

const fn inverse(sbox: &[u8; 256]) -> [u8; 256] {
    let mut inverse = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        {
            inverse[sbox[byte] as usize] = byte as u8;
        }
        byte += 1;
    }
    inverse
}

/// Computes tables from an S-box and the first column of the matrix, whose others are its rotations.
const fn tables(sbox: &[u8; 256], matrix: [u8; 4]) -> Tables {
    let mut tables = [[0; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let substituted = sbox[byte];
        let column = u32::from_le_bytes([
            multiply(substituted, matrix[0]),
            multiply(substituted, matrix[1]),
            multiply(substituted, matrix[2]),
            multiply(substituted, matrix[3]),
        ]);
        let mut row = 0;
        while row < 4 {
            tables[row][byte] = column.rotate_left(8 * row as u32);
            row += 1;
        }
        byte += 1;
    }
    tables
}
