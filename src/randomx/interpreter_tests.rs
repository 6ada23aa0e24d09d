//! The interpreter against published programs.

use super::*;
use crate::randomx::instruction::{Level, Target};

const CONFIGURATION: Configuration = Configuration {
    a: [[0; 2]; 4],
    ma: 0,
    mx: 0,
    address_registers: [Register::new(0), Register::new(2), Register::new(4), Register::new(6)],
    dataset_offset: 0,
    e_masks: [0x3a00_0000_0005_d11a, 0x3900_0000_001b_a31e],
};
const R0: Register = Register::new(0);
const R1: Register = Register::new(1);
const F0: FloatRegister = FloatRegister::new(0);
const F1: FloatRegister = FloatRegister::new(1);
const IMMEDIATE: i32 = -1_060_399_406;

/// Executes one instruction on `registers`, in a scratchpad of zeros but for its first word.
fn execute(version: Version, registers: RegisterFile, memory: u64, instruction: Instruction) -> (RegisterFile, u8) {
    let mut scratchpad = vec![0; SCRATCHPAD_WORDS];
    scratchpad[0] = memory;
    let mut state = State {
        version,
        registers,
        configuration: &CONFIGURATION,
        mode: RoundingMode::Nearest,
        scratchpad: scratchpad.as_mut_slice().try_into().unwrap(),
    };
    state.execute_once(&[instruction]);
    (state.registers, state.mode as u8)
}

fn integers(r0: u64, r1: u64, instruction: Instruction) -> [u64; 2] {
    let mut registers = RegisterFile::default();
    (registers.r[0], registers.r[1]) = (r0, r1);
    let (registers, _) = execute(Version::V1, registers, 0, instruction);
    [registers.r[0], registers.r[1]]
}

/// The cases of upstream's src/tests/tests.cpp.
#[test]
fn integer_instructions_give_the_published_results() {
    let (dst, src) = (R0, Operand::Register(R1));
    let immediate = Operand::Immediate(IMMEDIATE);
    let extended = i64::from(IMMEDIATE).cast_unsigned();
    let (a, b) = (0xbc55_0e96_ba88_a72b, 0xf539_1fa9_f18d_6273);
    let (c, d) = (953_360_005_391_419_562, 4_569_451_684_712_230_561);
    let shifted = Instruction::IaddRs { dst, src: R1, shift: 3, offset: 0 };
    assert_eq!(integers(1 << 63, 1 << 60, shifted)[0], 0);
    let with_offset = Instruction::IaddRs { dst, src: R1, shift: 2, offset: IMMEDIATE };
    assert_eq!(integers(1 << 63, 1 << 61, with_offset)[0], extended);
    assert_eq!(integers(1, 0xffff_ffff, Instruction::IsubR { dst, src })[0], 0xffff_ffff_0000_0002);
    assert_eq!(integers(0, 0, Instruction::IsubR { dst, src: immediate })[0], extended.wrapping_neg());
    assert_eq!(integers(a, b, Instruction::ImulR { dst, src })[0], 0x2872_3424_a910_8e51);
    assert_eq!(integers(1, 0, Instruction::ImulR { dst, src: immediate })[0], extended);
    assert_eq!(integers(a, b, Instruction::ImulhR { dst, src: R1 })[0], 0xb467_6d31_d2b3_4883);
    assert_eq!(integers(a, b, Instruction::IsmulhR { dst, src: R1 })[0], 0x02d9_3ef1_269d_3ee5);
    assert_eq!(integers(u64::MAX, 0, Instruction::InegR { dst })[0], 1);
    assert_eq!(
        integers(0x8888_8888_8888_8888, 0xaaaa_aaaa_aaaa_aaaa, Instruction::IxorR { dst, src })[0],
        0x2222_2222_2222_2222
    );
    assert_eq!(integers(u64::MAX, 0, Instruction::IxorR { dst, src: immediate })[0], !extended);
    assert_eq!(integers(c, d, Instruction::IrorR { dst, src })[0], 0xd835_c455_069d_81ef);
    assert_eq!(integers(c, d, Instruction::IrolR { dst, src })[0], 6_978_065_200_552_740_799);
    assert_eq!(integers(c, d, Instruction::IswapR { dst, src: R1 }), [d, c]);
}

