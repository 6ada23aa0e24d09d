//! Decoded instructions against the published ones.

use super::*;
use crate::randomx::instruction::condition_mask;

/// The last opcode of an instruction, as upstream's tests take it.
fn last_opcode(kind: Kind) -> u8 {
    u8::try_from(KINDS.iter().rposition(|&other| other == kind).unwrap()).unwrap()
}

const IMM32: u32 = 3_234_567_890;
const OFFSET: i32 = -1_060_399_406;
/// Bits that a register field has and that don't count.
const HIGH: u8 = 192;
const R0: Register = Register::new(0);
const R1: Register = Register::new(1);

fn word(kind: Kind, dst: u8, src: u8, modifier: u8, imm32: u32) -> Word {
    let [a, b, c, d] = imm32.to_le_bytes();
    Word(u64::from_le_bytes([last_opcode(kind), HIGH | dst, HIGH | src, modifier, a, b, c, d]))
}

fn decode(kind: Kind, dst: u8, src: u8, modifier: u8) -> Instruction {
    Decoder::new().decode(word(kind, dst, src, modifier, IMM32))
}

/// The cases of upstream's src/tests/tests.cpp.
#[test]
fn integer_instructions_are_decoded_as_published() {
    let l1 = Address { base: Some(R1), level: Level::L1, offset: OFFSET };
    let l2 = Address { level: Level::L2, ..l1 };
    let l3 = Address { base: None, level: Level::L3, offset: OFFSET };
    let (register, immediate) = (Operand::Register(R1), Operand::Immediate(OFFSET));
    assert_eq!(decode(Kind::IaddRs, 0, 1, 255), Instruction::IaddRs { dst: R0, src: R1, shift: 3, offset: 0 });
    assert_eq!(
        decode(Kind::IaddRs, 5, 1, 8),
        Instruction::IaddRs { dst: Register::new(5), src: R1, shift: 2, offset: OFFSET }
    );
    let (dst, src) = (R0, R1);
    assert_eq!(decode(Kind::IaddM, 0, 1, 1), Instruction::IaddM { dst, address: l1 });
    assert_eq!(decode(Kind::IsubR, 0, 1, 0), Instruction::IsubR { dst, src: register });
    assert_eq!(decode(Kind::IsubR, 0, 0, 0), Instruction::IsubR { dst, src: immediate });
    assert_eq!(decode(Kind::IsubM, 0, 1, 0), Instruction::IsubM { dst, address: l2 });
    assert_eq!(decode(Kind::ImulR, 0, 1, 0), Instruction::ImulR { dst, src: register });
    assert_eq!(decode(Kind::ImulR, 0, 0, 0), Instruction::ImulR { dst, src: immediate });
    assert_eq!(decode(Kind::ImulM, 0, 0, 0), Instruction::ImulM { dst, address: l3 });
    assert_eq!(decode(Kind::ImulhR, 0, 1, 0), Instruction::ImulhR { dst, src });
    assert_eq!(decode(Kind::ImulhR, 0, 0, 0), Instruction::ImulhR { dst, src: R0 });
    assert_eq!(decode(Kind::ImulhM, 0, 1, 0), Instruction::ImulhM { dst, address: l2 });
    assert_eq!(decode(Kind::IsmulhR, 0, 1, 0), Instruction::IsmulhR { dst, src });
    assert_eq!(decode(Kind::IsmulhR, 0, 0, 0), Instruction::IsmulhR { dst, src: R0 });
    assert_eq!(decode(Kind::IsmulhM, 0, 1, 3), Instruction::IsmulhM { dst, address: l1 });
    assert_eq!(decode(Kind::InegR, 0, 1, 0), Instruction::InegR { dst });
    assert_eq!(decode(Kind::IxorR, 0, 1, 0), Instruction::IxorR { dst, src: register });
    assert_eq!(decode(Kind::IxorR, 0, 0, 0), Instruction::IxorR { dst, src: immediate });
    assert_eq!(decode(Kind::IxorM, 0, 0, 0), Instruction::IxorM { dst, address: l3 });
    assert_eq!(decode(Kind::IrorR, 0, 1, 0), Instruction::IrorR { dst, src: register });
    assert_eq!(decode(Kind::IrolR, 0, 0, 0), Instruction::IrolR { dst, src: immediate });
    assert_eq!(decode(Kind::IswapR, 0, 1, 0), Instruction::IswapR { dst, src });
    assert_eq!(decode(Kind::IswapR, 0, 0, 0), Instruction::Nop);
    let istore = |level| Instruction::Istore { src, address: Address { base: Some(R0), level, offset: OFFSET } };
    assert_eq!(decode(Kind::Istore, 0, 1, 1), istore(Level::L1));
    assert_eq!(decode(Kind::Istore, 0, 1, 0), istore(Level::L2));
    assert_eq!(decode(Kind::Istore, 0, 1, 224), istore(Level::L3));
}

