//! The compiled programs against the interpreter, and the generated code against an independent disassembler.

use std::ops::Range;
use std::sync::Arc;

use iced_x86::{Decoder, DecoderOptions, FlowControl};

use super::*;
use crate::randomx::aes;
use crate::randomx::blake2b::hash512;
use crate::randomx::cache::tests::test_key_000;
use crate::randomx::configuration::SCRATCHPAD_BYTES;
use crate::randomx::instruction::{Address, FloatRegister, Instruction, Level, Register};
use crate::randomx::interpreter::Interpreter;
use crate::randomx::program::Program;

/// Random lines, the same for the same seed.
fn fill(lines: &mut [Line], seed: &[u8]) {
    Aes::detect().generate_4r(&mut aes::state(&hash512(seed)), lines);
}

/// Returns random programs. The opcodes of every other one are drawn from a few only, so that rare instructions come
/// often; and half of those have many instructions with equal source and destination.
fn program(version: Version, number: u32) -> Program {
    let mut buffer = ProgramBuffer::new();
    let lines = buffer.lines_mut(version);
    fill(lines, &number.to_le_bytes());
    if number % 2 == 1 {
        let mut choice = [Line::default()];
        fill(&mut choice, &[&number.to_le_bytes()[..], b"opcodes"].concat());
        for line in &mut lines[2..] {
            for word in &mut line.0 {
                // One of eight opcodes, which the choice holds in its first word.
                let opcode = choice[0].0[0] >> (8 * (*word & 7)) & 0xff;
                *word = *word & !0xff | opcode;
                if number % 4 == 1 && *word >> 8 & 8 == 0 {
                    *word = *word & !0xff_0000 | (*word >> 8 & 0xff) << 16;
                }
            }
        }
    }
    Program::decode(&buffer, version)
}

/// Compiles and executes `program`.
fn execute(
    jit: &mut Jit,
    program: &Program,
    items: &Items,
    scratchpad: &mut [Line],
    mode: &mut RoundingMode,
) -> RegisterFile {
    let instructions = program.instructions.iter().copied();
    jit.execute_decoded(&program.configuration, instructions, program.iterations, items, scratchpad, mode)
}

fn compile(code: &mut [u8], version: Version, program: &Program, is_light: bool) {
    let shape = Shape { version, is_light, iterations: program.iterations };
    program_compiler::compile(code, shape, &program.configuration, program.instructions.iter().copied());
}

/// Executes programs both ways, `iterations` times each, and compares registers and rounding mode each time, and the
/// scratchpads, which go from program to program, every now and then.
fn agree(version: Version, numbers: Range<u32>, iterations: u32) {
    let items = Items::Computed(test_key_000());
    let mut jit = Jit::new(version, &items).unwrap();
    let mut scratchpads = [(); 2].map(|()| vec![Line::default(); SCRATCHPAD_BYTES / 64]);
    for number in numbers.clone() {
        let program = Program { iterations, ..program(version, number) };
        let [ours, theirs] = &mut scratchpads;
        if number % 64 == numbers.start % 64 {
            assert!(ours == theirs, "{version:?}, before program {number}");
            fill(ours, &[b"scratchpad", &number.to_le_bytes()[..]].concat());
            theirs.copy_from_slice(ours);
        }
        let start = RoundingMode::from_fprc(u64::from(number / 8));
        let mut mode = start;
        let registers = execute(&mut jit, &program, &items, ours, &mut mode);
        let mut interpreter =
            Interpreter { version, aes: Aes::PORTABLE, items: &items, scratchpad: theirs, mode: start };
        let expected = interpreter.execute(&program);
        assert_eq!(registers, expected, "{version:?}, program {number}: {:#?}", program.instructions);
        assert_eq!(mode, interpreter.mode, "{version:?}, program {number}");
    }
    assert!(scratchpads[0] == scratchpads[1], "{version:?}, after the last program");
}

/// Returns how many programs to compare: a thousand, or what HASHWATT_RANDOMX_PROGRAMS says.
fn programs() -> u32 {
    std::env::var("HASHWATT_RANDOMX_PROGRAMS").map_or(1000, |count| count.parse().unwrap())
}

