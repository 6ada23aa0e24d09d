//! Translation of programs, with the loop around them, to machine code (specification, section 4.6.2).
//!
//! Several programs can share a loop: each turn executes an iteration of the first, then one of the second, and so on.
//! An iteration depends on nothing that the one before it in the code computes, so the processor works at the end of
//! the one and the beginning of the other at once, and what an iteration prefetches has the time of all others to
//! arrive. Between iterations little lives in registers: r0 to r7, `ma` and `mx`, the lines' addresses and the rounding
//! mode, which wait in the program's [frame](super::frame); and what never changes is loaded from there again.
//!
//! In light mode many programs can wait together for their items, which are then computed side by side: there an
//! iteration is cut in two where it reads the dataset, and the code of the halves of all programs makes two routines.
//!
//! | register | holds |
//! |---|---|
//! | r8 to r15 | r0 to r7 |
//! | xmm0 to 3, 4 to 7, 8 to 11 | f, e, a |
//! | xmm12 | an operand from memory |
//! | xmm13, 14, 15 | what makes a number of group E (two masks), what FSCAL_R turns around |
//! | rsi, rdi | the scratchpad, and the dataset or the cache |
//! | rbx | the frames |
//! | rbp | mx in the lower half, ma in the upper one |
//! | rax, rcx, rdx | addresses and products |

use super::assembler::{Arithmetic, Assembler, Label, Packed};
use super::operand::{Gpr, Memory, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, Xmm};
use super::{FRAME_BYTES, MXCSR, MXCSR_MODE_SHIFT, frame};
use crate::randomx::configuration::{DATASET_ADDRESS_MASK, SCRATCHPAD_LINE_MASK, Version};
use crate::randomx::instruction::{Instruction, Register};
use crate::randomx::program::Configuration;

pub(super) const E_KEPT: Xmm = Xmm(13);
pub(super) const E_MASKS: Xmm = Xmm(14);
pub(super) const SCALE_MASK: Xmm = Xmm(15);
/// The registers that the caller wants back.
const SAVED: [Gpr; 6] = [RBX, RBP, Gpr(12), Gpr(13), Gpr(14), Gpr(15)];

/// What lies on the stack: the iterations that are left, MXCSR for each rounding mode and as the caller had it, the
/// code that computes items, and while it runs the integer registers.
pub(super) mod stack {
    pub(in super::super) const MXCSR_TABLE: i32 = 0;
    pub(super) const CALLER_MXCSR: i32 = 16;
    pub(super) const ITERATIONS: i32 = 20;
    pub(super) const ITEM_CODE: i32 = 24;
    pub(super) const INTEGERS: i32 = 32;
    pub(super) const BYTES: i32 = 104;
}

/// Where items come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemSource {
    /// They are in memory.
    Stored,
    /// A routine computes each when it is read.
    Routine,
    /// Somebody else computes those of all programs between two routines.
    Outside,
}

/// What kind of code is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) version: Version,
    pub(super) items: ItemSource,
    /// How often the instructions are executed.
    pub(super) iterations: u32,
    /// How many programs share the loop.
    pub(super) programs: usize,
    /// For how many of them items are fetched at a time.
    pub(super) fetched_together: usize,
}

pub(super) fn r(register: Register) -> Gpr {
    Gpr(8 + register.index() as u8)
}

/// Translates one program after the other into a common loop.
pub(super) struct Compiler<'a> {
    pub(super) assembler: Assembler<'a>,
    pub(super) shape: Shape,
    /// Where the loop begins.
    top: Label,
    /// The number of the next program.
    program: usize,
}

impl<'a> Compiler<'a> {
    /// Begins the code. It takes the frames in RDI and the code that computes items in RSI.
    #[inline(always)]
    pub(super) fn begin(code: &'a mut [u8], shape: Shape) -> Self {
        let mut compiler = Self { assembler: Assembler::new(code), shape, top: Label(0), program: 0 };
        compiler.prologue();
        if !compiler.is_shared() {
            compiler.take_up();
        }
        compiler.top = compiler.assembler.label();
        compiler
    }

    /// Translates an iteration of the next program.
    #[inline(always)]
    pub(super) fn iteration(&mut self, configuration: &Configuration, instructions: impl Iterator<Item = Instruction>) {
        if self.is_shared() {
            self.take_up();
        }
        self.load_lines();
        self.body(instructions);
        match self.shape.items {
            ItemSource::Stored => self.read_dataset(configuration),
            ItemSource::Routine => self.compute_item(configuration),
            ItemSource::Outside => return self.ask_for_item(configuration),
        }
        self.find_next_lines(configuration);
        self.store_integers();
        self.mix_floats();
        self.store_floats();
        if self.is_shared() {
            self.put_down();
            self.fetch_items();
        }
        self.program += 1;
    }

