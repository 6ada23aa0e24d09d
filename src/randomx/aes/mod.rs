//! The functions that are made of single rounds of AES (specification, sections 3.2 to 3.4, and step 10 of 4.6.2 in
//! version 2), with the processor's instructions or without.

#[cfg(target_arch = "x86_64")]
mod aes_ni;
mod portable;

use super::memory::Line;

/// One round of AES each way. Blocks are numbers whose least significant byte comes first in memory.
trait Rounds: Copy {
    /// A block, as the implementation holds it.
    type Block: Copy;

    fn load(self, block: u128) -> Self::Block;
    fn store(self, block: Self::Block) -> u128;
    /// ShiftRows, SubBytes, MixColumns and the XOR with the key.
    fn encrypt(self, block: Self::Block, key: Self::Block) -> Self::Block;
    /// The inverse steps and the XOR with the key.
    fn decrypt(self, block: Self::Block, key: Self::Block) -> Self::Block;
}

/// The 64 bytes of state of a generator or hash: four columns.
pub(super) type State = [u128; 4];

/// Returns blocks from bytes as the specification prints them.
const fn blocks<const N: usize>(mut printed: [u128; N]) -> [u128; N] {
    let mut index = 0;
    while index < N {
        printed[index] = printed[index].swap_bytes();
        index += 1;
    }
    printed
}

/// The keys of AesGenerator1R, by column.
const GENERATOR_1R_KEYS: [u128; 4] = blocks([
    0x53a5_ac6d_0966_7162_2b55_b5db_1749_f4b4,
    0x07af_7c6d_0d71_6a84_78d3_2517_4edc_a10d,
    0xf162_123f_c67e_949f_4f79_c0f4_45e3_203e,
    0x3581_ef6a_7c31_bab1_884c_3116_5491_1649,
]);

/// The keys of AesGenerator4R: four for columns 0 and 1, four for columns 2 and 3.
const GENERATOR_4R_KEYS: [u128; 8] = blocks([
    0xddaa_2164_db3d_83d1_2b6d_542f_3fd2_e599,
    0x5034_0eb2_553f_91b6_539d_f706_e5cd_dfa5,
    0x04d9_3e5c_af7b_5e51_9f67_a40a_bf02_1c17,
    0x6337_6285_085d_8fe7_8537_67cd_91d2_ded8,
    0x736f_82b5_a6a7_d6e3_6d8b_513d_b4ff_9e22,
    0xf36b_56c7_d9b3_109c_4e4d_02e9_d2b7_72b2,
    0xe7c9_73f2_8ba3_65f7_0a66_a92b_a7ef_3bf6,
    0x09d6_7c7a_de39_5891_fdd1_060c_2d76_b0c0,
]);

/// The state that AesHash1R starts from.
const HASH_1R_STATE: State = blocks([
    0x0d2c_b592_de56_a89f_47db_82cc_ad3a_98d7,
    0x6e99_8d33_98b7_c715_5a12_9ef5_5780_e7ac,
    0x1700_776a_d0c7_62ae_6b50_7950_e47c_a0e8,
    0x0c24_0a63_8d82_ad07_0500_a179_4849_997e,
]);

/// The keys that AesHash1R ends with.
const HASH_1R_EXTRA_KEYS: [u128; 2] =
    blocks([0x8983_faf6_9f94_248b_bf56_dc90_0102_8906, 0xd163_b261_3ce0_f451_c643_10ee_9bf9_18ed]);

/// What computes AES here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aes(Implementation);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Implementation {
    #[cfg(target_arch = "x86_64")]
    AesNi(aes_ni::AesNi),
    Portable,
}

/// Calls a method of this module's generic functions with the implementation that was chosen.
macro_rules! dispatch {
    ($aes:expr, $function:ident($($argument:expr),*)) => {
        match $aes.0 {
            #[cfg(target_arch = "x86_64")]
            Implementation::AesNi(aes_ni) => aes_ni.$function($($argument),*),
            Implementation::Portable => $function(portable::Portable, $($argument),*),
        }
    };
}

impl Aes {
    /// Returns the processor's instructions where it has them, else [`PORTABLE`](Self::PORTABLE).
    #[must_use]
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(aes_ni) = aes_ni::AesNi::detect() {
            return Self(Implementation::AesNi(aes_ni));
        }
        Self::PORTABLE
    }

    /// AES from tables, for any processor.
    pub(super) const PORTABLE: Self = Self(Implementation::Portable);

    /// Tells whether the processor's instructions are used.
    #[must_use]
    pub(super) fn is_hardware(self) -> bool {
        self != Self::PORTABLE
    }

    /// Fills `lines` with AesGenerator1R from `state`, and leaves the generator's state there.
    pub(super) fn generate_1r(self, state: &mut State, lines: &mut [Line]) {
        dispatch!(self, generate_1r(state, lines));
    }

    /// Fills `lines` with AesGenerator4R from `state`, and leaves the generator's state there.
    pub(super) fn generate_4r(self, state: &mut State, lines: &mut [Line]) {
        dispatch!(self, generate_4r(state, lines));
    }

    /// Returns AesHash1R of `lines`.
    pub(super) fn hash_1r(self, lines: &[Line]) -> State {
        dispatch!(self, hash_1r(lines))
    }

    /// Returns AesHash1R of `lines`, and fills them with AesGenerator1R from `state` on the way.
    pub(super) fn hash_and_generate_1r(self, state: &mut State, lines: &mut [Line]) -> State {
        dispatch!(self, hash_and_generate_1r(state, lines))
    }

    /// Mixes the F registers with the E registers as version 2 does: each with all four as keys.
    pub(super) fn mix(self, f: State, e: State) -> State {
        dispatch!(self, mix(f, e))
    }
}

