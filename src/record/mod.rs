//! The record: everything that a run measured, in a versioned JSON file from which every table can be made again.
//!
//! `docs/FORMAT.md` describes it field by field. Plain data only.

mod file;
mod schema;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::file::{OutFile, ReadError, WriteError, read, read_with_text};
pub use self::schema::schema;

use crate::device::Device;
pub use crate::energy::{MeterDescription, Provenance};
use crate::engine::EngineId;
use crate::interval::Interval;
use crate::machine::{LoadChange, Machine};
use crate::pages::MemoryPart;

/// What the field `format` says.
pub const FORMAT: &str = "hashwatt-record";

/// The version of the format. A greater minor number only adds fields; a greater major number may change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FormatVersion {
    /// Grows when fields change, which breaks readers.
    #[schemars(extend("const" = FORMAT_VERSION.major))]
    pub major: u32,
    /// Grows when fields are added.
    pub minor: u32,
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version that this program writes.
pub const FORMAT_VERSION: FormatVersion = FormatVersion { major: 1, minor: 2 };

/// The record of a whole run of hashwatt. Units stand last in names: `_s` seconds, `_j` joules, `_w` watts, `_hps`
/// hashes per second. What isn't known is null or absent, and never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "hashwatt record")]
pub struct Record {
    /// What kind of document this is.
    #[schemars(extend("const" = FORMAT))]
    pub format: String,
    /// The version of the format.
    pub format_version: FormatVersion,
    /// The program that wrote it.
    pub tool: Tool,
    /// When the run began, in UTC (RFC 3339, whole seconds).
    pub started_utc: String,
    /// The machine.
    pub machine: Machine,
    /// The meters that were open.
    pub sensors: Vec<MeterDescription>,
    /// What was meant to be measured; none in records of version 1.0.
    #[serde(default)]
    pub plan: Option<PlanRecord>,
    /// Which engines were in memory together; those of one group took turns.
    pub groups: Vec<Vec<EngineId>>,
    /// The joules of idle devices, before the turns of each group and after them; empty where nothing measures joules.
    #[serde(default)]
    pub idle: Vec<Idle>,
    /// What was built before engines could run, timed apart.
    pub setups: Vec<Setup>,
    /// Rates of engines that were tried shortly, to choose which to measure; empty where nothing was chosen.
    #[serde(default)]
    pub calibrations: Vec<Calibrated>,
    /// One for each engine that was measured.
    pub benchmarks: Vec<Benchmark>,
    /// What a reader of the figures should know.
    pub warnings: Vec<Warning>,
    /// What moved during the turns, as a mean over all of them.
    #[serde(default)]
    pub load_change: LoadChange,
    /// Whether the run was ended early.
    pub interrupted: bool,
}

/// The program that wrote a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The architecture and operating system that it was built for.
    pub target: String,
    /// Whether it was built with optimisation.
    pub optimized: bool,
    /// The cargo features that it was built with.
    pub features: Vec<String>,
}

impl Tool {
    /// Describes this program.
    #[must_use]
    pub fn this() -> Self {
        let features =
            [("reference", cfg!(feature = "reference")), ("fault-injection", cfg!(feature = "fault-injection"))];
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            optimized: !cfg!(debug_assertions),
            features: features.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

/// How a run was laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRecord {
    /// The preset that was asked for; none for the bare program.
    pub preset: Option<String>,
    /// The measured time per engine, in seconds.
    pub measured_s: f64,
    /// Turns of each engine.
    pub rounds: u32,
    /// Samples in one turn.
    pub samples_per_turn: u32,
    /// The length of one sample, in seconds.
    pub sample_s: f64,
    /// Whether engines took turns or had all theirs in a row.
    pub order: Order,
    /// What decided which engine began.
    pub seed: u64,
    /// How long devices were to be metered idle before the turns of a group and after them, in seconds; 0 where no
    /// meter measures.
    pub idle_s: f64,
}

/// Who follows whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Engines take turns, so that a machine that grows hot or busy does so for all.
    #[default]
    Interleaved,
    /// Each engine has all its turns in a row.
    Sequential,
}

/// The joules of devices that have nothing to do, while what a group of engines built is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// The group, counted from 0.
    pub group: usize,
    /// Whether it was before the group's turns or after them.
    pub when: When,
    /// When it began, in seconds since the run began.
    pub start_s: f64,
    /// How long it took, in seconds.
    pub duration_s: f64,
    /// Joules by meter.
    pub energy_j: BTreeMap<String, f64>,
    /// The part of all processors' time that other programs used, from 0 to 1, where it is known.
    pub others_fraction: Option<f64>,
}

