//! Programs compiled to machine code of x86-64, which is some twenty times as fast as interpreting them.

mod assembler;
mod code_memory;
mod encoding;
mod instruction_compiler;
mod item_compiler;
mod lanes_avx2;
mod lanes_avx512;
mod lanes_compiler;
mod operand;
mod program_compiler;
mod vector_assembler;
mod vex_assembler;

use std::mem::offset_of;
use std::ptr;

pub(super) use item_compiler::ItemCode;
pub(super) use lanes_compiler::{Lanes, LanesCode};

use self::assembler::Label;
use self::code_memory::CodeMemory;
use self::program_compiler::{Compiler, ItemSource, Shape};
use super::aes::Aes;
use super::cache::Cache;
use super::calibration::Interleaving;
use super::configuration::{PROGRAM_ITERATIONS, SCRATCHPAD_BYTES, SCRATCHPAD_LINE_MASK, Version};
use super::dataset::Items;
use super::flight::Flight;
use super::interpreter::RegisterFile;
use super::memory::Line;
use super::program::{Configuration, E_KEPT, FloatPair, SCALE_MASK};
use super::softfloat::RoundingMode;

/// Why programs can't be compiled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("programs can't be compiled here: {0}")]
pub struct JitUnavailable(pub(super) String);

/// The bytes of code that no program exceeds: 384 instructions of at most 31 bytes, and the loop around them.
const CODE_BYTES: usize = 16 << 10;

/// How many items are computed side by side in light mode.
pub(super) const BATCH: usize = 16;
/// From how many programs on a batch is sooner done than its items one by one: it takes as long as three of them in
/// AVX-512, and five in scalar code or AVX2 (a Xeon).
const BATCH_MIN: usize = 5;

/// How many programs at most can be under way.
const PROGRAMS_MAX: usize = BATCH;

/// What generated code is given of a program, what it leaves there between iterations, and what is left in the end.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Frame {
    registers: RegisterFile,
    e_masks: FloatPair,
    e_kept: FloatPair,
    scale_mask: FloatPair,
    mx: u32,
    ma: u32,
    /// Where the lines of the next iteration are in the scratchpad.
    next_lines: [u64; 2],
    /// The lines of this iteration.
    lines: [u64; 2],
    scratchpad: *mut Line,
    /// The first item that the program addresses (fast mode), or the first line of the cache (light mode).
    memory: *const Line,
    /// The item to be fetched.
    fetched: *const Line,
    /// The item that is read, where it is computed outside.
    item: Line,
    item_number: u32,
    mxcsr: u32,
}

const FRAME_BYTES: usize = size_of::<Frame>();

/// Where the parts of a frame lie.
mod frame {
    use super::{Frame, RegisterFile, offset_of};

    pub(super) const R: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, r);
    pub(super) const F: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, f);
    pub(super) const E: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, e);
    pub(super) const A: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, a);
    pub(super) const E_MASKS: usize = offset_of!(Frame, e_masks);
    pub(super) const E_KEPT: usize = offset_of!(Frame, e_kept);
    pub(super) const SCALE_MASK: usize = offset_of!(Frame, scale_mask);
    pub(super) const MXCSR: usize = offset_of!(Frame, mxcsr);
    pub(super) const MX_MA: usize = offset_of!(Frame, mx);
    pub(super) const NEXT_LINE_0: usize = offset_of!(Frame, next_lines);
    pub(super) const NEXT_LINE_1: usize = NEXT_LINE_0 + 8;
    pub(super) const LINE_0: usize = offset_of!(Frame, lines);
    pub(super) const LINE_1: usize = LINE_0 + 8;
    pub(super) const SCRATCHPAD: usize = offset_of!(Frame, scratchpad);
    pub(super) const FETCHED: usize = offset_of!(Frame, fetched);
    pub(super) const ITEM: usize = offset_of!(Frame, item);
    pub(super) const ITEM_NUMBER: usize = offset_of!(Frame, item_number);
    pub(super) const MEMORY: usize = offset_of!(Frame, memory);
}

/// MXCSR without its rounding mode: all exceptions masked, denormal numbers read and written as zeros. There are none,
/// but this is what other implementations set.
const MXCSR: u32 = 0x9fc0;
/// Where MXCSR has the rounding mode, which is numbered as `fprc` is.
const MXCSR_MODE_SHIFT: u32 = 13;

