//! The graphics adapters of this machine, and the device that is opened on one.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use crate::machine::GpuLimits;
use crate::unavailable::Unavailable;

/// What wgpu and the driver call an error, in one type that the rest of the program can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// The adapter gave no device.
    #[error("the adapter gave no device: {0}")]
    NoDevice(String),
    /// The device is gone: unplugged, reset by the driver, or out of time.
    #[error("the device was lost: {0}")]
    Lost(String),
    /// The device has no memory left.
    #[error("the device is out of memory: {0}")]
    OutOfMemory(String),
    /// A shader or a call that the device refused.
    #[error("the device refused the work: {0}")]
    Refused(String),
}

impl GpuError {
    /// Tells whether a new device and less work at a time may help: where the driver took the device away, as it does
    /// when a submission takes too long for it, and where memory ran out.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::OutOfMemory(_))
    }
}

/// The adapters found, or why there is none.
#[derive(Debug)]
pub struct Adapters {
    /// The adapters, in the order that gives them their names, `gpu0` first.
    pub adapters: Vec<Adapter>,
    /// Why there is none, if there is none.
    pub missing: Option<Unavailable>,
}

/// One graphics adapter.
#[derive(Debug, Clone)]
pub struct Adapter {
    adapter: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

/// The library through which Vulkan's drivers are reached on Linux.
const LOADER: &[u8] = b"libvulkan.so.1";

/// Keeps Mesa's device selection out of this process. That layer of the Vulkan loader connects to the desktop to learn
/// which card draws it, which is of no use here, and where there is no desktop it complains on standard error.
///
/// Has to be called at the beginning of the program, before there is another thread.
#[expect(unsafe_code, reason = "the layer is switched off by an environment variable only")]
pub(crate) fn keep_drivers_off_the_desktop() {
    // SAFETY: called before any other thread exists, so none can read the environment meanwhile.
    unsafe {
        std::env::set_var("NODEVICE_SELECT", "1");
    }
}

impl Adapters {
    /// Finds the adapters of this machine: real ones first, then software ones.
    #[must_use]
    pub fn find() -> Self {
        let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backends;
        // Debug builds would switch on the validation layers, and what is timed must not depend on them.
        descriptor.flags = wgpu::InstanceFlags::empty();
        let instance = wgpu::Instance::new(descriptor);
        let mut adapters: Vec<Adapter> = Vec::new();
        for adapter in pollster::block_on(instance.enumerate_adapters(backends)) {
            let adapter = Adapter { info: adapter.get_info(), adapter };
            // The same card through a second back end counts once.
            let seen = |other: &Adapter| adapter.pci_bus_id().is_some() && other.pci_bus_id() == adapter.pci_bus_id();
            if !adapters.iter().any(seen) {
                adapters.push(adapter);
            }
        }
        adapters.sort_by_key(Adapter::is_software);
        let missing = adapters.is_empty().then(why_none);
        Self { adapters, missing }
    }
}

/// Tells a machine without a Vulkan loader from one without a driver, by the list of libraries that the system keeps.
fn why_none() -> Unavailable {
    let has_loader = |libraries: Vec<u8>| libraries.windows(LOADER.len()).any(|name| name == LOADER);
    let loader = fs::read("/etc/ld.so.cache").map(has_loader);
    let (reason, hint) = match loader {
        Ok(false) => (
            "no graphics adapter: this machine has no Vulkan loader (libvulkan.so.1)",
            "apt-get install libvulkan1, and the driver of the card; or mesa-vulkan-drivers, which holds drivers of \
             several makers and one in software",
        ),
        Ok(true) => (
            "no graphics adapter: the Vulkan loader found no driver",
            "install the driver of the card; or mesa-vulkan-drivers, which holds drivers of several makers and one in \
             software",
        ),
        Err(_) => ("no graphics adapter that Vulkan, Metal or Direct3D 12 can reach", "install the driver of the card"),
    };
    Unavailable { reason: reason.to_owned(), hint: hint.to_owned() }
}

impl Adapter {
    /// Returns the adapter's name; a software adapter is labelled as one.
    #[must_use]
    pub fn name(&self) -> String {
        if self.is_software() { format!("{} [software]", self.info.name) } else { self.info.name.clone() }
    }