/// Returns the state that 64 bytes are.
pub(super) fn state(bytes: &[u8; 64]) -> State {
    columns(&Line(super::blake2b::words(bytes)))
}

/// Returns the columns of a line.
#[inline(always)]
fn columns(line: &Line) -> State {
    std::array::from_fn(|column| u128::from(line.0[2 * column]) | u128::from(line.0[2 * column + 1]) << 64)
}

/// Returns the line of four columns.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "cut into halves")]
pub(super) fn line(columns: State) -> Line {
    Line(std::array::from_fn(|word| (columns[word / 2] >> (word % 2 * 64)) as u64))
}

#[inline(always)]
fn load<R: Rounds>(aes: R, state: State) -> [R::Block; 4] {
    state.map(|column| aes.load(column))
}

#[inline(always)]
fn store<R: Rounds>(aes: R, blocks: [R::Block; 4]) -> State {
    blocks.map(|column| aes.store(column))
}

/// Decrypts and encrypts in turn.
#[inline(always)]
fn generator_round<R: Rounds>(aes: R, now: [R::Block; 4], keys: [R::Block; 4]) -> [R::Block; 4] {
    [
        aes.decrypt(now[0], keys[0]),
        aes.encrypt(now[1], keys[1]),
        aes.decrypt(now[2], keys[2]),
        aes.encrypt(now[3], keys[3]),
    ]
}

/// Encrypts and decrypts in turn.
#[inline(always)]
fn hash_round<R: Rounds>(aes: R, now: [R::Block; 4], keys: [R::Block; 4]) -> [R::Block; 4] {
    [
        aes.encrypt(now[0], keys[0]),
        aes.decrypt(now[1], keys[1]),
        aes.encrypt(now[2], keys[2]),
        aes.decrypt(now[3], keys[3]),
    ]
}

#[inline(always)]
fn generate_1r<R: Rounds>(aes: R, state: &mut State, lines: &mut [Line]) {
    let keys = load(aes, GENERATOR_1R_KEYS);
    let mut now = load(aes, *state);
    for out in lines {
        now = generator_round(aes, now, keys);
        *out = line(store(aes, now));
    }
    *state = store(aes, now);
}

#[inline(always)]
fn generate_4r<R: Rounds>(aes: R, state: &mut State, lines: &mut [Line]) {
    let keys = GENERATOR_4R_KEYS.map(|key| aes.load(key));
    let mut now = load(aes, *state);
    for out in lines {
        for round in 0..4 {
            let (left, right) = (keys[round], keys[round + 4]);
            now = generator_round(aes, now, [left, left, right, right]);
        }
        *out = line(store(aes, now));
    }
    *state = store(aes, now);
}

#[inline(always)]
fn hash_1r<R: Rounds>(aes: R, lines: &[Line]) -> State {
    let mut now = load(aes, HASH_1R_STATE);
    for line in lines {
        now = hash_round(aes, now, load(aes, columns(line)));
    }
    finish_hash(aes, now)
}

#[inline(always)]
fn finish_hash<R: Rounds>(aes: R, mut now: [R::Block; 4]) -> State {
    for key in HASH_1R_EXTRA_KEYS {
        now = hash_round(aes, now, [aes.load(key); 4]);
    }
    store(aes, now)
}

#[inline(always)]
fn hash_and_generate_1r<R: Rounds>(aes: R, state: &mut State, lines: &mut [Line]) -> State {
    let keys = load(aes, GENERATOR_1R_KEYS);
    let mut hash = load(aes, HASH_1R_STATE);
    let mut now = load(aes, *state);
    for out in lines {
        hash = hash_round(aes, hash, load(aes, columns(out)));
        now = generator_round(aes, now, keys);
        *out = line(store(aes, now));
    }
    *state = store(aes, now);
    finish_hash(aes, hash)
}

#[inline(always)]
fn mix<R: Rounds>(aes: R, f: State, e: State) -> State {
    let mut now = load(aes, f);
    for key in load(aes, e) {
        now = hash_round(aes, now, [key; 4]);
    }
    store(aes, now)
}