/// Generated code: the frames, and the code that computes items (light mode).
type Entry = unsafe extern "sysv64" fn(*mut Frame, *const u8);

/// Compiles and executes programs.
#[derive(Debug)]
pub(super) struct Jit {
    version: Version,
    interleaving: Interleaving,
    code: CodeMemory,
    frames: Box<[Frame]>,
}

#[expect(unsafe_code, reason = "frames have pointers")]
// SAFETY: the pointers in the frames are set before each use from what is borrowed for it.
unsafe impl Send for Jit {}
#[expect(unsafe_code, reason = "frames have pointers")]
// SAFETY: as above; shared, nothing of it is used.
unsafe impl Sync for Jit {}

/// Tells whether programs can be compiled here.
pub(super) fn check(version: Version) -> Result<(), JitUnavailable> {
    check_aes(version)?;
    CodeMemory::new(CODE_BYTES).map(drop)
}

/// Returns how many programs to execute together on items that are computed: a batch takes as long as three to five
/// single items, so there is no question, where there is code for it.
pub(super) fn batch(cache: &Cache, threads: usize) -> usize {
    if cache.kernel(threads).compiled().is_some() { BATCH } else { 1 }
}

fn check_aes(version: Version) -> Result<(), JitUnavailable> {
    if version == Version::V2 && !Aes::detect().is_hardware() {
        return Err(JitUnavailable("version 2 needs a processor with AES instructions".to_owned()));
    }
    Ok(())
}

impl Jit {
    /// Makes room for the code of as many programs as are interleaved, and sees that items of light mode can be
    /// computed.
    pub(super) fn new(version: Version, items: &Items, interleaving: Interleaving) -> Result<Self, JitUnavailable> {
        let programs = interleaving.hashes;
        if let Items::Computed(cache) = items {
            cache.item_code()?;
            // Whatever takes long shall take it now.
            ItemSource::of(items, programs);
        }
        check_aes(version)?;
        let frame = Frame {
            registers: RegisterFile::default(),
            e_masks: [0; 2],
            e_kept: [E_KEPT; 2],
            scale_mask: [SCALE_MASK; 2],
            mx: 0,
            ma: 0,
            next_lines: [0; 2],
            lines: [0; 2],
            scratchpad: ptr::null_mut(),
            memory: ptr::null(),
            fetched: ptr::null(),
            item: Line::default(),
            item_number: 0,
            mxcsr: 0,
        };
        assert!(programs <= PROGRAMS_MAX);
        let code = CodeMemory::new(programs * CODE_BYTES)?;
        Ok(Self { version, interleaving, code, frames: vec![frame; programs].into_boxed_slice() })
    }

    /// Executes the programs of `flights` as [`Interpreter::execute`](super::interpreter::Interpreter::execute) does.
    /// There are no more of them than was said in the beginning.
    pub(super) fn execute(&mut self, items: &Items, flights: &mut [Flight]) {
        let version = self.version;
        // Instructions are translated as they are decoded: storing them in between would take as long again.
        self.execute_compiled(PROGRAM_ITERATIONS, items, flights, |compiler, _, flight| {
            let configuration = flight.buffer.configuration();
            compiler.iteration(&configuration, flight.buffer.instructions(version));
            configuration
        });
    }