/// Before the turns of a group, or after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before them.
    Before,
    /// After them.
    After,
}

/// Something that was built before engines could run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setup {
    /// What it is.
    pub name: String,
    /// Disjoint phases, in seconds.
    pub phases_s: BTreeMap<String, f64>,
    /// The engines that use it.
    pub used_by: Vec<EngineId>,
}

/// The rate of an engine that was tried shortly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibrated {
    /// The engine.
    pub id: EngineId,
    /// Its rate, in hashes per second; a rough one.
    pub rate_hps: f64,
}

/// What was measured of one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Benchmark {
    /// The engine.
    pub id: EngineId,
    /// Its algorithm, as in the id.
    pub algorithm: String,
    /// The device that did the work and drew the power: `cpu` for a software adapter, whatever the id says.
    pub device: Device,
    /// The device's own name.
    pub device_name: String,
    /// The way of computing, as in the id.
    pub engine: String,
    /// The mode, as in the id.
    pub mode: Option<String>,
    /// Threads of this machine that hashed; 0 for a graphics adapter.
    pub threads: usize,
    /// What decided on that number; absent in records before version 1.2, and where no thread of this machine hashed.
    #[serde(default)]
    pub threads_by: Option<ThreadsBy>,
    /// The memory that decides over the engine's speed, with the pages that it lies on; empty where pages make no
    /// difference, and in records before version 1.2.
    #[serde(default)]
    pub memory: Vec<MemoryPart>,
    /// Whether every check of known answers and timed work held. A wrong hash ends the run, so this is always true
    /// where there are samples.
    pub verified: bool,
    /// Who hashed again what was timed.
    pub verified_by: String,
    /// How many hashes of the timed work were computed again.
    pub verified_hashes: u64,
    /// How many hits the timed work gave, beside how many it should have. Absent in older records.
    #[serde(default)]
    pub hit_check: Option<HitCheck>,
    /// How the engine was set: what was chosen for this machine, by name.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Disjoint phases of what this engine needed before it could run, in seconds, whoever built it.
    pub setup_s: BTreeMap<String, f64>,
    /// The meters that belong to this engine's device.
    pub meters: Vec<String>,
    /// What was around each turn.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// The samples, in order.
    pub samples: Vec<Sample>,
    /// The indices of samples that stand out (modified z-score above 3.5). They are marked only: every figure has them.
    #[serde(default)]
    pub outliers: Vec<usize>,
    /// Its rate, in hashes per second.
    pub rate_hps: Rate,
    /// What the device's own clock says; absent where it has none, as processors have.
    #[serde(default)]
    pub device_rate: Option<DeviceRate>,
    /// Its energy, in joules per hash.
    pub energy_j_per_hash: Energy,
}

impl Benchmark {
    /// Tells whether its graphics driver runs on the processors: then its id reads like a card's, and its rate says
    /// nothing of one.
    #[must_use]
    pub fn is_on_software_adapter(&self) -> bool {
        self.device == Device::Cpu && self.id.device() != "cpu"
    }
}

/// What decided on a number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThreadsBy {
    /// `--threads`.
    Given,
    /// One for each processor that the process may use.
    Processors,
    /// More would have less than their part of the second-level caches.
    L2,
    /// More would have less than their part of the third-level caches.
    L3,
    /// `bench --sweep-threads`: the engine was measured on several numbers of them, each by itself.
    Sweep,
}

impl Benchmark {
    /// Names what was measured: the engine's id, and in a sweep the number of threads, too, as in
    /// `sha256d/cpu/scalar@2`. No other benchmark of the record has this name.
    #[must_use]
    pub fn name(&self) -> String {
        if self.threads_by == Some(ThreadsBy::Sweep) {
            format!("{}@{}", self.id, self.threads)
        } else {
            self.id.to_string()
        }
    }
}

