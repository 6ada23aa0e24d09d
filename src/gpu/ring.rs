//! A ring of submissions of one compute kernel: while the host reads the oldest, the device works on the next.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use super::adapter::{GpuDevice, GpuError};

/// How long a submission may take before the device counts as hung. Batches take about 30 ms; a first one that includes
/// a driver's late compilation has taken seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The two timestamps of a pass, 8 bytes each.
const TIMESTAMPS_LEN: u64 = 16;

/// A kernel with two bindings in group 0: parameters (uniform) and result (storage).
#[derive(Debug)]
pub struct KernelDescription<'a> {
    /// The WGSL source.
    pub source: &'a str,
    /// The entry point.
    pub entry_point: &'a str,
    /// The length of the parameters in bytes, a multiple of 16. They are written for each submission.
    pub parameters_len: u64,
    /// The length of the result in bytes, a multiple of 8. Its first word is set to zero before each submission.
    pub result_len: u64,
}

/// Submissions of one kernel, oldest first.
#[derive(Debug)]
pub struct Ring {
    gpu: Arc<GpuDevice>,
    pipeline: wgpu::ComputePipeline,
    slots: Vec<Slot>,
    oldest: usize,
    in_flight: usize,
    result_len: u64,
}

#[derive(Debug)]
struct Slot {
    parameters: wgpu::Buffer,
    result: wgpu::Buffer,
    staging: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    timestamps: Option<Timestamps>,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Timestamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

#[derive(Debug)]
struct Pending {
    submission: wgpu::SubmissionIndex,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

/// What a submission left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The bytes of the result buffer.
    pub result: Vec<u8>,
    /// How long the pass took by the device's own clock, where it has one.
    pub device_time: Option<Duration>,
}

impl Ring {
    /// Compiles the kernel and makes `depth` slots.
    ///
    /// # Errors
    ///
    /// What the compiler or the device refused.
    pub fn new(gpu: Arc<GpuDevice>, kernel: &KernelDescription<'_>, depth: usize) -> Result<Self, GpuError> {
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = compile(&gpu.device, kernel);
        let slots = (0..depth).map(|_| Slot::new(&gpu, &pipeline, kernel)).collect();
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(error.into());
        }
        gpu.check()?;
        Ok(Self { gpu, pipeline, slots, oldest: 0, in_flight: 0, result_len: kernel.result_len })
    }

    /// Tells whether every slot is in use.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.in_flight == self.slots.len()
    }

    /// Tells whether no slot is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_flight == 0
    }

    /// Submits the kernel over `workgroups` (x, y, z).
    ///
    /// # Errors
    ///
    /// The device is lost or refused the work.
    ///
    /// # Panics
    ///
    /// The ring is full, or the parameters have another length than described: faults of the caller.
    pub fn submit(&mut self, parameters: &[u8], workgroups: [u32; 3]) -> Result<(), GpuError> {
        assert!(!self.is_full(), "a full ring takes no submission");
        let index = (self.oldest + self.in_flight) % self.slots.len();
        let slot = &mut self.slots[index];
        assert_eq!(parameters.len() as u64, slot.parameters.size(), "the kernel's parameters have one length");
        self.gpu.queue.write_buffer(&slot.parameters, 0, parameters);
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.clear_buffer(&slot.result, 0, Some(4));
        let timestamp_writes = slot.timestamps.as_ref().map(|timestamps| wgpu::ComputePassTimestampWrites {
            query_set: &timestamps.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &slot.bind_group, &[]);
            let [x, y, z] = workgroups;
            pass.dispatch_workgroups(x, y, z);
        }
        encoder.copy_buffer_to_buffer(&slot.result, 0, &slot.staging, 0, self.result_len);
        if let Some(timestamps) = &slot.timestamps {
            encoder.resolve_query_set(&timestamps.queries, 0..2, &timestamps.resolved, 0);
            encoder.copy_buffer_to_buffer(&timestamps.resolved, 0, &slot.staging, self.result_len, TIMESTAMPS_LEN);
        }
        let submission = self.gpu.queue.submit([encoder.finish()]);
        let (sender, mapped) = mpsc::channel();
        slot.staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only when nobody wants the answer any more.
            let _ = sender.send(result);
        });
        slot.pending = Some(Pending { submission, mapped });
        self.in_flight += 1;
        self.gpu.check()
    }

    /// Waits for the oldest submission and returns what it left; nothing when none is in flight.
    ///
    /// # Errors
    ///
    /// The device is lost, or didn't finish in a minute.
    pub fn wait(&mut self) -> Result<Option<Completed>, GpuError> {
        let slot = &mut self.slots[self.oldest];
        let Some(pending) = slot.pending.take() else { return Ok(None) };
        self.oldest = (self.oldest + 1) % self.slots.len();
        self.in_flight -= 1;
        let slot = &self.slots[(self.oldest + self.slots.len() - 1) % self.slots.len()];
        let wait = wgpu::PollType::Wait { submission_index: Some(pending.submission), timeout: Some(TIMEOUT) };
        let polled = self.gpu.device.poll(wait);
        self.gpu.check()?;
        polled.map_err(|error| GpuError::Lost(format!("no answer in {} s: {error}", TIMEOUT.as_secs())))?;
        match pending.mapped.try_recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(GpuError::Lost(error.to_string())),
            Err(_) => return Err(GpuError::Lost("the result was never handed over".to_owned())),
        }
        let completed = slot.read(self.result_len, self.gpu.queue.get_timestamp_period())?;
        slot.staging.unmap();
        Ok(Some(completed))
    }
}