    /// Executes what `compile` makes of each flight, as often as `iterations` says.
    #[inline(always)]
    fn execute_compiled(
        &mut self,
        iterations: u32,
        items: &Items,
        flights: &mut [Flight],
        mut compile: impl FnMut(&mut Compiler<'_>, usize, &Flight) -> Configuration,
    ) {
        let programs = flights.len();
        assert!((1..=self.frames.len()).contains(&programs));
        let source = ItemSource::of(items, programs);
        let shape = Shape {
            version: self.version,
            items: source,
            iterations,
            programs,
            fetched_together: self.interleaving.fetched_together,
        };
        let mut compiler = Compiler::begin(self.code.bytes_mut(), shape);
        let mut configurations = [None; BATCH];
        for (index, (flight, frame)) in flights.iter_mut().zip(&mut self.frames).enumerate() {
            let configuration = compile(&mut compiler, index, flight);
            frame.set_up(self.version, &configuration, items, flight);
            configurations[index] = Some(configuration);
        }
        match items {
            Items::Computed(cache) if source == ItemSource::Outside => {
                let second = compiler.end_first_halves();
                configurations.iter().flatten().for_each(|configuration| compiler.second_half(configuration));
                compiler.end_second_halves();
                self.code.synchronize();
                self.run_halves(second, iterations, cache);
            }
            Items::Computed(cache) => {
                compiler.end();
                self.code.synchronize();
                let item_code = cache.item_code().expect("was compiled when this machine was made");
                self.run(Label(0), item_code.routine());
            }
            Items::Stored(_) => {
                compiler.end();
                self.code.synchronize();
                self.run(Label(0), ptr::null());
            }
        }
        for (flight, frame) in flights.iter_mut().zip(&self.frames) {
            flight.mode = RoundingMode::from_fprc(u64::from(frame.mxcsr >> MXCSR_MODE_SHIFT));
            flight.registers = frame.registers;
        }
    }
}

impl Jit {
    /// Calls the code at `entry`.
    fn run(&mut self, entry: Label, item_code: *const u8) {
        #[expect(unsafe_code, reason = "calls generated code")]
        // SAFETY: the code was just compiled, and follows the calling convention. It reaches the frames, the
        // scratchpads by masked addresses, and the dataset from an offset on that leaves the rest at least as long as
        // the mask allows, or the cache through the routine that was compiled for it. All are borrowed by the caller.
        unsafe {
            let entry: Entry = std::mem::transmute(self.code.entry().byte_add(entry.0));
            entry(self.frames.as_mut_ptr(), item_code);
        }
    }

    /// Calls the routines of first halves and of second halves in turn, and computes the items in between.
    fn run_halves(&mut self, second: Label, iterations: u32, cache: &Cache) {
        let lanes_code = cache.kernel(1).compiled().expect("is where items come from outside");
        let mut items = [Line::default(); BATCH];
        for _ in 0..iterations {
            self.run(Label(0), ptr::null());
            let mut numbers = [0; BATCH];
            numbers.iter_mut().zip(&self.frames).for_each(|(number, frame)| *number = frame.item_number);
            lanes_code.compute(cache, numbers, &mut items);
            self.frames.iter_mut().zip(&items).for_each(|(frame, item)| frame.item = *item);
            self.run(second, ptr::null());
        }
    }
}

impl ItemSource {
    /// Returns where `programs` at a time get their items from.
    fn of(items: &Items, programs: usize) -> Self {
        match items {
            Items::Stored(_) => Self::Stored,
            // The last items of a batch cost nothing beside the others, but few aren't worth a batch.
            Items::Computed(cache) if programs >= BATCH_MIN && cache.kernel(1).compiled().is_some() => Self::Outside,
            Items::Computed(_) => Self::Routine,
        }
    }
}

impl Frame {
    /// Prepares the first iteration.
    fn set_up(&mut self, version: Version, configuration: &Configuration, items: &Items, flight: &mut Flight) {
        assert_eq!(flight.scratchpad.len(), SCRATCHPAD_BYTES / size_of::<Line>());
        self.registers.r = [0; 8];
        self.registers.a = configuration.a;
        self.e_masks = configuration.e_masks;
        self.mxcsr = MXCSR | (flight.mode as u32) << MXCSR_MODE_SHIFT;
        (self.mx, self.ma) = (configuration.mx, configuration.ma);
        self.next_lines = [configuration.mx, configuration.ma].map(|line| u64::from(line & SCRATCHPAD_LINE_MASK));
        self.scratchpad = flight.scratchpad.as_mut_ptr();
        self.memory = match items {
            Items::Stored(dataset) => &raw const dataset.items()[configuration.dataset_offset as usize],
            Items::Computed(cache) => cache.lines().as_ptr(),
        };
        // No iteration fetches what the first one reads, and in version 2 the second one.
        items.prefetch(configuration.item(configuration.ma));
        if version == Version::V2 {
            items.prefetch(configuration.item(configuration.mx));
        }
    }
}

#[cfg(test)]
#[path = "jit_tests.rs"]
mod tests;
