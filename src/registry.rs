//! Every engine that could exist here: the one place that knows all algorithms.

use std::sync::Arc;

use sha2::Digest;

use crate::bench::Supplier;
use crate::cpu::topology::Limit;
use crate::device::Device;
use crate::energy::{self, CardSettings, GpuAddress};
use crate::engine::{
    Available, Candidate, Engine, EngineError, EngineId, Hit, Job, Planted, Preparation, Resource, Workload,
};
use crate::gpu::{Adapter, Adapters};
use crate::machine::{self, Machine};
use crate::record::ThreadsBy;
use crate::sha256d::gpu::{Choices, GpuSettings, Place, Tuned};
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;
use crate::verify::{self, Oracle};
use crate::{randomx, sha256d};

/// How many hashes of timed SHA-256d the oracle computes again after a turn: about a tenth of a second.
const SHA256D_BUDGET: u64 = 1 << 17;
/// How many RandomX hashes are computed again after a turn: in light mode each takes tens of milliseconds.
const RANDOMX_BUDGET: u64 = 12;
/// The same where they are interpreted, which takes a third of a second each.
const INTERPRETER_BUDGET: u64 = 2;
/// The engines that check others of RandomX, in the order in which they are preferred: the reference first, because it
/// was written by somebody else, and none that takes a dataset.
const RANDOMX_ORACLES: [&str; 3] = ["reference+light", "jit+light", "interpreter+light"];

/// The engines that this program knows, whether they run here or not.
#[derive(Debug)]
pub struct Registry {
    candidates: Vec<Candidate>,
    adapters: Adapters,
    sysroot: Sysroot,
    /// Without graphics adapters.
    machine: Machine,
    /// Whether somebody said how many threads there should be.
    is_thread_count_given: bool,
}

impl Registry {
    /// Looks at this machine. `sysroot` is where the processors and the memory are looked up.
    #[must_use]
    pub fn find(sysroot: &Sysroot) -> Self {
        Self::find_with(sysroot, &GpuSettings::default())
    }

    /// As [`Registry::find`], with engines on graphics adapters set as the user wants them.
    #[must_use]
    pub fn find_with(sysroot: &Sysroot, settings: &GpuSettings) -> Self {
        let adapters = Adapters::find();
        let machine = machine::describe(sysroot);
        let cpu_name = machine.cpu.brand.as_deref().unwrap_or("processor of unknown brand");
        let on_cpu = |(id, availability): (EngineId, Result<Available, Unavailable>)| Candidate {
            id,
            device: Device::Cpu,
            device_name: cpu_name.to_owned(),
            can_hash: true,
            availability,
        };
        let mut candidates: Vec<Candidate> = sha256d::cpu::engines().into_iter().map(on_cpu).collect();
        candidates.extend(gpu_candidates(&adapters.adapters, sysroot, settings));
        if let Some(unavailable) = &adapters.missing {
            candidates.extend(["wgsl", "wgsl+rolled"].map(|name| Candidate {
                id: EngineId::new(sha256d::ALGORITHM, "gpu0", name),
                device: Device::Gpu(0),
                device_name: "no graphics adapter".to_owned(),
                can_hash: false,
                availability: Err(unavailable.clone()),
            }));
        }
        candidates.extend(randomx::engines(sysroot).into_iter().map(on_cpu));
        Self { candidates, adapters, sysroot: sysroot.clone(), machine, is_thread_count_given: false }
    }

    /// Leaves the number of threads as it is given, in the place of what suits the caches.
    #[must_use]
    pub fn with_given_threads(self) -> Self {
        Self { is_thread_count_given: true, ..self }
    }

