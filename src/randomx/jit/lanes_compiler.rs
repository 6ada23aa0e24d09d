//! Translation of a cache's programs of SuperscalarHash to AVX-512, eight items to a vector.
//!
//! Each program becomes a loop that executes it for 16 items a turn: two independent groups of eight, instruction by
//! instruction, so that the one's latency is the other's work. Doing one program for all items before the next keeps
//! the code of a turn (about 10 KiB) in the processor's first cache.

use core::arch::x86_64::{__m512i, _mm512_shuffle_i64x2, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64};

use super::JitUnavailable;
use super::assembler::{Arithmetic, Assembler, Label};
use super::code_memory::CodeMemory;
use super::operand::{Memory, RAX, RDI, RDX, RSI};
use super::vector_assembler::{Lanewise, Mask, Shift, Source, Zmm};
use crate::randomx::cache::{Cache, initial_registers};
use crate::randomx::configuration::CACHE_ACCESSES;
use crate::randomx::lanes::LANES;
use crate::randomx::memory::Line;
use crate::randomx::superscalar::{Operation, SuperscalarInstruction, SuperscalarProgram};

/// Eight programs, of at most 174 multiplications (the reference CPU does no more in 174 cycles), which take 250 bytes,
/// and 338 other instructions of 28; and as many constants.
const CODE_BYTES: usize = CACHE_ACCESSES * (64 << 10);
/// The items in a vector.
const GROUP: usize = 8;
/// The mask that keeps the lower halves of words.
const LOW: Zmm = Zmm(31);
/// Stands for all lanes.
const ALL: Mask = Mask(0);

/// The registers of eight items: for each register eight words.
#[derive(Debug, Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Group([[u64; GROUP]; 8]);

/// Code that executes a program: the groups, half their number, and where the lines are that will be needed then.
type Routine = unsafe extern "sysv64" fn(*mut Group, usize, *const *const Line);

/// The code that computes items from one cache, many at a time.
#[derive(Debug)]
pub(in crate::randomx) struct LanesCode {
    code: CodeMemory,
    /// Where the code of each program begins.
    entries: [Label; CACHE_ACCESSES],
}

impl LanesCode {
    /// Compiles `programs`, where the processor has AVX-512.
    pub(in crate::randomx) fn new(programs: &[SuperscalarProgram; CACHE_ACCESSES]) -> Result<Self, JitUnavailable> {
        if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")) {
            return Err(JitUnavailable("the processor has no AVX-512".to_owned()));
        }
        let mut code = CodeMemory::new(CODE_BYTES)?;
        let entries = compile(&mut Assembler::new(code.bytes_mut()), programs);
        code.synchronize();
        Ok(Self { code, entries })
    }

    /// Computes the items `indices`, a multiple of 16. `cache` is the one whose programs were compiled.
    pub(in crate::randomx) fn compute<const ITEMS: usize>(
        &self,
        cache: &Cache,
        indices: [u32; ITEMS],
        items: &mut [Line; ITEMS],
    ) {
        const { assert!(ITEMS.is_multiple_of(2 * GROUP) && ITEMS <= LANES) };
        #[expect(unsafe_code, reason = "calls code for processors with AVX-512")]
        // SAFETY: `new` has detected it.
        unsafe {
            self.compute_detected(cache, indices, items);
        }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn compute_detected<const ITEMS: usize>(&self, cache: &Cache, indices: [u32; ITEMS], items: &mut [Line; ITEMS]) {
        let mut groups = [Group::default(); LANES / GROUP];
        let groups = &mut groups[..ITEMS / GROUP];
        for (group, indices) in groups.iter_mut().zip(indices.as_chunks::<GROUP>().0) {
            group.0 = initial_registers(*indices);
        }
        let mut lines = indices.map(|index| cache.line(u64::from(index)));
        for (program, &entry) in cache.programs().iter().zip(&self.entries) {
            let pointers = lines.map(std::ptr::from_ref);
            #[expect(unsafe_code, reason = "calls generated code")]
            // SAFETY: the code follows the calling convention, changes the groups, whose number is even, and reads as
            // many pointers as there are items, to lines that it fetches.
            unsafe {
                let routine: Routine = std::mem::transmute(self.code.entry().byte_add(entry.0));
                routine(groups.as_mut_ptr(), groups.len() / 2, pointers.as_ptr());
            }
            let address_register = program.address_register();
            for (group, lines) in groups.iter_mut().zip(lines.as_chunks_mut::<GROUP>().0) {
                let words = transpose(lines.map(|line| line.0));
                for (register, words) in group.0.iter_mut().zip(words) {
                    register.iter_mut().zip(words).for_each(|(lane, word)| *lane ^= word);
                }
                *lines = group.0[address_register].map(|address| cache.line(address));
            }
        }
        for (group, items) in groups.iter().zip(items.as_chunks_mut::<GROUP>().0) {
            *items = transpose(group.0).map(Line);
        }
    }
}

