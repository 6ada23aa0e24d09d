//! The compiled programs against the interpreter, and the generated code against an independent disassembler.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use iced_x86::{Decoder, DecoderOptions, FlowControl};

use super::*;
use crate::randomx::aes;
use crate::randomx::blake2b::hash512;
use crate::randomx::cache::tests::test_key_000;
use crate::randomx::dataset::Dataset;
use crate::randomx::instruction::{Address, FloatRegister, Instruction, Level, Register};
use crate::randomx::interpreter::Interpreter;
use crate::randomx::program::{Program, ProgramBuffer};

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

/// Compiles and executes a program for each of `flights`.
fn execute(jit: &mut Jit, programs: &[Program], items: &Items, flights: &mut [Flight]) {
    jit.execute_compiled(programs[0].iterations, items, flights, |compiler, index, _| {
        compiler.iteration(&programs[index].configuration, programs[index].instructions.iter().copied());
        programs[index].configuration
    });
}

fn compile(code: &mut [u8], version: Version, programs: &[&Program], items: ItemSource) {
    let shape =
        Shape { version, items, iterations: programs[0].iterations, programs: programs.len(), fetched_together: 2 };
    let mut compiler = Compiler::begin(code, shape);
    for program in programs {
        compiler.iteration(&program.configuration, program.instructions.iter().copied());
    }
    if items == ItemSource::Outside {
        compiler.end_first_halves();
        programs.iter().for_each(|program| compiler.second_half(&program.configuration));
        compiler.end_second_halves();
    } else {
        compiler.end();
    }
}

/// Executes programs both ways, `together` at a time and `iterations` times each, and compares registers and rounding
/// mode each time, and the scratchpads, which go from program to program, every now and then.
fn agree(version: Version, items: &Items, together: usize, numbers: Range<u32>, iterations: u32) {
    let mut jit = Jit::new(version, items, Interleaving { hashes: together, fetched_together: 2 }).unwrap();
    let mut flights: Vec<Flight> = (0..together).map(|_| Flight::new().unwrap()).collect();
    let mut expected: Vec<Flight> = (0..together).map(|_| Flight::new().unwrap()).collect();
    let numbers: Vec<u32> = numbers.collect();
    for (turn, numbers) in numbers.chunks(together).enumerate() {
        let context = format!("{version:?}, {together} together, programs from {}", numbers[0]);
        let programs: Vec<Program> =
            numbers.iter().map(|&number| Program { iterations, ..program(version, number) }).collect();
        let pairs = flights.iter_mut().zip(&mut expected).zip(numbers);
        for ((ours, theirs), &number) in pairs {
            if turn * together % 64 < together {
                assert!(*ours.scratchpad == *theirs.scratchpad, "before {context}");
                fill(&mut ours.scratchpad, &[b"scratchpad", &number.to_le_bytes()[..]].concat());
                theirs.scratchpad.copy_from_slice(&ours.scratchpad);
            }
            ours.mode = RoundingMode::from_fprc(u64::from(number / 8));
            theirs.mode = ours.mode;
        }
        execute(&mut jit, &programs, items, &mut flights[..numbers.len()]);
        for ((ours, theirs), program) in flights.iter().zip(&mut expected).zip(&programs) {
            let scratchpad = &mut theirs.scratchpad;
            let mut interpreter = Interpreter { version, aes: Aes::PORTABLE, items, scratchpad, mode: theirs.mode };
            assert_eq!(ours.registers, interpreter.execute(program), "{context}: {:#?}", program.instructions);
            assert_eq!(ours.mode, interpreter.mode, "{context}");
        }
    }
    let scratchpads = flights.iter().zip(&expected);
    assert!(scratchpads.into_iter().all(|(ours, theirs)| *ours.scratchpad == *theirs.scratchpad), "{version:?}, last");
}

fn light() -> Items {
    Items::Computed(test_key_000())
}

/// Returns how many programs to compare: a thousand, or what HASHWATT_RANDOMX_PROGRAMS says.
fn programs() -> u32 {
    std::env::var("HASHWATT_RANDOMX_PROGRAMS").map_or(1000, |count| count.parse().unwrap())
}

#[test]
fn compiled_programs_of_version_1_do_what_the_interpreter_does() {
    agree(Version::V1, &light(), 1, 0..programs(), 3);
    agree(Version::V1, &light(), 1, 0..12, 2048);
}