    /// Returns on how many of `threads` an engine runs best, and why.
    fn threads(&self, id: &EngineId, threads: usize) -> (usize, ThreadsBy) {
        let is_randomx = id.algorithm() != sha256d::ALGORITHM && id.device() == "cpu";
        if self.is_thread_count_given || !is_randomx {
            let by = if self.is_thread_count_given { ThreadsBy::Given } else { ThreadsBy::Processors };
            return (threads, by);
        }
        match randomx::suited_threads(&self.sysroot) {
            (suited, Limit::L2) if suited < threads => (suited, ThreadsBy::L2),
            (suited, Limit::L3) if suited < threads => (suited, ThreadsBy::L3),
            _ => (threads, ThreadsBy::Processors),
        }
    }

    /// Returns all candidates, in the order in which they are shown.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Returns the candidate with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.id.as_str() == id)
    }

    /// Returns the id that is spelt most like `id`, if any is near enough to be meant.
    #[must_use]
    pub fn nearest(&self, id: &str) -> Option<&EngineId> {
        let likeness = |candidate: &Candidate| {
            let whole = strsim::jaro_winkler(candidate.id.as_str(), id);
            // Somebody who types only the last part means the engine.
            let last = candidate.id.as_str().rsplit('/').next().unwrap_or_default();
            whole.max(strsim::jaro_winkler(last, id))
        };
        let best = self.candidates.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
        (likeness(best) > 0.75).then_some(&best.id)
    }

    /// Describes this machine, its graphics adapters included. Asks how cards are set, which loads their driver's
    /// library: only what shows or records the machine needs that.
    #[must_use]
    pub fn machine(&self) -> Machine {
        Machine { gpus: describe_gpus(&self.adapters.adapters, &self.sysroot), ..self.machine.clone() }
    }

    /// Tries the variants of an engine on a graphics adapter at leisure, and keeps the fastest.
    ///
    /// Returns what was found, and why it could not be kept, if so.
    ///
    /// # Errors
    ///
    /// The engine is on no graphics adapter; the adapter gave no device, or lost it; [`EngineError::Cancelled`].
    pub fn tune(
        &self,
        id: &EngineId,
        choices: &Choices,
        preparation: &Preparation<'_>,
    ) -> Result<(Tuned, Option<std::io::Error>), EngineError> {
        let place = match id.device().parse() {
            Ok(Device::Gpu(index)) => self.adapters.adapters.get(index as usize).map(|adapter| (index, adapter)),
            _ => None,
        };
        let Some((index, adapter)) = place else {
            let reason = "only engines on a graphics adapter have variants".to_owned();
            return Err(EngineError::Failed { id: id.clone(), reason });
        };
        let place = Place { index, adapter, has_display: false };
        sha256d::gpu::tune(&place, id, choices, preparation)
    }

    /// Returns where the graphics adapters are, for the meters that belong to them.
    #[must_use]
    pub fn gpu_addresses(&self) -> Vec<GpuAddress> {
        gpu_addresses(&self.adapters.adapters)
    }

    /// Makes an oracle of a second engine of the same kind, where no other implementation can be had: it shares every
    /// mistake of the first, but no accident. Known answers have to speak for the rest.
    ///
    /// # Errors
    ///
    /// Those of preparing it.
    fn itself(&self, id: &EngineId, preparation: &Preparation<'_>) -> Result<Oracle, EngineError> {
        let Some(candidate) = self.get(id.as_str()).filter(|candidate| candidate.can_hash) else {
            return Ok(Oracle::known_answers_only());
        };
        let mut engine = candidate.prepare(preparation)?;
        let name = "known answers, and itself again";
        Ok(Oracle::new(name, randomx_budget(id), move |input| engine.hash(input)))
    }

    /// Returns the candidate that checks an engine of RandomX: another implementation, where one can run.
    fn other_implementation(&self, id: &EngineId) -> Option<&Candidate> {
        if id.algorithm() == sha256d::ALGORITHM {
            return None;
        }
        let oracles = RANDOMX_ORACLES.iter().filter_map(|oracle| {
            self.candidates.iter().find(|other| other.id == EngineId::new(id.algorithm(), id.device(), oracle))
        });
        oracles.into_iter().find(|other| other.id.engine() != id.engine() && other.availability.is_ok())
    }

    fn oracle_of_other(&self, id: &EngineId, preparation: &Preparation<'_>) -> Result<Oracle, EngineError> {
        let Some(other) = self.other_implementation(id) else {
            return self.itself(id, preparation);
        };
        let mut engine = match other.prepare(preparation) {
            Ok(engine) => engine,
            // There was memory when the list was made, and there isn't any more.
            Err(EngineError::Unavailable { .. }) => return self.itself(id, preparation),
            Err(error) => return Err(error),
        };
        Ok(Oracle::new(oracle_name(&other.id), randomx_budget(&other.id), move |input| engine.hash(input)))
    }
}