/// Exchanges rows and columns.
#[target_feature(enable = "avx512f")]
fn transpose(rows: [[u64; GROUP]; 8]) -> [[u64; GROUP]; 8] {
    let rows: [__m512i; 8] = bytemuck::must_cast(rows);
    // Pairs of words first, then blocks of two pairs.
    let even = |i: usize| _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
    let odd = |i: usize| _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    let blocks = |[a, b, c, d]: [__m512i; 4]| {
        let (ab_low, ab_high) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
        let (cd_low, cd_high) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
        [
            _mm512_shuffle_i64x2::<0x88>(ab_low, cd_low),
            _mm512_shuffle_i64x2::<0xdd>(ab_low, cd_low),
            _mm512_shuffle_i64x2::<0x88>(ab_high, cd_high),
            _mm512_shuffle_i64x2::<0xdd>(ab_high, cd_high),
        ]
    };
    let [c0, c2, c4, c6] = blocks([even(0), even(2), even(4), even(6)]);
    let [c1, c3, c5, c7] = blocks([odd(0), odd(2), odd(4), odd(6)]);
    bytemuck::must_cast([c0, c1, c2, c3, c4, c5, c6, c7])
}

/// Writes the code, and returns where that of each program begins.
fn compile(asm: &mut Assembler<'_>, programs: &[SuperscalarProgram; CACHE_ACCESSES]) -> [Label; CACHE_ACCESSES] {
    programs.each_ref().map(|program| compile_program(asm, program))
}

/// Writes the code of one program behind its constants.
fn compile_program(asm: &mut Assembler<'_>, program: &SuperscalarProgram) -> Label {
    let constants: Vec<Label> =
        program.instructions().iter().map(|instruction| asm.data(instruction.constant)).collect();
    let entry = asm.label();
    asm.mov32_constant(RAX, u32::MAX);
    asm.broadcast(LOW, RAX);
    let top = asm.label();
    for item in 0..2 * GROUP as u8 {
        asm.prefetch_through(RAX, Memory::at(RDX, 8 * i32::from(item)));
    }
    for register in 0..16 {
        asm.load_zmm(Zmm(register), register);
    }
    for (&instruction, &constant) in program.instructions().iter().zip(&constants) {
        for half in 0..2 {
            self::instruction(asm, instruction, constant, half);
        }
    }
    for register in 0..16 {
        asm.store_zmm(register, Zmm(register));
    }
    asm.arithmetic_constant(Arithmetic::Add, RDI, 2 * size_of::<Group>() as i32);
    asm.arithmetic_constant(Arithmetic::Add, RDX, 16 * 8);
    asm.arithmetic_constant(Arithmetic::Sub, RSI, 1);
    asm.jnz_back(top);
    asm.vzeroupper();
    asm.ret();
    entry
}

