//! One engine on one adapter: a ring of submissions that keeps it busy, and what becomes of a device that fails.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use crate::engine::{
    Engine, EngineError, EngineId, Hit, HitFilter, SetupPart, Sink, Span, SpanReport, VERSIONS_PER_SPAN, Work,
};
use crate::gpu::{GpuDevice, GpuError, KernelDescription, Ring, SharedDevice};
use crate::sha256d::midstate::Midstate;
use crate::sha256d::wgsl::{Form, Kernel};
use crate::sha256d::{BlockHeader, job_fault};
use crate::unavailable::Unavailable;

/// As in the shaders.
const HITS_MAX: usize = 4095;
/// Submissions in flight: one that runs, one that waits, one whose result is read.
const RING_DEPTH: usize = 3;

/// Scans with one kernel on one device.
pub(super) struct GpuEngine {
    id: EngineId,
    shared: Arc<SharedDevice>,
    gpu: Arc<GpuDevice>,
    kernel: Kernel,
    /// Taken out for a run; gone after an error, because what it holds is then in doubt.
    ring: Option<Ring>,
    setup: SetupPart,
    settings: BTreeMap<String, String>,
    batch: Batch,
    /// What the device did, if it failed once and was opened anew.
    mishap: Option<String>,
}

/// What ends a run early.
enum Fault {
    Gpu(GpuError),
    Engine(EngineError),
}

impl From<GpuError> for Fault {
    fn from(error: GpuError) -> Self {
        Self::Gpu(error)
    }
}

impl Fault {
    fn of(self, id: &EngineId) -> EngineError {
        match self {
            Self::Gpu(error) => fault(id, error),
            Self::Engine(error) => error,
        }
    }
}

/// Says which engine an error of a device belongs to.
pub(super) fn fault(id: &EngineId, error: GpuError) -> EngineError {
    match error {
        GpuError::NoDevice(reason) => {
            let hint = "another program may hold the adapter, or its driver is broken: vulkaninfo says more".to_owned();
            EngineError::Unavailable { id: id.clone(), unavailable: Unavailable { reason, hint } }
        }
        GpuError::Lost(reason) => EngineError::DeviceLost { id: id.clone(), reason },
        other => EngineError::Failed { id: id.clone(), reason: other.to_string() },
    }
}

/// A span whose pieces are on the device. A span has one piece, unless its hits didn't fit.
struct InFlight {
    span: Span,
    hits: Vec<Hit>,
    device_time: Option<Duration>,
}

impl InFlight {
    fn new(span: Span) -> Self {
        Self { span, hits: Vec::new(), device_time: None }
    }
}

impl GpuEngine {
    /// Compiles a kernel and has it scan a few nonces: many drivers compile only then. `phases` is what the set-up took
    /// before, `settings` what is known of the kernel's choice.
    pub(super) fn new(
        id: EngineId,
        shared: Arc<SharedDevice>,
        kernel: Kernel,
        target: Duration,
        mut phases: Vec<(String, Duration)>,
        mut settings: BTreeMap<String, String>,
    ) -> Result<Self, GpuError> {
        let started = Instant::now();
        let gpu = shared.current();
        let mut ring = Ring::new(Arc::clone(&gpu), &description(&kernel), RING_DEPTH)?;
        let compiled = started.elapsed();
        let job = Arc::new(BlockHeader::BLOCK_125552.job());
        let midstate = Midstate::of(&job);
        let parameters = kernel.parameters((0, 64), u32::MAX, &[midstate.state], midstate.tail);
        ring.submit(bytemuck::cast_slice(&parameters), kernel.workgroups(64, 1))?;
        ring.drain()?;
        phases.push(("shader".to_owned(), compiled));
        phases.push(("first-result".to_owned(), started.elapsed() - compiled));
        let versions = if kernel.form() == Form::Rolled { VERSIONS_PER_SPAN } else { 1 };
        let batch = Batch::new(target, u64::from(kernel.variant().workgroup_size) * versions);
        settings.insert("variant".to_owned(), kernel.variant().to_string());
        settings.insert("batch_ms".to_owned(), format!("{}", batch.target().as_secs_f64() * 1e3));
        let setup = SetupPart { name: id.to_string(), phases };
        Ok(Self { id, shared, gpu, kernel, ring: Some(ring), setup, settings, batch, mishap: None })
    }
}

fn description(kernel: &Kernel) -> KernelDescription<'_> {
    let words_per_hit = match kernel.form() {
        Form::Plain => 1,
        Form::Rolled => 2,
    };
    KernelDescription {
        source: kernel.source(),
        entry_point: "scan",
        parameters_len: 4 * kernel.parameters_words() as u64,
        result_len: (4 * (1 + words_per_hit * HITS_MAX as u64)).next_multiple_of(8),
    }
}

