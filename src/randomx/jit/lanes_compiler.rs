//! Translation of a cache's programs of SuperscalarHash to machine code that computes many items at a time.
//!
//! Each program becomes a loop that executes it for some items a turn: for one in general registers, or for several in
//! vectors. Doing one program for all items before the next keeps the code of a turn (at most about 10 KiB) in the
//! processor's first cache, and gives the lines of the cache that the next program needs the time to arrive.

use super::assembler::{Arithmetic, Assembler, Label};
use super::code_memory::CodeMemory;
use super::item_compiler::{self, RESTORED};
use super::operand::{Gpr, Memory, RAX, RCX, RDI, RSI};
use super::{JitUnavailable, lanes_avx2, lanes_avx512};
use crate::randomx::cache::{Cache, initial_registers};
use crate::randomx::configuration::CACHE_ACCESSES;
use crate::randomx::lanes::LANES;
use crate::randomx::memory::Line;
use crate::randomx::superscalar::SuperscalarProgram;

/// Eight programs, of at most 174 multiplications (the reference CPU does no more in 174 cycles), which take 250 bytes,
/// and 338 other instructions of 28; and as many constants.
const CODE_BYTES: usize = CACHE_ACCESSES * (64 << 10);

/// What code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::randomx) enum Lanes {
    /// General registers, an item at a time. Several are under way all the same, as far as the processor looks ahead.
    Scalar,
    /// Vectors of four items.
    Avx2,
    /// Vectors of eight items, two of them at a time.
    Avx512,
}

impl Lanes {
    /// All of them.
    pub(in crate::randomx) const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Scalar];

    /// Names the way to compute items by such code.
    pub(in crate::randomx) const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "compiled to scalar",
            Self::Avx2 => "compiled to avx2",
            Self::Avx512 => "compiled to avx512",
        }
    }

    /// Tells whether the processor has the instructions.
    fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq"),
        }
    }

    /// Returns how many items a turn of a loop works on.
    const fn items(self) -> usize {
        match self {
            Self::Scalar => 1,
            Self::Avx2 => lanes_avx2::GROUPS * lanes_avx2::GROUP,
            Self::Avx512 => lanes_avx512::GROUPS * lanes_avx512::GROUP,
        }
    }
}

/// The registers of the items of a vector: for each register so many words.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Group<const ITEMS: usize>([[u64; ITEMS]; 8]);

/// Code that executes a program: the groups, the turns, nothing, and where the lines are that will be needed then.
type Routine = unsafe extern "sysv64" fn(*mut u64, usize, usize, *const *const Line);

/// The code that computes items from one cache, many at a time.
#[derive(Debug)]
pub(in crate::randomx) struct LanesCode {
    lanes: Lanes,
    code: CodeMemory,
    /// Where the code of each program begins.
    entries: [Label; CACHE_ACCESSES],
}

impl LanesCode {
    /// Compiles `programs`, where the processor has the instructions.
    pub(in crate::randomx) fn new(
        programs: &[SuperscalarProgram; CACHE_ACCESSES],
        lanes: Lanes,
    ) -> Result<Self, JitUnavailable> {
        if !lanes.is_available() {
            return Err(JitUnavailable(format!("the processor has no {lanes:?}")));
        }
        let mut code = CodeMemory::new(CODE_BYTES)?;
        let mut asm = Assembler::new(code.bytes_mut());
        let entries = programs.each_ref().map(|program| compile(&mut asm, program, lanes));
        code.synchronize();
        Ok(Self { lanes, code, entries })
    }

    /// Computes the items `indices`. `cache` is the one whose programs were compiled.
    #[expect(unsafe_code, reason = "calls code for processors with certain features")]
    pub(in crate::randomx) fn compute<const ITEMS: usize>(
        &self,
        cache: &Cache,
        indices: [u32; ITEMS],
        items: &mut [Line; ITEMS],
    ) {
        const { assert!(ITEMS.is_multiple_of(Lanes::Avx512.items()) && ITEMS <= LANES) };
        match self.lanes {
            Lanes::Scalar => {
                let mut groups = [Group([[0]; 8]); LANES];
                let groups = &mut groups[..ITEMS];
                let by_register = |[item]: [[u64; 8]; 1]| item.map(|word| [word]);
                self.in_groups(cache, indices, items, groups, by_register, |words| [words.map(|[word]| word)]);
            }
            // SAFETY: `new` has detected it.
            Lanes::Avx2 => unsafe { self.compute_avx2(cache, indices, items) },
            // SAFETY: as above.
            Lanes::Avx512 => unsafe { self.compute_avx512(cache, indices, items) },
        }
    }