/// Writes an instruction for one of the two groups of a turn.
fn instruction(asm: &mut Assembler<'_>, instruction: SuperscalarInstruction, constant: Label, half: u8) {
    let register = |number: u8| Zmm(8 * half + number);
    let (dst, src) = (register(instruction.dst), register(instruction.src));
    let temporary = Zmm(16 + 6 * half);
    let from = Source::Register;
    let constant = Source::Broadcast(constant);
    match instruction.operation {
        Operation::IsubR => asm.lanewise(Lanewise::Sub, dst, dst, from(src), ALL),
        Operation::IxorR => asm.lanewise(Lanewise::Xor, dst, dst, from(src), ALL),
        Operation::IaddRs => match instruction.shift() {
            0 => asm.lanewise(Lanewise::Add, dst, dst, from(src), ALL),
            shift => {
                asm.shift(Shift::Left, temporary, src, shift);
                asm.lanewise(Lanewise::Add, dst, dst, from(temporary), ALL);
            }
        },
        Operation::ImulR => asm.lanewise(Lanewise::Mul, dst, dst, from(src), ALL),
        Operation::IrorC => asm.shift(Shift::RotateRight, dst, dst, (instruction.imm32 & 63) as u8),
        Operation::IaddC7 | Operation::IaddC8 | Operation::IaddC9 => {
            asm.lanewise(Lanewise::Add, dst, dst, constant, ALL);
        }
        Operation::IxorC7 | Operation::IxorC8 | Operation::IxorC9 => {
            asm.lanewise(Lanewise::Xor, dst, dst, constant, ALL);
        }
        Operation::ImulhR => high_product(asm, dst, src, temporary.0, false),
        Operation::IsmulhR => high_product(asm, dst, src, temporary.0, true),
        Operation::ImulRcp => asm.lanewise(Lanewise::Mul, dst, dst, constant, ALL),
    }
}

/// Writes `dst =` the upper half of `dst * src`, put together from products of halves in six temporary registers.
fn high_product(asm: &mut Assembler<'_>, dst: Zmm, src: Zmm, temporary: u8, is_signed: bool) {
    let [dst_high, src_high, low, middle, carried, high] = std::array::from_fn(|i| Zmm(temporary + i as u8));
    let from = Source::Register;
    let (negative_dst, negative_src) = (Mask(1), Mask(2));
    asm.shift(Shift::Right, dst_high, dst, 32);
    asm.shift(Shift::Right, src_high, src, 32);
    asm.lanewise(Lanewise::Mul32, low, dst, from(src), ALL);
    asm.lanewise(Lanewise::Mul32, middle, dst_high, from(src), ALL);
    asm.lanewise(Lanewise::Mul32, carried, dst, from(src_high), ALL);
    asm.lanewise(Lanewise::Mul32, high, dst_high, from(src_high), ALL);
    if is_signed {
        asm.signs(negative_dst, dst);
        asm.signs(negative_src, src);
    }
    asm.shift(Shift::Right, low, low, 32);
    asm.lanewise(Lanewise::Add, middle, middle, from(low), ALL);
    asm.lanewise(Lanewise::And, low, middle, from(LOW), ALL);
    asm.lanewise(Lanewise::Add, carried, carried, from(low), ALL);
    asm.shift(Shift::Right, middle, middle, 32);
    asm.shift(Shift::Right, carried, carried, 32);
    asm.lanewise(Lanewise::Add, high, high, from(middle), ALL);
    if is_signed {
        // Read as unsigned, a negative number is 2^64 too large.
        asm.lanewise(Lanewise::Add, high, high, from(carried), ALL);
        asm.lanewise(Lanewise::Sub, high, high, from(src), negative_dst);
        asm.lanewise(Lanewise::Sub, high, high, from(dst), negative_src);
        asm.move_zmm(dst, high);
    } else {
        asm.lanewise(Lanewise::Add, dst, high, from(carried), ALL);
    }
}