impl Engine for GpuEngine {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        0
    }

    fn setup(&self) -> Vec<SetupPart> {
        vec![self.setup.clone()]
    }

    fn settings(&self) -> BTreeMap<String, String> {
        self.settings.clone()
    }

    fn mishap(&self) -> Option<String> {
        self.mishap.clone()
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        let mut in_flight = VecDeque::with_capacity(RING_DEPTH);
        let first = self.attempt(filter, work, sink, &mut in_flight);
        let error = match first {
            Ok(()) => return Ok(()),
            Err(Fault::Gpu(error)) if error.may_pass() && self.mishap.is_none() => error,
            Err(other) => return Err(other.of(&self.id)),
        };
        let again = self.mend(&error).map_err(Fault::from).and_then(|()| {
            self.catch_up(filter, sink, &mut in_flight)?;
            self.attempt(filter, work, sink, &mut in_flight)
        });
        again.map_err(|second| match second {
            // The first loss is the cause; what came after it is told, too.
            Fault::Gpu(second) => {
                let reason = format!("{error}; and with a new device and batches of a quarter: {second}");
                EngineError::DeviceLost { id: self.id.clone(), reason }
            }
            Fault::Engine(error) => error,
        })
    }
}

impl GpuEngine {
    /// Works through spans until there are no more. What is left of those taken when it fails stays in `in_flight`.
    fn attempt(
        &mut self,
        filter: HitFilter,
        work: &dyn Work,
        sink: &mut dyn Sink,
        in_flight: &mut VecDeque<InFlight>,
    ) -> Result<(), Fault> {
        self.gpu.check()?;
        let gone = || EngineError::Failed { id: self.id.clone(), reason: "it failed before".to_owned() };
        let mut ring = self.ring.take().ok_or_else(|| Fault::Engine(gone()))?;
        let result = self.run_ring(&mut ring, filter, work, sink, in_flight);
        // After a job that was refused the device is as good as before.
        if ring.drain().is_ok() && self.gpu.check().is_ok() {
            self.ring = Some(ring);
        }
        result
    }

    /// Goes on with a new device and smaller batches, once.
    fn mend(&mut self, error: &GpuError) -> Result<(), GpuError> {
        self.batch.shrink();
        let hashes = self.batch.hashes();
        self.mishap = Some(format!("{error}; it went on with a new device and at most {hashes} hashes at a time"));
        self.gpu = self.shared.after(&self.gpu)?;
        self.ring = Some(Ring::new(Arc::clone(&self.gpu), &description(&self.kernel), RING_DEPTH)?);
        Ok(())
    }

    /// Does the spans again that were in flight when the device failed, in pieces of a batch.
    fn catch_up(
        &mut self,
        filter: HitFilter,
        sink: &mut dyn Sink,
        in_flight: &mut VecDeque<InFlight>,
    ) -> Result<(), Fault> {
        let Some(mut ring) = self.ring.take() else { return Ok(()) };
        while let Some(InFlight { span, .. }) = in_flight.front() {
            let mut again = InFlight::new(span.clone());
            let versions = span.versions.end - span.versions.start;
            let nonces_of_a_piece = (self.batch.hashes() / versions).max(1);
            let mut start = span.nonces.start;
            while start < again.span.nonces.end {
                let piece = start..again.span.nonces.end.min(start + nonces_of_a_piece);
                start = piece.end;
                self.piece(&mut ring, &mut again, piece, filter)?;
            }
            sink.report(report(again));
            in_flight.pop_front();
        }
        self.ring = Some(ring);
        Ok(())
    }

    fn run_ring(
        &mut self,
        ring: &mut Ring,
        filter: HitFilter,
        work: &dyn Work,
        sink: &mut dyn Sink,
        in_flight: &mut VecDeque<InFlight>,
    ) -> Result<(), Fault> {
        let mut last_completion = Instant::now();
        // So that hits fit: half of what the shader keeps, on average.
        let batch_max = (HITS_MAX as u64 / 2) << filter.zero_bits();
        loop {
            while !ring.is_full() {
                let Some(span) = work.next(self.batch.hashes().min(batch_max)) else { break };
                self.check_job(&span).map_err(Fault::Engine)?;
                in_flight.push_back(InFlight::new(span.clone()));
                self.submit(ring, &span, &span.nonces, filter)?;
            }
            let Some(oldest) = in_flight.front_mut() else { return Ok(()) };
            let fits = self.kernel_results(ring, oldest)?;
            let now = Instant::now();
            self.batch.adapt(oldest.span.hashes(), oldest.device_time.unwrap_or(now - last_completion));
            last_completion = now;
            if fits {
                if let Some(oldest) = in_flight.pop_front() {
                    sink.report(report(oldest));
                }
                continue;
            }
            // Rare: more hits than a filter this loose should give. The ring is drained first.
            let mut overflowed = vec![true];
            for other in in_flight.iter_mut().skip(1) {
                overflowed.push(!self.kernel_results(ring, other)?);
            }
            for overflowed in overflowed {
                if overflowed && let Some(span) = in_flight.front().map(|oldest| oldest.span.clone()) {
                    let mut again = InFlight::new(span.clone());
                    for half in halves(&span.nonces) {
                        self.piece(ring, &mut again, half, filter)?;
                    }
                    in_flight[0] = again;
                }
                if let Some(oldest) = in_flight.pop_front() {
                    sink.report(report(oldest));
                }
            }
        }
    }

