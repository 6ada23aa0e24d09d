//! The cache: 256 MiB that are filled from a key, and programs that turn them into dataset items (specification,
//! sections 7.1 to 7.3).

use std::ops;
use std::sync::OnceLock;

use super::argon2d;
use super::blake2_generator::BlakeGenerator;
use super::configuration::{ARGON_PASSES, ARGON_SALT, CACHE_ACCESSES, CACHE_LINES};
use super::dataset::Interrupted;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::jit::{ItemCode, JitUnavailable};
use super::lanes::{self, Kernel};
use super::memory::{Line, Lines, OutOfMemory, prefetch};
use super::superscalar::{Registers, SuperscalarProgram};
use crate::pages::MemoryPart;

/// What a key is expanded into first. Items of the dataset can be computed from it one by one.
#[derive(Debug)]
pub struct Cache {
    lines: Lines,
    programs: [SuperscalarProgram; CACHE_ACCESSES],
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    item_code: OnceLock<Result<ItemCode, JitUnavailable>>,
    kernel: OnceLock<Kernel>,
}

impl Cache {
    /// Expands `key`. Any length is legal, none as well; of long keys all bytes count here, and 60 of them for the
    /// programs, as in the reference implementation.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn new(key: &[u8]) -> Result<Self, OutOfMemory> {
        match Self::build(key, &|| ops::ControlFlow::Continue(())) {
            Ok(cache) => Ok(cache),
            Err(Interrupted::OutOfMemory(fault)) => Err(fault),
            Err(Interrupted::Cancelled) => unreachable!("nobody breaks off"),
        }
    }

    /// Expands `key` as [`Cache::new`] does. `observe` is asked some 50 times, and can break off.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or `observe` broke off.
    pub fn build(key: &[u8], observe: &dyn Fn() -> ops::ControlFlow<()>) -> Result<Self, Interrupted> {
        let mut lines = Lines::zeroed(CACHE_LINES)?;
        if argon2d::fill(&mut lines, key, ARGON_SALT, ARGON_PASSES, observe).is_break() {
            return Err(Interrupted::Cancelled);
        }
        let mut random = BlakeGenerator::new(key);
        let programs = std::array::from_fn(|_| SuperscalarProgram::generate(&mut random));
        Ok(Self {
            lines,
            programs,
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            item_code: OnceLock::new(),
            kernel: OnceLock::new(),
        })
    }

    /// Names this memory, with the pages that it lies on.
    pub(super) fn memory(&self, name: &str) -> MemoryPart {
        self.lines.part(name)
    }

    /// Computes one item of the dataset.
    #[must_use]
    pub fn item(&self, index: u32) -> Line {
        let mut item = [Line::default()];
        lanes::portable(self, [index], &mut item);
        item[0]
    }

    /// Returns all lines.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the code that computes items, which is compiled when it is first asked for.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn item_code(&self) -> Result<&ItemCode, JitUnavailable> {
        self.item_code.get_or_init(|| ItemCode::new(&self.programs)).as_ref().map_err(Clone::clone)
    }

    /// Returns the way to compute many items that is the fastest here. It is looked for when it is first asked for, on
    /// `threads` threads at the same time.
    pub(super) fn kernel(&self, threads: usize) -> &Kernel {
        self.kernel.get_or_init(|| Kernel::pick(self, threads))
    }

    /// Names the way to compute many items, once it was asked for.
    pub(super) fn kernel_name(&self) -> Option<&'static str> {
        self.kernel.get().map(|kernel| kernel.name)
    }

    /// Returns the programs of SuperscalarHash.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn programs(&self) -> &[SuperscalarProgram; CACHE_ACCESSES] {
        &self.programs
    }

    /// Computes the items `indices` side by side.
    ///
    /// Inlined, so that each caller gets it in the instruction set that the caller was compiled for.
    #[inline(always)]
    pub(super) fn compute<const LANES: usize>(&self, indices: [u32; LANES], items: &mut [Line; LANES]) {
        let mut registers = initial_registers(indices);
        let mut addresses = indices.map(u64::from);
        for program in &self.programs {
            let lines = addresses.map(|address| self.line(address));
            lines.into_iter().for_each(prefetch);
            program.execute(&mut registers);
            for (lane, line) in lines.into_iter().enumerate() {
                for (register, word) in registers.iter_mut().zip(line.0) {
                    register[lane] ^= word;
                }
            }
            addresses = registers[program.address_register()];
        }
        for (lane, item) in items.iter_mut().enumerate() {
            *item = Line(registers.map(|register| register[lane]));
        }
    }

    /// Returns the line that `address` falls on when it is taken modulo the number of lines.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "whole lines, of which there are fewer than 2^32")]
    pub(super) fn line(&self, address: u64) -> &Line {
        &self.lines[address as usize % CACHE_LINES]
    }
}

