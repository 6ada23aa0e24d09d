//! Everything that knows wgpu: adapters, the device, and the ring of submissions that keeps it busy.

mod adapter;
mod ring;

pub use self::adapter::{Adapter, Adapters, GpuDevice, GpuError, keep_drivers_off_the_desktop};
pub use self::ring::{Completed, KernelDescription, Ring};
