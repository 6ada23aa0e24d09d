//! Everything that knows wgpu: adapters, the device, and the ring of submissions that keeps it busy.

mod adapter;
mod ring;
mod shared;

pub(crate) use self::adapter::keep_drivers_off_the_desktop;
pub use self::adapter::{Adapter, Adapters, GpuDevice, GpuError};
pub use self::ring::{Completed, KernelDescription, Ring};
pub use self::shared::SharedDevice;
/// Reads shaders and tells whether they are valid, for those who write them.
pub(crate) use wgpu::naga;