    /// Fetches the items of several programs, when this is the last of them.
    ///
    /// A prefetch doesn't retire before its address is translated. Where that takes long, as in a virtual machine on
    /// pages of 4 KiB (some 200 ns on a Xeon), those that stand together are translated at the same time, and the
    /// processor waits once.
    fn fetch_items(&mut self) {
        let last = self.program;
        let done = last + 1;
        if self.shape.items != ItemSource::Stored
            || !(done.is_multiple_of(self.shape.fetched_together) || done == self.shape.programs)
        {
            return;
        }
        for program in last - last % self.shape.fetched_together..done {
            self.program = program;
            let fetched = self.in_frame(frame::FETCHED, 0, 0);
            self.assembler.mov(RAX, fetched);
            self.assembler.prefetch_nta(Memory::at(RAX, 0));
        }
    }

    /// Ends the code, when there are as many programs as was said.
    #[inline(always)]
    pub(super) fn end(mut self) {
        debug_assert_eq!(self.program, self.shape.programs);
        self.assembler.arithmetic32_memory_constant(Arithmetic::Sub, Memory::at(RSP, stack::ITERATIONS), 1);
        self.assembler.jnz_back(self.top);
        if !self.is_shared() {
            self.program = 0;
            self.put_down_integers();
            self.put_down_floats();
            let mxcsr = self.in_frame(frame::MXCSR, 0, 0);
            self.assembler.stmxcsr(mxcsr);
        }
        self.epilogue();
    }

    /// Ends the routine of the first halves of iterations, and begins that of the second halves. Returns where that is.
    pub(super) fn end_first_halves(&mut self) -> Label {
        self.epilogue();
        self.program = 0;
        let entry = self.assembler.label();
        self.prologue();
        entry
    }

    /// Translates the second half of an iteration of the next program, whose item is in its frame.
    pub(super) fn second_half(&mut self, configuration: &Configuration) {
        let scratchpad = self.in_frame(frame::SCRATCHPAD, 0, 0);
        self.assembler.mov(RSI, scratchpad);
        for i in 0..8 {
            let (place, item) = (self.in_frame(frame::R, i, 8), self.in_frame(frame::ITEM, i, 8));
            self.assembler.mov(Gpr(8 + i), place);
            self.assembler.arithmetic(Arithmetic::Xor, Gpr(8 + i), item);
        }
        for i in 0..4 {
            let place = self.in_frame(frame::F, i, 16);
            self.assembler.movaps(Xmm(i), place);
        }
        self.find_next_lines(configuration);
        self.store_integers();
        self.store_floats();
        self.put_down_integers();
        self.put_down_addresses();
        self.program += 1;
    }

    /// Ends the routine of the second halves.
    pub(super) fn end_second_halves(mut self) {
        self.epilogue();
    }

    /// Tells whether registers have to be put down between iterations.
    pub(super) fn is_shared(&self) -> bool {
        self.shape.programs > 1 || self.shape.items == ItemSource::Outside
    }

    /// The place in the program's frame, of the `index`th of equal things of `bytes` bytes.
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are few frames")]
    pub(super) fn in_frame(&self, offset: usize, index: u8, bytes: u8) -> Memory {
        let place = self.program * FRAME_BYTES + offset + usize::from(index) * usize::from(bytes);
        Memory::at(RBX, place as i32)
    }

    /// Takes the arguments, and loads what all programs have in common.
    fn prologue(&mut self) {
        let asm = &mut self.assembler;
        SAVED.into_iter().for_each(|register| asm.push(register));
        asm.arithmetic_constant(Arithmetic::Sub, RSP, stack::BYTES);
        asm.store(Memory::at(RSP, stack::ITEM_CODE), RSI);
        asm.stmxcsr(Memory::at(RSP, stack::CALLER_MXCSR));
        for mode in 0..4_u8 {
            asm.mov32_constant(RAX, MXCSR | u32::from(mode) << MXCSR_MODE_SHIFT);
            asm.store32(Memory::at(RSP, stack::MXCSR_TABLE + 4 * i32::from(mode)), RAX);
        }
        asm.mov32_constant(RAX, self.shape.iterations);
        asm.store32(Memory::at(RSP, stack::ITERATIONS), RAX);
        asm.mov(RBX, RDI);
        let (e_kept, scale_mask) = (self.in_frame(frame::E_KEPT, 0, 0), self.in_frame(frame::SCALE_MASK, 0, 0));
        self.assembler.movaps(E_KEPT, e_kept);
        self.assembler.movaps(SCALE_MASK, scale_mask);
    }

