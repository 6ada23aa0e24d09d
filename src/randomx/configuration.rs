//! The parameters of RandomX (specification, table 1.2.1), and what follows from them.

/// The version of the algorithm. Cache and dataset are the same for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// Monero's proof of work since 2019.
    V1,
    /// Longer programs, AES in every iteration, the rounding mode changed less often, and the dataset prefetched
    /// earlier.
    V2,
}

impl Version {
    /// Returns the number of instructions of a program (`RANDOMX_PROGRAM_SIZE`).
    #[must_use]
    pub const fn program_size(self) -> usize {
        match self {
            Self::V1 => 256,
            Self::V2 => 384,
        }
    }
}

/// The largest number of instructions of a program of any version.
pub(super) const PROGRAM_SIZE_MAX: usize = Version::V2.program_size();
/// How often the instructions of a program are executed (`RANDOMX_PROGRAM_ITERATIONS`).
pub(super) const PROGRAM_ITERATIONS: u32 = 2048;
/// How many programs make a hash (`RANDOMX_PROGRAM_COUNT`).
pub(super) const PROGRAM_COUNT: usize = 8;

/// The Argon2 blocks of 1 KiB in the cache (`RANDOMX_ARGON_MEMORY`).
pub(super) const ARGON_BLOCKS: u32 = 262_144;
/// The passes of Argon2 over the cache (`RANDOMX_ARGON_ITERATIONS`).
pub(super) const ARGON_PASSES: u32 = 3;
/// The salt of Argon2 (`RANDOMX_ARGON_SALT`).
pub(super) const ARGON_SALT: &[u8] = b"RandomX\x03";
/// How much of a key counts, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 60;

/// The length of a dataset item, and of what is read from the cache at once, in bytes.
pub(super) const LINE_BYTES: usize = 64;
/// The number of lines in the cache.
pub(super) const CACHE_LINES: usize = ARGON_BLOCKS as usize * 1024 / LINE_BYTES;
/// How often the cache is read for one dataset item (`RANDOMX_CACHE_ACCESSES`).
pub(super) const CACHE_ACCESSES: usize = 8;
/// The latency that programs of SuperscalarHash aim at, in cycles (`RANDOMX_SUPERSCALAR_LATENCY`).
pub(super) const SUPERSCALAR_LATENCY: usize = 170;

/// The part of the dataset that one program addresses, in bytes (`RANDOMX_DATASET_BASE_SIZE`).
const DATASET_BASE_BYTES: usize = 1 << 31;
/// The rest of the dataset in bytes (`RANDOMX_DATASET_EXTRA_SIZE`).
const DATASET_EXTRA_BYTES: usize = 33_554_368;
/// The number of items that a program's dataset offset can skip.
pub(super) const DATASET_EXTRA_ITEMS: usize = DATASET_EXTRA_BYTES / LINE_BYTES;
/// The number of items in the dataset.
pub const DATASET_ITEMS: usize = (DATASET_BASE_BYTES + DATASET_EXTRA_BYTES) / LINE_BYTES;
/// What is kept of `ma` and `mx` to address a dataset item: whole items inside the base part.
pub(super) const DATASET_ADDRESS_MASK: u32 = (DATASET_BASE_BYTES - LINE_BYTES) as u32;

/// The length of the scratchpad in bytes (`RANDOMX_SCRATCHPAD_L3`).
pub(super) const SCRATCHPAD_BYTES: usize = 2 << 20;
/// The length of the scratchpad's second level in bytes (`RANDOMX_SCRATCHPAD_L2`).
pub(super) const SCRATCHPAD_L2_BYTES: usize = 256 << 10;
/// The length of the scratchpad's first level in bytes (`RANDOMX_SCRATCHPAD_L1`).
pub(super) const SCRATCHPAD_L1_BYTES: usize = 16 << 10;
/// What is kept of an address that reads or writes a whole line of the scratchpad.
pub(super) const SCRATCHPAD_LINE_MASK: u32 = (SCRATCHPAD_BYTES - LINE_BYTES) as u32;

/// The lowest bit that a CBRANCH can test (`RANDOMX_JUMP_OFFSET`).
pub(super) const JUMP_OFFSET: u8 = 8;
/// The number of bits that a CBRANCH tests (`RANDOMX_JUMP_BITS`).
pub(super) const JUMP_BITS: u8 = 8;
/// From which `mod.cond` on an ISTORE writes to the whole scratchpad.
pub(super) const STORE_L3_CONDITION: u8 = 14;