/// What the number of an item is multiplied with.
pub(super) const INITIAL_MULTIPLIER: u64 = 6_364_136_223_846_793_005;
/// What the registers differ in from the first one at the beginning.
pub(super) const INITIAL_XORED: [u64; 8] = [
    0,
    9_298_411_001_130_361_340,
    12_065_312_585_734_608_966,
    9_306_329_213_124_626_780,
    5_281_919_268_842_080_866,
    10_536_153_434_571_861_004,
    3_398_623_926_847_679_864,
    9_549_104_520_008_361_294,
];

/// Returns the registers that the computation of items starts from.
#[inline(always)]
pub(super) fn initial_registers<const LANES: usize>(indices: [u32; LANES]) -> Registers<LANES> {
    INITIAL_XORED.map(|xored| indices.map(|index| (u64::from(index) + 1).wrapping_mul(INITIAL_MULTIPLIER) ^ xored))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, OnceLock};

    use super::*;
    use crate::randomx::blake2b::{hash512, words};

    /// Returns the cache of "test key 000", which most published vectors are about. Built once.
    pub(in crate::randomx) fn test_key_000() -> Arc<Cache> {
        static CACHE: OnceLock<Arc<Cache>> = OnceLock::new();
        Arc::clone(CACHE.get_or_init(|| Arc::new(Cache::new(b"test key 000").unwrap())))
    }

    /// From upstream's src/tests/tests.cpp.
    #[test]
    fn words_of_the_cache_are_the_published_ones() {
        let cache = test_key_000();
        let words: &[u64] = bytemuck::cast_slice(&cache.lines);
        assert_eq!(words.len(), 33_554_432);
        assert_eq!(words[0], 0x191e_0e1d_23c0_2186);
        assert_eq!(words[1_568_413], 0xf1b6_2fe6_210b_f8b1);
        assert_eq!(words[33_554_431], 0x1f47_f056_d05c_d99b);
    }

    /// From upstream's src/tests/tests.cpp; the last is the last item of the dataset, computed with upstream 1.2.1.
    #[test]
    fn items_are_the_published_ones() {
        let cache = test_key_000();
        let published = [
            (0, 0x6805_88a8_5ae2_22db),
            (10_000_000, 0x7943_a1f6_186f_fb72),
            (20_000_000, 0x9035_244d_7180_95e1),
            (30_000_000, 0x145a_5091_f785_3099),
        ];
        for (index, first_word) in published {
            assert_eq!(cache.item(index).0[0], first_word, "item {index}");
        }
        let bytes: Vec<u8> = cache.item(34_078_718).0[..4].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(const_hex::encode(bytes), "5876a62e54e6a58474034eb7e299bc0381b1b34a491393dee4ff84db23426074");
    }

    #[test]
    fn a_build_can_be_broken_off() {
        let asked = std::cell::Cell::new(0);
        let observe = || {
            asked.set(asked.get() + 1);
            if asked.get() < 3 { ops::ControlFlow::Continue(()) } else { ops::ControlFlow::Break(()) }
        };
        assert_eq!(Cache::build(b"key", &observe).unwrap_err(), Interrupted::Cancelled);
        assert_eq!(asked.get(), 3);
    }

    /// The specification says where the constants come from, and which two were changed.
    #[test]
    fn initial_registers_come_from_a_hash() {
        let mut expected = words(&hash512(b"RandomX SuperScalarHash initialize"));
        expected[0] = 0;
        expected[1] += (1 << 33) + 700;
        expected[3] += 1 << 14;
        let first = 6_364_136_223_846_793_005;
        assert_eq!(initial_registers([0]), expected.map(|word| [word ^ first]));
    }
}