    fn check_job(&self, span: &Span) -> Result<(), EngineError> {
        let is_plain = self.kernel.form() == Form::Plain;
        let has_versions = || (is_plain && span.job.version_mask != 0).then(|| "it doesn't roll versions".to_owned());
        match job_fault(&span.job).or_else(has_versions) {
            Some(reason) => Err(EngineError::Job { id: self.id.clone(), reason }),
            None => Ok(()),
        }
    }

    fn submit(
        &self,
        ring: &mut Ring,
        span: &Span,
        nonces: &std::ops::Range<u64>,
        filter: HitFilter,
    ) -> Result<(), GpuError> {
        let midstates: Vec<Midstate> = versions(span).map(|version| Midstate::of_version(&span.job, version)).collect();
        let states: Vec<[u32; 8]> = midstates.iter().map(|midstate| midstate.state).collect();
        let count = nonces.end - nonces.start;
        #[expect(clippy::cast_possible_truncation, reason = "nonces and their number are below 2^32 here")]
        let range = (nonces.start as u32, count as u32);
        let parameters = self.kernel.parameters(range, filter.mask().swap_bytes(), &states, midstates[0].tail);
        ring.submit(bytemuck::cast_slice(&parameters), self.kernel.workgroups(count, states.len()))
    }

    /// Takes the result of the ring's oldest submission; false when there were more hits than fit.
    fn kernel_results(&self, ring: &mut Ring, target: &mut InFlight) -> Result<bool, Fault> {
        let Some(completed) = ring.wait()? else {
            let reason = "no submission is in flight".to_owned();
            return Err(Fault::Engine(EngineError::Failed { id: self.id.clone(), reason }));
        };
        target.device_time = match (target.device_time, completed.device_time) {
            (Some(sum), Some(more)) => Some(sum + more),
            (sum, more) => more.or(sum),
        };
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&completed.result);
        let count = words[0] as usize;
        if count > HITS_MAX {
            return Ok(false);
        }
        let nonces = words[1..=count].iter().copied();
        match self.kernel.form() {
            Form::Plain => target.hits.extend(nonces.map(Hit::of_nonce)),
            Form::Rolled => {
                let first = versions(&target.span).start;
                let states = &words[1 + HITS_MAX..][..count];
                target.hits.extend(nonces.zip(states).map(|(nonce, state)| Hit { version: first + state, nonce }));
            }
        }
        Ok(true)
    }

    /// Does a part of a span by itself, and again in halves where its hits don't fit; the ring is empty.
    fn piece(
        &self,
        ring: &mut Ring,
        target: &mut InFlight,
        nonces: std::ops::Range<u64>,
        filter: HitFilter,
    ) -> Result<(), Fault> {
        let mut ranges = vec![nonces];
        while let Some(range) = ranges.pop() {
            self.submit(ring, &target.span, &range, filter)?;
            if !self.kernel_results(ring, target)? {
                // A nonce alone has no more hits than versions, so halves are never empty.
                ranges.extend(halves(&range));
            }
        }
        Ok(())
    }
}

fn halves(nonces: &std::ops::Range<u64>) -> [std::ops::Range<u64>; 2] {
    let middle = nonces.start.midpoint(nonces.end);
    [nonces.start..middle, middle..nonces.end]
}

/// Returns the indices of a span's versions.
#[expect(clippy::cast_possible_truncation, reason = "the mask has 32 bits, and its last index is below 2^32")]
fn versions(span: &Span) -> std::ops::Range<u32> {
    span.versions.start as u32..span.versions.end as u32
}

fn report(done: InFlight) -> SpanReport {
    SpanReport { span: done.span, hits: done.hits, xor_tail: None, device_time: done.device_time, finished: None }
}