/// What was around the samples of one turn, read while the engine was at work. What isn't known is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Turn {
    /// The turn, counted from 0.
    pub turn: u32,
    /// How long the engine ran before its rate was steady and the first sample began, in seconds.
    pub lead_in_s: f64,
    /// The clock at the end of the last sample, in MHz: of engines on a card that of the card, where its meter tells;
    /// else the mean of all processors.
    pub clock_mhz: Option<f64>,
    /// The temperature at the end of the last sample, in °C: of engines on a card that of the card, where its meter
    /// tells; else that of the hottest processor.
    pub temperature_c: Option<f64>,
    /// Whether the card which hashed was slowed down for its heat or its power supply, at the end of the last sample.
    pub device_slowed_down: Option<bool>,
    /// The part of the time in which processors had work that the hypervisor let others run, from 0 to 1.
    pub steal_fraction: Option<f64>,
    /// The part of all processors' time that other programs used, the kernel included, from 0 to 1.
    pub others_fraction: Option<f64>,
    /// How often processors were slowed down for their heat, once for each logical processor.
    pub throttle_events: Option<u64>,
    /// How often per second threads of this program had to make way for others.
    pub involuntary_switches_per_s: Option<f64>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The turn that it belongs to, counted from 0: the samples of one turn follow each other without a gap.
    #[serde(default)]
    pub turn: u32,
    /// When it began, in seconds since the run began.
    pub start_s: f64,
    /// How long it took, in seconds.
    pub duration_s: f64,
    /// How many hashes were finished in it.
    pub hashes: u64,
    /// How long the device was busy with them by its own clock, in seconds; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_s: Option<f64>,
    /// Joules by meter.
    pub energy_j: BTreeMap<String, f64>,
}

impl Sample {
    /// Returns its rate in hashes per second.
    #[must_use]
    pub fn rate_hps(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
        let hashes = self.hashes as f64;
        hashes / self.duration_s
    }
}

/// A rate in hashes per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// The median of the samples' rates, in hashes per second.
    pub median: f64,
    /// The lower end of its interval, in hashes per second.
    pub low: f64,
    /// The upper end of its interval, in hashes per second.
    pub high: f64,
    /// The confidence that the interval holds the median: 0.95, less only with fewer than six samples.
    pub confidence: f64,
    /// All hashes over all measured time, in hashes per second: stalls can't hide in it.
    pub mean: f64,
}

impl Rate {
    /// Returns the median with its interval.
    #[must_use]
    pub fn interval(&self) -> Interval {
        Interval { value: self.median, low: self.low, high: self.high }
    }
}

/// What a device's own clock says of the timed work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRate {
    /// All hashes over the time that the device was busy, in hashes per second.
    pub rate_hps: f64,
    /// The part of all measured time that the device was busy, from 0 to 1; of all cards together up to their number.
    pub busy_fraction: f64,
}

/// How many hits the filter of the timed work gave: a sum over all of it, that tells whether hashes were left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitCheck {
    /// Leading bits that were zero in a hit.
    pub zero_bits: u32,
    /// Hashes that were computed, those around planted solutions left out.
    pub hashes: u64,
    /// Hits among them that were reported.
    pub hits: u64,
    /// Hits that there should be, on average.
    pub expected: f64,
    /// By how many standard deviations the hits are more than expected; fewer, if negative. Beyond 4, and still beyond
    /// after as many hashes more, the run ends with a wrong result.
    pub z_score: f64,
    /// Planted solutions, blocks of the chain at random places of the timed work, that were found. None was missed.
    pub planted: u64,
}

/// Joules per hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// All of the device's energy while it hashed, in joules per hash.
    pub gross: Option<Interval>,
    /// Without what the device draws when idle, in joules per hash: gross less idle power times time.
    pub net: Option<Interval>,
    /// Why there is no net figure, where there is none.
    #[serde(default)]
    pub net_reason: Option<String>,
    /// What the processors took, per hash, while a graphics adapter hashed: gross, and part of no other figure. Absent
    /// for engines on processors, and where no meter reads them.
    #[serde(default)]
    pub host: Option<Interval>,
    /// Where the joules come from.
    pub provenance: Provenance,
    /// The meters that were added up.
    pub meters: Vec<String>,
    /// What their joules include and leave out.
    pub coverage: String,
    /// Why there is no figure, where there is none.
    pub reason: Option<String>,
}

/// Something that a reader of the figures should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Stable, for scripts.
    pub code: String,
    /// What happened, or what is so.
    pub text: String,
    /// What to do about it; empty where nothing can be done.
    pub hint: String,
}

impl Warning {
    /// Makes a warning.
    #[must_use]
    pub fn new(code: &str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into(), hint: hint.into() }
    }

    /// Returns what happened, and what to do about it where anything can be done.
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.hint.is_empty() { self.text.clone() } else { format!("{}; {}", self.text, self.hint) }
    }
}