#[test]
fn compiled_programs_of_version_1_do_what_the_interpreter_does() {
    agree(Version::V1, 0..programs(), 3);
    agree(Version::V1, 0..12, 2048);
}

#[test]
fn compiled_programs_of_version_2_do_what_the_interpreter_does() {
    agree(Version::V2, 0..programs(), 3);
    agree(Version::V2, 0..12, 2048);
}

/// Decodes generated code to its last return and checks that it consists of whole, valid instructions, that jumps lead
/// to instructions, and that nothing but the expected registers is written.
fn check_code(code: &[u8]) -> usize {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut starts = vec![];
    let mut targets = vec![];
    for instruction in &mut decoder {
        assert!(!instruction.is_invalid(), "at {:#x}", instruction.ip());
        starts.push(instruction.ip());
        match instruction.flow_control() {
            FlowControl::Return => {
                assert!(targets.iter().all(|target| starts.contains(target)));
                return instruction.next_ip() as usize;
            }
            FlowControl::ConditionalBranch => targets.push(instruction.near_branch_target()),
            FlowControl::Next | FlowControl::IndirectCall => {}
            other => panic!("{other:?} at {:#x}", instruction.ip()),
        }
    }
    panic!("the code doesn't return");
}

#[test]
fn generated_code_is_valid_and_fits() {
    let mut longest = 0;
    for number in 0..200 {
        for version in [Version::V1, Version::V2] {
            for is_light in [false, true] {
                let mut code = vec![0xcc; CODE_BYTES];
                compile(&mut code, version, &program(version, number), is_light);
                longest = longest.max(check_code(&code));
            }
        }
    }
    assert!(longest < CODE_BYTES);
    // Programs of nothing but the longest instruction: an FDIV_M takes 31 bytes.
    for version in [Version::V1, Version::V2] {
        for is_light in [false, true] {
            let mut longest = program(version, 0);
            let address = Address { base: Some(Register::new(4)), level: Level::L2, offset: i32::MIN };
            longest.instructions.fill(Instruction::FdivM { dst: FloatRegister::new(3), address });
            let mut code = vec![0xcc; CODE_BYTES];
            compile(&mut code, version, &longest, is_light);
            check_code(&code);
        }
    }
}

#[test]
fn compiled_items_are_those_that_are_computed_otherwise() {
    let cache = test_key_000();
    let code = cache.item_code().unwrap();
    for index in [0, 1, 10_000_000, 20_000_000, 30_000_000, 34_078_718] {
        let mut item = Line::default();
        #[expect(unsafe_code, reason = "calls generated code")]
        // SAFETY: the routine takes its arguments in RAX and RDI, leaves the item in R8 to R15, and changes RAX, RCX,
        // RDX and the flags beside; it reads the cache, which lives.
        unsafe {
            let [r8, r9, r10, r11, r12, r13, r14, r15]: [u64; 8];
            std::arch::asm!(
                "call {routine}",
                routine = in(reg) code.routine(),
                inout("rax") u64::from(index) => _,
                in("rdi") cache.lines().as_ptr(),
                out("rcx") _, out("rdx") _,
                out("r8") r8, out("r9") r9, out("r10") r10, out("r11") r11,
                out("r12") r12, out("r13") r13, out("r14") r14, out("r15") r15,
            );
            item.0 = [r8, r9, r10, r11, r12, r13, r14, r15];
        }
        assert_eq!(item, cache.item(index), "item {index}");
    }
}

/// The machine's own floats must not notice that programs have other rounding modes.
#[test]
fn the_rounding_mode_of_the_caller_comes_back() {
    let items = Items::Computed(Arc::clone(&test_key_000()));
    let mut jit = Jit::new(Version::V1, &items).unwrap();
    let mut scratchpad = vec![Line::default(); SCRATCHPAD_BYTES / 64];
    for fprc in 0..4 {
        let mut mode = RoundingMode::from_fprc(fprc);
        execute(&mut jit, &program(Version::V1, 0), &items, &mut scratchpad, &mut mode);
        let third = std::hint::black_box(1.0) / std::hint::black_box(3.0);
        assert_eq!(f64::to_bits(third), 0x3fd5_5555_5555_5555);
        assert_eq!(f64::to_bits(-std::hint::black_box(third)), 0xbfd5_5555_5555_5555);
    }
}