/// The cases of upstream's src/tests/tests.cpp.
#[test]
fn other_instructions_are_decoded_as_published() {
    let address = Address { base: Some(R1), level: Level::L1, offset: OFFSET };
    let (dst, src) = (FloatRegister::new(0), FloatRegister::new(1));
    assert_eq!(decode(Kind::FswapR, 0, 0, 0), Instruction::FswapF { dst });
    assert_eq!(decode(Kind::FswapR, 5, 0, 0), Instruction::FswapE { dst: FloatRegister::new(1) });
    assert_eq!(decode(Kind::FaddR, 0, 1, 0), Instruction::FaddR { dst, src });
    assert_eq!(decode(Kind::FaddM, 0, 1, 1), Instruction::FaddM { dst, address });
    assert_eq!(decode(Kind::FsubR, 0, 1, 0), Instruction::FsubR { dst, src });
    assert_eq!(decode(Kind::FsubM, 0, 1, 2), Instruction::FsubM { dst, address });
    assert_eq!(decode(Kind::FscalR, 0, 1, 0), Instruction::FscalR { dst });
    assert_eq!(decode(Kind::FmulR, 0, 1, 0), Instruction::FmulR { dst, src });
    assert_eq!(decode(Kind::FdivM, 0, 1, 3), Instruction::FdivM { dst, address });
    assert_eq!(decode(Kind::FsqrtR, 0, 1, 0), Instruction::FsqrtR { dst });
    assert_eq!(decode(Kind::Cfround, 0, 1, 0), Instruction::Cfround { src: R1, rotation: 18 });
    // Equal numbers mean different registers here.
    let same = Address { base: Some(R0), level: Level::L2, offset: OFFSET };
    assert_eq!(decode(Kind::FaddM, 0, 0, 0), Instruction::FaddM { dst, address: same });
}

/// The cases of upstream's src/tests/tests.cpp.
#[test]
fn branches_are_decoded_as_published() {
    let mut decoder = Decoder::new();
    let mut branch_at = |number: usize| {
        while usize::from(decoder.next) < number {
            decoder.decode(word(Kind::FscalR, 0, 0, 0, 0));
        }
        decoder.decode(word(Kind::Cbranch, 0, 0, 48, IMM32))
    };
    let addend = 0xc0cb_9ad2_u32.cast_signed();
    let expected = |target| Instruction::Cbranch { dst: R0, shift: 11, target: Target(target), addend };
    assert_eq!(branch_at(100), expected(0));
    assert_eq!(branch_at(200), expected(101));
    assert_eq!(condition_mask(11), 0x7f800);
}

/// Which instructions count as a change of which registers (specification, section 5.4.2).
#[test]
fn branches_go_to_where_their_register_was_changed_last() {
    let cases = [
        (word(Kind::IaddRs, 3, 1, 0, 7), [3].as_slice()),
        (word(Kind::IsubM, 2, 2, 0, 7), &[2]),
        (word(Kind::ImulRcp, 3, 1, 0, 7), &[3]),
        (word(Kind::ImulRcp, 3, 1, 0, 8), &[]),
        (word(Kind::ImulRcp, 3, 1, 0, 0), &[]),
        (word(Kind::IswapR, 3, 6, 0, 7), &[3, 6]),
        (word(Kind::IswapR, 3, 3, 0, 7), &[]),
        (word(Kind::FaddM, 3, 1, 0, 7), &[]),
        (word(Kind::Cfround, 3, 1, 0, 7), &[]),
        (word(Kind::Istore, 3, 1, 0, 7), &[]),
        (word(Kind::Cbranch, 3, 1, 0, 7), &[0, 1, 2, 3, 4, 5, 6, 7]),
    ];
    for (changing, changed) in cases {
        for register in 0..8 {
            let mut decoder = Decoder::new();
            decoder.decode(changing);
            decoder.decode(word(Kind::FscalR, 0, 0, 0, 0));
            let Instruction::Cbranch { target, .. } = decoder.decode(word(Kind::Cbranch, register, 0, 0, 0)) else {
                panic!("not a branch");
            };
            assert_eq!(target, Target(u16::from(changed.contains(&register))), "{changing:x?} r{register}");
        }
    }
}

#[test]
fn instructions_are_small() {
    assert_eq!(size_of::<Instruction>(), 16);
}