#[cfg(test)]
mod tests {
    use super::super::blake2b::{hash256, hash512};
    use super::*;

    /// Returns every implementation that can run here.
    fn implementations() -> Vec<Aes> {
        let mut all = vec![Aes::PORTABLE];
        all.extend(Some(Aes::detect()).filter(|aes| aes.is_hardware()));
        all
    }

    fn from_hex(hex: &str) -> State {
        let mut bytes = [0; 64];
        const_hex::decode_to_slice(hex, &mut bytes).unwrap();
        state(&bytes)
    }

    /// The specification says how the constants were generated.
    #[test]
    fn constants_come_from_hashes() {
        assert_eq!(GENERATOR_1R_KEYS, state(&hash512(b"RandomX AesGenerator1R keys")));
        assert_eq!(GENERATOR_4R_KEYS[..4], state(&hash512(b"RandomX AesGenerator4R keys 0-3")));
        assert_eq!(GENERATOR_4R_KEYS[4..], state(&hash512(b"RandomX AesGenerator4R keys 4-7")));
        assert_eq!(HASH_1R_STATE, state(&hash512(b"RandomX AesHash1R state")));
        let mut extra = [0; 64];
        extra[..32].copy_from_slice(&hash256(&[b"RandomX AesHash1R xkeys"]));
        assert_eq!(HASH_1R_EXTRA_KEYS, state(&extra)[..2]);
    }

    /// From upstream's src/tests/tests.cpp, which prints the first 32 bytes.
    #[test]
    fn generator_1r_gives_the_published_bytes() {
        for aes in implementations() {
            let seed = "6c19536eb2de31b6c0065f7f116e86f960d8af0c57210a6584c3237b9d064dc7";
            let mut state = from_hex(&format!("{seed}{}", "00".repeat(32)));
            let mut lines = [Line::default()];
            aes.generate_1r(&mut state, &mut lines);
            assert_eq!(line(state), lines[0]);
            let bytes: Vec<u8> = lines[0].0[..4].iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(
                const_hex::encode(bytes),
                "fa89397dd6ca422513aeadba3f124b5540324c4ad4b6db434394307a17c833ab",
                "{aes:?}"
            );
        }
    }

    /// One middle round of the worked example of FIPS 197, appendix B: the state at the start of round 1 becomes that
    /// at the start of round 2. Backwards, the inverse round of the same example (equivalent inverse cipher).
    #[test]
    fn rounds_are_those_of_the_standard() {
        fn check<R: Rounds>(aes: R) {
            let block = |printed: u128| aes.load(printed.swap_bytes());
            let start = 0x193d_e3be_a0f4_e22b_9ac6_8d2a_e9f8_4808;
            let key = 0xa0fa_fe17_8854_2cb1_23a3_3939_2a6c_7605;
            let next = 0xa49c_7ff2_689f_352b_6b5b_ea43_026a_5049;
            assert_eq!(aes.store(aes.encrypt(block(start), block(key))), u128::swap_bytes(next));
            // FIPS 197, appendix C.1, equivalent inverse cipher: start of round 1, its key, start of round 2.
            let start = 0x7ad5_fda7_89ef_4e27_2bca_100b_3d9f_f59f;
            let key = 0x13aa_29be_9c8f_aff6_f770_f580_00f7_bf03;
            let next = 0x54d9_90a1_6ba0_9ab5_96bb_f40e_a111_702f;
            assert_eq!(aes.store(aes.decrypt(block(start), block(key))), u128::swap_bytes(next));
        }
        check(portable::Portable);
        #[cfg(target_arch = "x86_64")]
        if let Some(aes_ni) = aes_ni::AesNi::detect() {
            check(aes_ni);
        }
    }

    #[test]
    fn hashing_and_generating_at_once_does_both() {
        for aes in implementations() {
            let mut lines = [Line::default(); 5];
            aes.generate_1r(&mut state(&hash512(b"first")), &mut lines);
            let (mut at_once, mut one_by_one) = (lines, lines);
            let [mut state, mut expected_state] = [state(&hash512(b"second")); 2];
            assert_eq!(aes.hash_and_generate_1r(&mut state, &mut at_once), aes.hash_1r(&lines));
            aes.generate_1r(&mut expected_state, &mut one_by_one);
            assert_eq!((at_once, state), (one_by_one, expected_state));
        }
    }

    #[test]
    fn implementations_agree() {
        let seed = state(&hash512(b"seed"));
        let mut results = Vec::new();
        for aes in implementations() {
            let mut lines = [Line::default(); 37];
            let (mut state_1r, mut state_4r) = (seed, seed);
            aes.generate_1r(&mut state_1r, &mut lines);
            let hash = aes.hash_1r(&lines);
            aes.generate_4r(&mut state_4r, &mut lines);
            results.push((state_1r, hash, state_4r, aes.hash_1r(&lines), aes.mix(hash, state_1r)));
        }
        assert!(results.iter().all(|result| *result == results[0]));
    }
}