impl Ring {
    /// Waits for everything that is in flight, and throws the results away.
    ///
    /// # Errors
    ///
    /// As [`Ring::wait`].
    pub fn drain(&mut self) -> Result<(), GpuError> {
        while self.wait()?.is_some() {}
        Ok(())
    }
}

impl Drop for Ring {
    /// Leaves no submission behind, so that what is timed next has the device for itself.
    fn drop(&mut self) {
        // A device that fails now was reported before, or nobody waits for its answer.
        let _ = self.drain();
    }
}

impl Slot {
    fn new(gpu: &GpuDevice, pipeline: &wgpu::ComputePipeline, kernel: &KernelDescription<'_>) -> Self {
        use wgpu::BufferUsages as Usage;
        let device = &gpu.device;
        let parameters = buffer(device, kernel.parameters_len, Usage::UNIFORM | Usage::COPY_DST);
        let result = buffer(device, kernel.result_len, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
        let staging = buffer(device, kernel.result_len + TIMESTAMPS_LEN, Usage::MAP_READ | Usage::COPY_DST);
        let entries = [&parameters, &result]
            .into_iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect::<Vec<_>>();
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let timestamps = gpu.has_timestamps.then(|| Timestamps {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(device, TIMESTAMPS_LEN, Usage::QUERY_RESOLVE | Usage::COPY_SRC),
        });
        Self { parameters, result, staging, bind_group, timestamps, pending: None }
    }

    fn read(&self, result_len: u64, timestamp_period_ns: f32) -> Result<Completed, GpuError> {
        let bytes = |range: std::ops::Range<u64>| {
            let view = self.staging.get_mapped_range(range).map_err(|error| GpuError::Lost(error.to_string()))?;
            Ok::<_, GpuError>(view.to_vec())
        };
        let result = bytes(0..result_len)?;
        let device_time = match self.timestamps {
            None => None,
            Some(_) => {
                let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes(result_len..result_len + TIMESTAMPS_LEN)?);
                #[expect(clippy::cast_precision_loss, reason = "a pass takes far fewer than 2^53 ticks")]
                let nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64 * f64::from(timestamp_period_ns);
                Some(Duration::from_secs_f64(nanoseconds / 1e9)).filter(|time| !time.is_zero())
            }
        };
        Ok(Completed { result, device_time })
    }
}

fn buffer(device: &wgpu::Device, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Compiles without the bounds checks and loop counters that wgpu injects by default: they cost time in every round.
#[expect(unsafe_code, reason = "kernels are our own files, not input")]
fn compile(device: &wgpu::Device, kernel: &KernelDescription<'_>) -> wgpu::ComputePipeline {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(kernel.source.into()) };
    // SAFETY: the kernels in shaders/ index arrays by constants, and the midstates by a loop counter below their
    // number, which the host holds within the array's length. They guard the index into the result by its length, and
    // every loop ends.
    let module = unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some(kernel.entry_point),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..wgpu::PipelineCompilationOptions::default()
        },
        cache: None,
    })
}