    /// Loads what the program left in its frame.
    fn take_up(&mut self) {
        let mxcsr = self.in_frame(frame::MXCSR, 0, 0);
        self.assembler.ldmxcsr(mxcsr);
        let lines = [(RAX, frame::NEXT_LINE_0), (RDX, frame::NEXT_LINE_1), (RSI, frame::SCRATCHPAD)];
        for (register, offset) in [(RDI, frame::MEMORY), (RBP, frame::MX_MA)].into_iter().chain(lines) {
            let place = self.in_frame(offset, 0, 0);
            self.assembler.mov(register, place);
        }
        for i in 0..8 {
            let place = self.in_frame(frame::R, i, 8);
            self.assembler.mov(Gpr(8 + i), place);
        }
        for i in 0..4 {
            let place = self.in_frame(frame::A, i, 16);
            self.assembler.movaps(Xmm(8 + i), place);
        }
        let e_masks = self.in_frame(frame::E_MASKS, 0, 0);
        self.assembler.movaps(E_MASKS, e_masks);
    }

    /// Leaves in the program's frame what the next iteration needs, and after the last one all registers. The rounding
    /// mode is there since it was changed.
    fn put_down(&mut self) {
        self.put_down_integers();
        self.put_down_addresses();
        let mx_ma = self.in_frame(frame::MX_MA, 0, 0);
        self.assembler.store(mx_ma, RBP);
        self.assembler.arithmetic32_memory_constant(Arithmetic::Compare, Memory::at(RSP, stack::ITERATIONS), 1);
        let skipped = self.assembler.skip_when_not_zero();
        self.put_down_floats();
        self.assembler.end_skip(skipped);
    }

    fn put_down_integers(&mut self) {
        for i in 0..8 {
            let place = self.in_frame(frame::R, i, 8);
            self.assembler.store(place, Gpr(8 + i));
        }
    }

    fn put_down_addresses(&mut self) {
        for (register, offset) in [(RAX, frame::NEXT_LINE_0), (RDX, frame::NEXT_LINE_1)] {
            let place = self.in_frame(offset, 0, 0);
            self.assembler.store(place, register);
        }
    }

    fn put_down_floats(&mut self) {
        for i in 0..4 {
            let (f, e) = (self.in_frame(frame::F, i, 16), self.in_frame(frame::E, i, 16));
            self.assembler.store_xmm(f, Xmm(i));
            self.assembler.store_xmm(e, Xmm(4 + i));
        }
    }

    /// Steps 2 and 3 of the loop.
    fn load_lines(&mut self) {
        let (line_0, line_1) = (self.in_frame(frame::LINE_0, 0, 0), self.in_frame(frame::LINE_1, 0, 0));
        let asm = &mut self.assembler;
        asm.lea(RCX, Memory::indexed(RSI, RAX));
        asm.arithmetic(Arithmetic::Add, RDX, RSI);
        asm.store(line_0, RCX);
        asm.store(line_1, RDX);
        for i in 0..8 {
            asm.arithmetic(Arithmetic::Xor, Gpr(8 + i), Memory::at(RCX, 8 * i32::from(i)));
        }
        for i in 0..8 {
            asm.cvtdq2pd(Xmm(i), Memory::at(RDX, 8 * i32::from(i)));
        }
        for i in 4..8 {
            self.make_e(Xmm(i));
        }
    }

    /// Steps 5 and 8, and the addresses of steps 6 and 7: of the item that is read in RCX, of the one that is fetched
    /// in RDX, which is not masked.
    fn address_items(&mut self, configuration: &Configuration) {
        let [_, _, read2, read3] = configuration.address_registers.map(r);
        let asm = &mut self.assembler;
        asm.mov32(RAX, read2);
        asm.xor32(RAX, read3);
        // Swapping mx and ma is a rotation of both.
        match self.shape.version {
            Version::V1 => {
                asm.arithmetic(Arithmetic::Xor, RBP, RAX);
                asm.mov32(RDX, RBP);
                asm.ror_constant(RBP, 32);
                asm.mov32(RCX, RBP);
            }
            Version::V2 => {
                asm.ror_constant(RBP, 32);
                asm.mov32(RCX, RBP);
                asm.arithmetic(Arithmetic::Xor, RBP, RAX);
                asm.mov32(RDX, RBP);
            }
        }
        asm.arithmetic32_constant(Arithmetic::And, RCX, DATASET_ADDRESS_MASK);
    }