/// The cases of upstream's src/tests/tests.cpp; those of rounding are in the soft-float's tests.
#[test]
fn floating_point_instructions_give_the_published_results() {
    let address = Address { base: Some(R1), level: Level::L1, offset: IMMEDIATE };
    let mut registers = RegisterFile::default();
    registers.f[0] = [4_569_451_684_712_230_561, 953_360_005_391_419_562];
    registers.r[1] = 0xffff_ffff_ffff_e930;
    let (swapped, _) = execute(Version::V1, registers, 0, Instruction::FswapF { dst: F0 });
    assert_eq!(swapped.f[0], [953_360_005_391_419_562, 4_569_451_684_712_230_561]);

    registers.f[0] = [0; 2];
    let (added, _) = execute(Version::V1, registers, 0x1234_5678_90ab_cdef, Instruction::FaddM { dst: F0, address });
    assert_eq!(added.f[0].map(u64::swap_bytes), [0x0000_4084_0cd5_dbc1, 0x0000_0078_5634_b241]);

    registers.f[0] = [0x40fd_fdab_b617_3d07, 0x41db_c35c_ef24_8783];
    let (scaled, _) = execute(Version::V1, registers, 0, Instruction::FscalR { dst: F0 });
    assert_eq!(scaled.f[0].map(u64::swap_bytes), [0x073d_17b6_abfd_0dc0, 0x8387_24ef_5cc3_2bc1]);

    registers.e[0] = [0x411b_4142_96ce_93b6, 0x4193_7f76_fede_16ee];
    let (divided, _) = execute(Version::V1, registers, 0x8b24_60d9_d350_a1b6, Instruction::FdivM { dst: F0, address });
    assert_eq!(divided.e[0].map(u64::swap_bytes), [0xe7b2_6963_9484_4346, 0x3247_4a66_635b_a547]);

    registers.e[0] = [0x4052_6a7e_778d_9824, 0x41b6_b21c_11af_fea7];
    let (root, _) = execute(Version::V1, registers, 0, Instruction::FsqrtR { dst: F0 });
    assert_eq!(root.e[0].map(u64::swap_bytes), [0xe81f_300b_612a_2140, 0x8dba_a33f_570e_d340]);

    registers.e[0] = [0x40fd_fdab_b617_3d07, 0x41db_c35c_ef24_8783];
    registers.a[1] = [0x41c4_5612_12ae_2d50, 0x40eb_a861_aa31_c7c0];
    let (product, _) = execute(Version::V1, registers, 0, Instruction::FmulR { dst: F0, src: F1 });
    assert_eq!(product.e[0].map(u64::swap_bytes), [0x6969_7aff_350f_d342, 0x2f15_89cd_ecfe_d742]);
}

/// The bits that a branch tests of upstream's two cases, here at the beginning of a program that counts its turns.
#[test]
fn branches_are_taken_when_the_tested_bits_are_zero() {
    let branch = Instruction::Cbranch { dst: R0, shift: 11, target: Target(0), addend: 0xc0cb_9ad2_u32.cast_signed() };
    let count = Instruction::IaddRs { dst: R1, src: Register::new(2), shift: 0, offset: 0 };
    for (r0, turns) in [(0, 1), (0xffff_ffff_fffc_6800, 2)] {
        let mut scratchpad = vec![0; SCRATCHPAD_WORDS];
        let mut state = State {
            version: Version::V1,
            registers: RegisterFile { r: [r0, 0, 1, 0, 0, 0, 0, 0], ..RegisterFile::default() },
            configuration: &CONFIGURATION,
            mode: RoundingMode::Nearest,
            scratchpad: scratchpad.as_mut_slice().try_into().unwrap(),
        };
        state.execute_once(&[count, branch]);
        assert_eq!(state.registers.r[1], turns, "{r0:x}");
    }
}

/// Version 2 changes the mode only where four more bits are zero (specification, section 5.4.1).
#[test]
fn the_rounding_mode_is_set_as_the_version_says() {
    let instruction = Instruction::Cfround { src: R0, rotation: 4 };
    for low_bits in 0..64_u64 {
        let mut registers = RegisterFile::default();
        registers.r[0] = low_bits << 4 | 0xabcd << 40 | 5;
        let mode = |version| execute(version, registers, 0, instruction).1;
        let new = u8::try_from(low_bits & 3).unwrap();
        assert_eq!(mode(Version::V1), new);
        assert_eq!(mode(Version::V2), if low_bits < 4 { new } else { 0 });
    }
}

#[test]
fn stores_reach_their_level() {
    for (level, bytes) in [(Level::L1, 16 << 10), (Level::L2, 256 << 10), (Level::L3, 2 << 20)] {
        let mut scratchpad = vec![0; SCRATCHPAD_WORDS];
        let mut state = State {
            version: Version::V1,
            registers: RegisterFile { r: [u64::MAX - 7, 42, 0, 0, 0, 0, 0, 0], ..RegisterFile::default() },
            configuration: &CONFIGURATION,
            mode: RoundingMode::Nearest,
            scratchpad: scratchpad.as_mut_slice().try_into().unwrap(),
        };
        let address = Address { base: Some(R0), level, offset: -1 };
        state.execute_once(&[Instruction::Istore { src: R1, address }]);
        assert_eq!(scratchpad.iter().position(|&word| word == 42), Some(bytes / 8 - 2));
    }
}