    /// Tells whether the adapter is a driver that runs on the processors.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Returns the PCI address, such as `0000:01:00.0`, where the driver tells it.
    #[must_use]
    pub fn pci_bus_id(&self) -> Option<&str> {
        Some(self.info.device_pci_bus_id.as_str()).filter(|id| !id.is_empty())
    }

    /// Returns vendor and device numbers.
    #[must_use]
    pub fn vendor_and_device(&self) -> (u32, u32) {
        (self.info.vendor, self.info.device)
    }

    /// Returns the interface through which the adapter is reached, such as `vulkan`.
    #[must_use]
    pub fn backend(&self) -> String {
        self.info.backend.to_string()
    }

    /// Returns the name of the driver and what it says about its version.
    #[must_use]
    pub fn driver(&self) -> (&str, &str) {
        (&self.info.driver, &self.info.driver_info)
    }

    /// Returns what the adapter can do at most.
    #[must_use]
    pub fn limits(&self) -> GpuLimits {
        let limits = self.adapter.limits();
        let features = self.adapter.features();
        // Without the feature the sizes are the bounds of what any adapter may have.
        let subgroup_size = |size: u32| features.contains(wgpu::Features::SUBGROUP).then_some(size);
        GpuLimits {
            workgroup_size: [
                limits.max_compute_workgroup_size_x,
                limits.max_compute_workgroup_size_y,
                limits.max_compute_workgroup_size_z,
            ],
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
            workgroup_storage_bytes: limits.max_compute_workgroup_storage_size,
            buffer_bytes: limits.max_buffer_size,
            storage_binding_bytes: limits.max_storage_buffer_binding_size,
            subgroup_size_min: subgroup_size(self.info.subgroup_min_size),
            subgroup_size_max: subgroup_size(self.info.subgroup_max_size),
            has_timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
        }
    }

    /// Opens a device on this adapter.
    ///
    /// # Errors
    ///
    /// [`GpuError::NoDevice`], with what the driver said.
    pub fn open(&self) -> Result<GpuDevice, GpuError> {
        let features = self.adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let descriptor = wgpu::DeviceDescriptor {
            label: None,
            required_features: features,
            required_limits: self.adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = pollster::block_on(self.adapter.request_device(&descriptor))
            .map_err(|error| GpuError::NoDevice(error.to_string()))?;
        let fault = Fault::default();
        let lost = fault.clone();
        device.set_device_lost_callback(move |_, message| lost.set(GpuError::Lost(message)));
        let uncaptured = fault.clone();
        // Without this an error that no scope catches is a panic.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured.set(error.into())));
        Ok(GpuDevice { device, queue, fault, has_timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY) })
    }
}

/// The first error of a device, which later ones follow from.
#[derive(Debug, Clone, Default)]
struct Fault(Arc<Mutex<Option<GpuError>>>);

impl Fault {
    fn set(&self, error: GpuError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn get(&self) -> Option<GpuError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// An open device with its queue.
#[derive(Debug)]
pub struct GpuDevice {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    fault: Fault,
    pub(super) has_timestamps: bool,
}

impl GpuDevice {
    /// Passes on the first thing that went wrong on this device, if anything did.
    ///
    /// # Errors
    ///
    /// That thing.
    pub fn check(&self) -> Result<(), GpuError> {
        self.fault.get().map_or(Ok(()), Err)
    }

    /// Gives the device up. Whatever is in flight on it, and whatever comes after, fails as on a device that was lost.
    pub fn destroy(&self) {
        self.device.destroy();
    }
}