    #[target_feature(enable = "avx2")]
    fn compute_avx2<const ITEMS: usize>(&self, cache: &Cache, indices: [u32; ITEMS], items: &mut [Line; ITEMS]) {
        use lanes_avx2::{GROUP, by_item, by_register};
        let mut groups = [Group([[0; GROUP]; 8]); LANES / GROUP];
        let groups = &mut groups[..ITEMS / GROUP];
        self.in_groups(cache, indices, items, groups, |items| by_register(items), |words| by_item(words));
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn compute_avx512<const ITEMS: usize>(&self, cache: &Cache, indices: [u32; ITEMS], items: &mut [Line; ITEMS]) {
        use lanes_avx512::{GROUP, transpose};
        let mut groups = [Group([[0; GROUP]; 8]); LANES / GROUP];
        let groups = &mut groups[..ITEMS / GROUP];
        self.in_groups(cache, indices, items, groups, |items| transpose(items), |words| transpose(words));
    }

    /// Computes items in groups of `GROUP`, between whose two forms the functions translate.
    #[inline(always)]
    fn in_groups<const GROUP: usize, const ITEMS: usize>(
        &self,
        cache: &Cache,
        indices: [u32; ITEMS],
        items: &mut [Line; ITEMS],
        groups: &mut [Group<GROUP>],
        by_register: impl Fn([[u64; 8]; GROUP]) -> [[u64; GROUP]; 8],
        by_item: impl Fn([[u64; GROUP]; 8]) -> [[u64; 8]; GROUP],
    ) {
        for (group, indices) in groups.iter_mut().zip(indices.as_chunks::<GROUP>().0) {
            group.0 = initial_registers(*indices);
        }
        let mut lines = indices.map(|index| cache.line(u64::from(index)));
        for (number, program) in cache.programs().iter().enumerate() {
            self.execute(number, groups, &lines);
            let address_register = program.address_register();
            for (group, lines) in groups.iter_mut().zip(lines.as_chunks_mut::<GROUP>().0) {
                let words = by_register(lines.map(|line| line.0));
                for (register, words) in group.0.iter_mut().zip(words) {
                    register.iter_mut().zip(words).for_each(|(lane, word)| *lane ^= word);
                }
                *lines = group.0[address_register].map(|address| cache.line(address));
            }
        }
        for (group, items) in groups.iter().zip(items.as_chunks_mut::<GROUP>().0) {
            *items = by_item(group.0).map(Line);
        }
    }
}

impl LanesCode {
    /// Executes a program for the items of `groups`, and fetches their `lines`.
    fn execute<const GROUP: usize>(&self, program: usize, groups: &mut [Group<GROUP>], lines: &[&Line]) {
        let turns = lines.len() / self.lanes.items();
        assert!(turns > 0 && turns * self.lanes.items() == lines.len() && groups.len() * GROUP == lines.len());
        #[expect(unsafe_code, reason = "calls generated code")]
        // SAFETY: the code follows the calling convention, changes the groups, which fill whole turns, and fetches as
        // many lines as there are items.
        unsafe {
            let routine: Routine = std::mem::transmute(self.code.entry().byte_add(self.entries[program].0));
            routine(groups.as_mut_ptr().cast(), turns, 0, lines.as_ptr().cast());
        }
    }
}

/// Writes the code of one program behind its constants, and returns where it begins.
pub(super) fn compile(asm: &mut Assembler<'_>, program: &SuperscalarProgram, lanes: Lanes) -> Label {
    let low_words = asm.data(u64::from(u32::MAX));
    let constants: Vec<Label> =
        program.instructions().iter().map(|instruction| asm.data(instruction.constant)).collect();
    let entry = asm.label();
    match lanes {
        Lanes::Scalar => RESTORED.into_iter().for_each(|register| asm.push(register)),
        Lanes::Avx2 => lanes_avx2::begin(asm, low_words),
        Lanes::Avx512 => lanes_avx512::begin(asm),
    }
    let top = asm.label();
    for item in (0_i32..).take(lanes.items()) {
        asm.prefetch_through(RAX, Memory::at(RCX, 8 * item));
    }
    let words = || (8..16).map(Gpr).zip((0..).step_by(8));
    match lanes {
        Lanes::Scalar => words().for_each(|(register, offset)| asm.mov(register, Memory::at(RDI, offset))),
        Lanes::Avx2 => lanes_avx2::load(asm),
        Lanes::Avx512 => lanes_avx512::load(asm),
    }
    for (&instruction, &constant) in program.instructions().iter().zip(&constants) {
        match lanes {
            Lanes::Scalar => item_compiler::instruction(asm, instruction),
            Lanes::Avx2 => lanes_avx2::instruction(asm, instruction, constant),
            Lanes::Avx512 => lanes_avx512::instruction(asm, instruction, constant),
        }
    }
    match lanes {
        Lanes::Scalar => words().for_each(|(register, offset)| asm.store(Memory::at(RDI, offset), register)),
        Lanes::Avx2 => lanes_avx2::store(asm),
        Lanes::Avx512 => lanes_avx512::store(asm),
    }
    let items = lanes.items() as i32;
    asm.arithmetic_constant(Arithmetic::Add, RDI, items * size_of::<Line>() as i32);
    asm.arithmetic_constant(Arithmetic::Add, RCX, items * size_of::<*const Line>() as i32);
    asm.arithmetic_constant(Arithmetic::Sub, RSI, 1);
    asm.jnz_back(top);
    match lanes {
        Lanes::Scalar => RESTORED.into_iter().rev().for_each(|register| asm.pop(register)),
        Lanes::Avx2 | Lanes::Avx512 => asm.vzeroupper(),
    }
    asm.ret();
    entry
}

#[cfg(test)]
mod tests {
    use iced_x86::{CpuidFeature, Decoder, DecoderOptions, FlowControl};