    /// Steps 5 to 8: reads one line of the dataset, and fetches another.
    fn read_dataset(&mut self, configuration: &Configuration) {
        self.address_items(configuration);
        let asm = &mut self.assembler;
        asm.arithmetic32_constant(Arithmetic::And, RDX, DATASET_ADDRESS_MASK);
        if self.is_shared() {
            let fetched = self.in_frame(frame::FETCHED, 0, 0);
            self.assembler.arithmetic(Arithmetic::Add, RDX, RDI);
            self.assembler.store(fetched, RDX);
        } else {
            self.assembler.prefetch_nta(Memory::indexed(RDI, RDX));
        }
        let asm = &mut self.assembler;
        asm.arithmetic(Arithmetic::Add, RCX, RDI);
        for i in 0..8 {
            asm.arithmetic(Arithmetic::Xor, Gpr(8 + i), Memory::at(RCX, 8 * i32::from(i)));
        }
    }

    /// Steps 5 to 8 with an item that is computed now. The code that does it wants its number in RAX and the cache in
    /// RDI, leaves the item in R8 to R15, and keeps RBX, RBP, RSI and RDI.
    fn compute_item(&mut self, configuration: &Configuration) {
        self.number_item(configuration);
        let asm = &mut self.assembler;
        let kept = |i: u8| Memory::at(RSP, stack::INTEGERS + 8 * i32::from(i));
        for i in 0..8 {
            asm.store(kept(i), Gpr(8 + i));
        }
        asm.call(Memory::at(RSP, stack::ITEM_CODE));
        for i in 0..8 {
            asm.arithmetic(Arithmetic::Xor, Gpr(8 + i), kept(i));
        }
    }

    /// Leaves the number of the item that is read in RAX.
    fn number_item(&mut self, configuration: &Configuration) {
        self.address_items(configuration);
        self.assembler.shr_constant(RCX, 6);
        self.assembler.lea(RAX, Memory::at(RCX, configuration.dataset_offset.cast_signed()));
    }

    /// Ends the first half of an iteration: the number of the item goes to the program's frame, and all registers too.
    fn ask_for_item(&mut self, configuration: &Configuration) {
        self.number_item(configuration);
        let (number, mx_ma) = (self.in_frame(frame::ITEM_NUMBER, 0, 0), self.in_frame(frame::MX_MA, 0, 0));
        self.assembler.store32(number, RAX);
        self.assembler.store(mx_ma, RBP);
        self.mix_floats();
        self.put_down_integers();
        self.put_down_floats();
        self.program += 1;
    }

    /// Step 1 of the next iteration, whose lines are fetched already: their addresses in RAX and RDX.
    fn find_next_lines(&mut self, configuration: &Configuration) {
        let [read0, read1, ..] = configuration.address_registers.map(r);
        let asm = &mut self.assembler;
        asm.mov(RAX, read0);
        asm.arithmetic(Arithmetic::Xor, RAX, read1);
        asm.mov(RDX, RAX);
        asm.arithmetic32_constant(Arithmetic::And, RAX, SCRATCHPAD_LINE_MASK);
        asm.shr_constant(RDX, 32);
        asm.arithmetic32_constant(Arithmetic::And, RDX, SCRATCHPAD_LINE_MASK);
        asm.prefetch_t0(Memory::indexed(RSI, RAX));
        asm.prefetch_t0(Memory::indexed(RSI, RDX));
    }

    /// Step 9.
    fn store_integers(&mut self) {
        let line_1 = self.in_frame(frame::LINE_1, 0, 0);
        self.assembler.mov(RCX, line_1);
        for i in 0..8 {
            self.assembler.store(Memory::at(RCX, 8 * i32::from(i)), Gpr(8 + i));
        }
    }

    /// Step 10.
    fn mix_floats(&mut self) {
        let asm = &mut self.assembler;
        match self.shape.version {
            Version::V1 => (0..4).for_each(|i| asm.packed(Packed::Xor, Xmm(i), Xmm(4 + i))),
            Version::V2 => {
                for key in 4..8 {
                    for i in 0..4 {
                        let operation = if i % 2 == 0 { Packed::AesEncrypt } else { Packed::AesDecrypt };
                        asm.packed(operation, Xmm(i), Xmm(key));
                    }
                }
            }
        }
    }

    /// Step 11.
    fn store_floats(&mut self) {
        let line_0 = self.in_frame(frame::LINE_0, 0, 0);
        self.assembler.mov(RCX, line_0);
        for i in 0..4 {
            self.assembler.store_xmm(Memory::at(RCX, 16 * i32::from(i)), Xmm(i));
        }
    }

    /// Gives the caller its registers back, and returns.
    fn epilogue(&mut self) {
        let asm = &mut self.assembler;
        asm.ldmxcsr(Memory::at(RSP, stack::CALLER_MXCSR));
        asm.arithmetic_constant(Arithmetic::Add, RSP, stack::BYTES);
        SAVED.into_iter().rev().for_each(|register| asm.pop(register));
        asm.ret();
    }
}
