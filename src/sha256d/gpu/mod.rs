//! SHA-256d on graphics adapters, in WGSL: one nonce per invocation, with one midstate or with several that differ in
//! the version; hits appended through an atomic.

mod batch;
mod choices;
mod engine;
mod tune;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::choices::Choices;
use self::engine::{GpuEngine, fault};
pub use self::tune::{Trial, Tuned};
use super::ALGORITHM;
use super::wgsl::{Form, Kernel, Variant};
use crate::engine::{Available, Engine, EngineError, EngineId, MakeEngine, Preparation, Resource, Together};
use crate::gpu::{Adapter, SharedDevice};

/// How long the choice of a variant may take where nobody waits for it on purpose.
const TUNING_BUDGET: Duration = Duration::from_secs(2);

/// Which spelling of the kernels runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// The usual one.
    #[default]
    Usual,
    /// This one.
    Given(Variant),
    /// The one that was found to be the fastest here before; else the usual one.
    Kept,
    /// The same; where none was found before, some are tried now.
    Tuned,
}

/// What the user decides about engines on graphics adapters.
#[derive(Debug, Clone, Default)]
pub struct GpuSettings {
    /// Which spelling of the kernels runs.
    pub choice: Choice,
    /// How long a submission shall take; else what suits the adapter.
    pub batch: Option<Duration>,
    /// What was found before.
    pub choices: Arc<Choices>,
}

/// An adapter, and what matters of where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its index, which names it.
    pub index: u32,
    /// The adapter.
    pub adapter: &'a Adapter,
    /// Whether it draws a desktop.
    pub has_display: bool,
}

/// Returns the engines of this module on an adapter, with what it takes to make each.
#[must_use]
pub fn engines(place: &Place<'_>, settings: &GpuSettings) -> Vec<(EngineId, Available)> {
    [Form::Plain, Form::Rolled]
        .map(|form| {
            let plan = Plan::new(place, form, settings);
            (plan.id.clone(), plan.available())
        })
        .into()
}

/// Returns the engines that run on all of these adapters at once, with what it takes to make each.
#[must_use]
pub fn together(places: &[Place<'_>], settings: &GpuSettings) -> Vec<(EngineId, Available)> {
    [Form::Plain, Form::Rolled]
        .map(|form| {
            let id = EngineId::new(ALGORITHM, "gpus", name(form));
            let plans: Vec<Plan> = places.iter().map(|place| Plan::new(place, form, settings)).collect();
            let resources = plans.iter().map(Plan::resource).collect();
            let engine_id = id.clone();
            let make: Box<MakeEngine> = Box::new(move |preparation| {
                let engines: Result<_, EngineError> = plans.iter().map(|plan| plan.make(preparation)).collect();
                Ok(Box::new(Together::new(engine_id.clone(), engines?)))
            });
            (id, Available { resources, make })
        })
        .into()
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Plain => "wgsl",
        Form::Rolled => "wgsl+rolled",
    }
}

fn device_key(index: u32) -> String {
    format!("gpu{index} device")
}

fn batch_target(has_display: bool) -> Duration {
    if has_display { batch::TARGET_WITH_DISPLAY } else { batch::TARGET }
}

/// What it takes to make one engine.
struct Plan {
    id: EngineId,
    device_key: String,
    adapter: Adapter,
    form: Form,
    target: Duration,
    settings: GpuSettings,
}

impl Plan {
    fn new(place: &Place<'_>, form: Form, settings: &GpuSettings) -> Self {
        Self {
            id: EngineId::new(ALGORITHM, &format!("gpu{}", place.index), name(form)),
            device_key: device_key(place.index),
            adapter: place.adapter.clone(),
            form,
            target: settings.batch.unwrap_or(batch_target(place.has_display)),
            settings: settings.clone(),
        }
    }

    fn resource(&self) -> Resource {
        // A few kilobytes of buffers: the device itself is what is shared.
        Resource { key: self.device_key.clone(), bytes: 0, build: Duration::from_secs(1) }
    }

    fn available(self) -> Available {
        let resources = vec![self.resource()];
        let make: Box<MakeEngine> = Box::new(move |preparation| self.make(preparation));
        Available { resources, make }
    }

    fn make(&self, preparation: &Preparation<'_>) -> Result<Box<dyn Engine>, EngineError> {
        let started = Instant::now();
        let open = || SharedDevice::open(&self.adapter);
        let shared = preparation.pool.get_or_build(&self.device_key, open).map_err(|error| fault(&self.id, error))?;
        let mut phases = vec![("device".to_owned(), started.elapsed())];
        let (variant, origin) = self.choose(&shared, preparation)?;
        if origin == "tuned" {
            phases.push(("tuning".to_owned(), started.elapsed() - phases[0].1));
        }
        let settings = BTreeMap::from([("variant_from".to_owned(), origin.to_owned())]);
        let kernel = Kernel::new(self.form, variant);
        match GpuEngine::new(self.id.clone(), shared, kernel, self.target, phases, settings) {
            Ok(engine) => Ok(Box::new(engine)),
            Err(error) => Err(fault(&self.id, error)),
        }
    }

    /// Returns the variant to run, and where it comes from.
    fn choose(
        &self,
        shared: &Arc<SharedDevice>,
        preparation: &Preparation<'_>,
    ) -> Result<(Variant, &'static str), EngineError> {
        match self.settings.choice {
            Choice::Usual => return Ok((Variant::default(), "default")),
            Choice::Given(variant) => return Ok((variant, "given")),
            Choice::Kept | Choice::Tuned => {}
        }
        if let Some(variant) = self.settings.choices.find(&self.adapter, self.form) {
            return Ok((variant, "kept"));
        }
        if self.settings.choice == Choice::Kept {
            return Ok((Variant::default(), "default"));
        }
        let tuned = tune::tune(&self.id, shared, self.form, Some(TUNING_BUDGET), preparation)?;
        if let Err(error) = self.settings.choices.keep(&self.adapter, self.form, &tuned) {
            log::warn!("the fastest variant of {} is not kept: {error}", self.id);
        }
        Ok((tuned.best.variant, "tuned"))
    }
}

/// Tries the variants of one engine at leisure and keeps the fastest. Returns why that can't be kept, too, if so.
///
/// # Errors
///
/// The adapter gave no device, or lost it; [`EngineError::Cancelled`].
pub fn tune(
    place: &Place<'_>,
    id: &EngineId,
    choices: &Choices,
    preparation: &Preparation<'_>,
) -> Result<(Tuned, Option<io::Error>), EngineError> {
    let form = if id.is_rolled() { Form::Rolled } else { Form::Plain };
    let open = || SharedDevice::open(place.adapter);
    let shared = preparation.pool.get_or_build(&device_key(place.index), open).map_err(|error| fault(id, error))?;
    let tuned = tune::tune(id, &shared, form, None, preparation)?;
    let error = choices.keep(place.adapter, form, &tuned).err();
    Ok((tuned, error))
}

/// Makes an engine of a variant on an open device.
///
/// # Errors
///
/// What the driver refused.
pub fn engine(
    id: EngineId,
    shared: Arc<SharedDevice>,
    form: Form,
    variant: Variant,
) -> Result<Box<dyn Engine>, EngineError> {
    let settings = BTreeMap::from([("variant_from".to_owned(), "given".to_owned())]);
    match GpuEngine::new(id.clone(), shared, Kernel::new(form, variant), batch::TARGET, Vec::new(), settings) {
        Ok(engine) => Ok(Box::new(engine)),
        Err(error) => Err(fault(&id, error)),
    }
}