impl Supplier for Registry {
    fn prepare(&self, candidate: &Candidate, preparation: &Preparation<'_>) -> Result<Box<dyn Engine>, EngineError> {
        let (threads, _) = self.threads(&candidate.id, preparation.threads);
        let engine = candidate.prepare(&Preparation { threads, ..*preparation })?;
        #[cfg(feature = "fault-injection")]
        let engine = crate::engine::fault::wrap(engine);
        Ok(engine)
    }

    fn threads_by(&self, id: &EngineId, threads: usize) -> ThreadsBy {
        self.threads(id, threads).1
    }

    fn workload(&self, id: &EngineId) -> Workload {
        let workload = match (id.algorithm(), id.is_rolled()) {
            (sha256d::ALGORITHM, true) => sha256d::rolled_workload(),
            (sha256d::ALGORITHM, _) => sha256d::workload(),
            _ => return randomx::workload(),
        };
        Workload { planted: planted_headers(workload.job.version_mask), ..workload }
    }

    /// For SHA-256d the oracle is the scalar engine, and for that one the `sha2` crate; for RandomX it is another
    /// implementation in light mode, and where none can be had, the same engine again.
    fn oracle(&self, id: &EngineId, preparation: &Preparation<'_>) -> Result<Oracle, EngineError> {
        match (id.algorithm(), id.engine()) {
            (sha256d::ALGORITHM, "scalar") => Ok(Oracle::new("the sha2 crate", SHA256D_BUDGET, |input| {
                Ok(sha2::Sha256::digest(sha2::Sha256::digest(input)).into())
            })),
            (sha256d::ALGORITHM, _) => {
                let name = EngineId::new(sha256d::ALGORITHM, "cpu", "scalar").to_string();
                Ok(Oracle::new(name, SHA256D_BUDGET, |input| Ok(sha256d::scalar::sha256d(input))))
            }
            _ => self.oracle_of_other(id, preparation),
        }
    }

    fn resources(&self, candidate: &Candidate) -> Vec<Resource> {
        let mut resources = candidate.resources().to_vec();
        for other in self.other_implementation(&candidate.id).map_or(&[][..], Candidate::resources) {
            if !resources.contains(other) {
                resources.push(other.clone());
            }
        }
        resources
    }
}

/// Names an oracle of RandomX: of this program's own engines it says that they share code with what they check.
fn oracle_name(id: &EngineId) -> String {
    if id.engine() == "reference" { id.to_string() } else { format!("{id} (same program)") }
}

fn randomx_budget(oracle: &EngineId) -> u64 {
    if oracle.engine() == "interpreter" { INTERPRETER_BUDGET } else { RANDOMX_BUDGET }
}

/// Returns real blocks, whose nonces have to be found wherever their headers turn up.
fn planted_headers(version_mask: u32) -> Vec<Planted> {
    let nonce_of = |header: &[u8]| Some(u32::from_le_bytes(header.get(76..80)?.try_into().ok()?));
    let answers = verify::known_answers(sha256d::ALGORITHM).into_iter();
    answers
        .filter_map(|answer| {
            let nonce = nonce_of(&answer.input)?;
            let job = Job { key: Vec::new(), template: answer.input, nonce_offset: 76, version_mask };
            let version = job.template_version_index();
            Some(Planted { job: Arc::new(job), hit: Hit { version, nonce } })
        })
        .collect()
}