#[test]
fn compiled_programs_of_version_2_do_what_the_interpreter_does() {
    agree(Version::V2, &light(), 1, 0..programs(), 3);
    agree(Version::V2, &light(), 1, 0..12, 2048);
}

/// Two and three share a loop; with more, items are computed side by side where there is AVX-512.
#[test]
fn programs_that_are_executed_together_do_what_they_do_alone() {
    for version in [Version::V1, Version::V2] {
        for together in [2, 3, 5, 16] {
            agree(version, &light(), together, 5000..5000 + programs() / 4, 3);
        }
        agree(version, &light(), 3, 5000..5003, 2048);
        agree(version, &light(), 16, 5000..5016, 300);
    }
}

/// On a dataset of zeros, which takes no memory. That the right items are read is seen by hashes.
#[test]
fn programs_on_a_dataset_do_what_the_interpreter_does() {
    let items = Items::Stored(Arc::new(Dataset::zeroed().unwrap()));
    for version in [Version::V1, Version::V2] {
        for together in [1, 2, 3, 4, 8] {
            agree(version, &items, together, 9000..9000 + programs() / 4, 3);
        }
        agree(version, &items, 2, 9000..9004, 2048);
    }
}

/// Decodes generated code to the last of its `routines` and checks that it consists of whole, valid instructions, and
/// that jumps lead to instructions.
fn check_code(code: &[u8], routines: usize) -> usize {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let (mut starts, mut targets, mut returns) = (BTreeSet::new(), vec![], 0);
    for instruction in &mut decoder {
        assert!(!instruction.is_invalid(), "at {:#x}", instruction.ip());
        starts.insert(instruction.ip());
        match instruction.flow_control() {
            FlowControl::Return => returns += 1,
            FlowControl::ConditionalBranch => targets.push(instruction.near_branch_target()),
            FlowControl::Next | FlowControl::IndirectCall => {}
            other => panic!("{other:?} at {:#x}", instruction.ip()),
        }
        if returns == routines {
            assert!(targets.iter().all(|target| starts.contains(target)));
            return instruction.next_ip() as usize;
        }
    }
    panic!("the code doesn't return");
}

const SOURCES: [ItemSource; 3] = [ItemSource::Stored, ItemSource::Routine, ItemSource::Outside];

/// Compiles `together` times the same program, and checks the code. Returns its length.
fn check_program(version: Version, program: &Program, items: ItemSource, together: usize) -> usize {
    let mut code = vec![0xcc; together * CODE_BYTES];
    compile(&mut code, version, &vec![program; together], items);
    check_code(&code, if items == ItemSource::Outside { 2 } else { 1 })
}

#[test]
fn generated_code_is_valid_and_fits() {
    for number in 0..200 {
        for version in [Version::V1, Version::V2] {
            for items in SOURCES {
                for together in [1, 2] {
                    check_program(version, &program(version, number), items, together);
                }
            }
        }
    }
    // Programs of nothing but the longest instruction: an FDIV_M takes 31 bytes.
    for version in [Version::V1, Version::V2] {
        for items in SOURCES {
            let mut longest = program(version, 0);
            let address = Address { base: Some(Register::new(4)), level: Level::L2, offset: i32::MIN };
            longest.instructions.fill(Instruction::FdivM { dst: FloatRegister::new(3), address });
            for together in [1, 2, 16] {
                let length = check_program(version, &longest, items, together);
                assert!(length <= together * CODE_BYTES, "{version:?} {items:?} {together}: {length}");
            }
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
    let items = light();
    for together in [1, 2, 16] {
        let mut jit = Jit::new(Version::V1, &items, Interleaving { hashes: together, fetched_together: 4 }).unwrap();
        let mut flights: Vec<Flight> = (0..together).map(|_| Flight::new().unwrap()).collect();
        for fprc in 0..4 {
            flights.iter_mut().for_each(|flight| flight.mode = RoundingMode::from_fprc(fprc));
            let program = Program { iterations: 3, ..program(Version::V1, 0) };
            execute(&mut jit, &vec![program; together], &items, &mut flights);
            let third = std::hint::black_box(1.0) / std::hint::black_box(3.0);
            assert_eq!(f64::to_bits(third), 0x3fd5_5555_5555_5555);
            assert_eq!(f64::to_bits(-std::hint::black_box(third)), 0xbfd5_5555_5555_5555);
        }
    }
}