    use super::*;
    use crate::randomx::blake2_generator::BlakeGenerator;

    /// Returns what can be compiled here, of programs that a seed makes.
    fn codes(programs: &[SuperscalarProgram; CACHE_ACCESSES]) -> Vec<LanesCode> {
        Lanes::ALL.into_iter().filter_map(|lanes| LanesCode::new(programs, lanes).ok()).collect()
    }

    fn programs(seed: u32) -> [SuperscalarProgram; CACHE_ACCESSES] {
        let mut random = BlakeGenerator::new(&seed.to_le_bytes());
        std::array::from_fn(|_| SuperscalarProgram::generate(&mut random))
    }

    /// Executes a program for two turns of AVX-512, on edges of words and random ones.
    fn executed<const GROUP: usize>(code: &LanesCode, program: usize, start: [[u64; LANES]; 8]) -> [[u64; LANES]; 8] {
        let mut groups: Vec<Group<GROUP>> = (0..LANES / GROUP)
            .map(|group| Group(start.map(|words| std::array::from_fn(|item| words[GROUP * group + item]))))
            .collect();
        code.execute(program, &mut groups, &[&Line::default(); LANES]);
        std::array::from_fn(|register| std::array::from_fn(|item| groups[item / GROUP].0[register][item % GROUP]))
    }

    #[test]
    fn programs_of_many_keys_do_in_all_instruction_sets_what_they_do_without() {
        let edges = [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 32, u64::from(u32::MAX), u64::MAX << 32];
        for seed in 0..100 {
            let programs = programs(seed);
            let mut random = BlakeGenerator::new(&[b"registers".as_slice(), &seed.to_le_bytes()].concat());
            let mut word = || match random.byte() {
                edge @ 0..64 => edges[usize::from(edge) % edges.len()],
                _ => u64::from(random.word()) << 32 | u64::from(random.word()),
            };
            let start: [[u64; LANES]; 8] = std::array::from_fn(|_| std::array::from_fn(|_| word()));
            for code in codes(&programs) {
                for (number, program) in programs.iter().enumerate() {
                    let mut expected = start;
                    program.execute(&mut expected);
                    let found = match code.lanes {
                        Lanes::Scalar => executed::<1>(&code, number, start),
                        Lanes::Avx2 => executed::<{ lanes_avx2::GROUP }>(&code, number, start),
                        Lanes::Avx512 => executed::<{ lanes_avx512::GROUP }>(&code, number, start),
                    };
                    assert_eq!(found, expected, "{:?}, program {number} of seed {seed}", code.lanes);
                }
            }
        }
    }

    /// Holds all code to an independent disassembler: whole, valid instructions of the set that was asked for, data
    /// that is only reached as such, and one jump, back to an instruction.
    #[test]
    fn generated_code_is_valid_and_of_its_instruction_set() {
        use CpuidFeature::{AVX, AVX2, AVX512DQ, AVX512F, INTEL386, INTEL486, INTEL8086, SSE, X64};
        let scalar = [INTEL8086, INTEL386, INTEL486, X64, SSE];
        for seed in 0..100 {
            for lanes in Lanes::ALL {
                let mut code = vec![0xcc; CODE_BYTES / CACHE_ACCESSES];
                for program in &programs(seed) {
                    let entry = compile(&mut Assembler::new(&mut code), program, lanes).0;
                    let data_words = program.instructions().len() + 1;
                    assert_eq!(entry, 8 * data_words);
                    let mut decoder = Decoder::with_ip(64, &code[entry..], entry as u64, DecoderOptions::NONE);
                    let mut starts = Vec::new();
                    loop {
                        let instruction = decoder.decode();
                        assert!(!instruction.is_invalid(), "{lanes:?} at {:#x}", instruction.ip());
                        starts.push(instruction.ip());
                        let is_expected = |feature: &CpuidFeature| match lanes {
                            Lanes::Scalar => scalar.contains(feature),
                            Lanes::Avx2 => scalar.contains(feature) || [AVX, AVX2].contains(feature),
                            Lanes::Avx512 => scalar.contains(feature) || [AVX, AVX512F, AVX512DQ].contains(feature),
                        };
                        let features = instruction.cpuid_features();
                        assert!(features.iter().all(is_expected), "{lanes:?}: {instruction} takes {features:?}");
                        if instruction.is_ip_rel_memory_operand() {
                            let place = usize::try_from(instruction.ip_rel_memory_address()).unwrap();
                            assert!(place.is_multiple_of(8) && place / 8 < data_words, "{lanes:?}: {instruction}");
                        }
                        match instruction.flow_control() {
                            FlowControl::Next => {}
                            FlowControl::ConditionalBranch => {
                                assert!(starts.contains(&instruction.near_branch_target()), "{lanes:?}");
                            }
                            FlowControl::Return => break,
                            other => panic!("{other:?} at {:#x}", instruction.ip()),
                        }
                    }
                }
            }
        }
    }
}