fn gpu_candidates(adapters: &[Adapter], sysroot: &Sysroot, settings: &GpuSettings) -> Vec<Candidate> {
    let places: Vec<Place<'_>> = adapters
        .iter()
        .zip(0..)
        .map(|(adapter, index)| Place { index, adapter, has_display: draws_desktop(adapter, sysroot) })
        .collect();
    let candidate = |device: Device, device_name: String| {
        move |(id, available): (EngineId, Available)| Candidate {
            id,
            device,
            device_name: device_name.clone(),
            can_hash: false,
            availability: Ok(available),
        }
    };
    let each = places.iter().flat_map(|place| {
        let device = if place.adapter.is_software() { Device::Cpu } else { Device::Gpu(place.index) };
        sha256d::gpu::engines(place, settings).into_iter().map(candidate(device, place.adapter.name()))
    });
    let mut candidates: Vec<Candidate> = each.collect();
    let cards: Vec<Place<'_>> = places.into_iter().filter(|place| !place.adapter.is_software()).collect();
    if cards.len() > 1 {
        let names: Vec<String> = cards.iter().map(|place| place.adapter.name()).collect();
        let together = sha256d::gpu::together(&cards, settings);
        candidates.extend(together.into_iter().map(candidate(Device::Gpus, names.join(" + "))));
    }
    candidates
}

/// Tells whether the adapter draws a desktop: outside Linux, where nobody says, it may.
fn draws_desktop(adapter: &Adapter, sysroot: &Sysroot) -> bool {
    !adapter.is_software() && has_display(adapter, sysroot).unwrap_or(!cfg!(target_os = "linux"))
}

fn has_display(adapter: &Adapter, sysroot: &Sysroot) -> Option<bool> {
    machine::has_display(sysroot, adapter.pci_bus_id()?)
}

fn gpu_addresses(adapters: &[Adapter]) -> Vec<GpuAddress> {
    let address = |(adapter, index): (&Adapter, u32)| GpuAddress {
        device: Device::Gpu(index),
        pci_bus_id: adapter.pci_bus_id().map(ToOwned::to_owned),
        is_software: adapter.is_software(),
    };
    adapters.iter().zip(0..).map(address).collect()
}

fn describe_gpus(adapters: &[Adapter], sysroot: &Sysroot) -> Vec<machine::Gpu> {
    let vendors = adapters.iter().map(|adapter| adapter.vendor_and_device().0);
    let cards: Vec<(GpuAddress, u32)> = gpu_addresses(adapters).into_iter().zip(vendors).collect();
    let settings = energy::card_settings(sysroot, &cards);
    let described = adapters.iter().zip(0..).zip(settings);
    described.map(|((adapter, index), settings)| describe_gpu(index, adapter, settings, sysroot)).collect()
}

fn describe_gpu(index: u32, adapter: &Adapter, settings: CardSettings, sysroot: &Sysroot) -> machine::Gpu {
    let (vendor_id, device_id) = adapter.vendor_and_device();
    let (driver, driver_info) = adapter.driver();
    machine::Gpu {
        id: Device::Gpu(index).to_string(),
        name: adapter.name(),
        vendor_id,
        device_id,
        backend: adapter.backend(),
        driver: driver.to_owned(),
        driver_info: driver_info.to_owned(),
        pci_bus_id: adapter.pci_bus_id().map(ToOwned::to_owned),
        software: adapter.is_software(),
        power_limit_w: settings.power_limit_w,
        clock_mhz: settings.clock_mhz,
        memory_clock_mhz: settings.memory_clock_mhz,
        limits: Some(adapter.limits()),
        has_display: has_display(adapter, sysroot),
    }
}
