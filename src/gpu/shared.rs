//! The device of an adapter that several engines share, and that can be opened anew after it was lost.

use std::sync::{Arc, Mutex, PoisonError};

use super::adapter::{Adapter, GpuDevice, GpuError};

/// One open device of an adapter.
#[derive(Debug)]
pub struct SharedDevice {
    adapter: Adapter,
    current: Mutex<Arc<GpuDevice>>,
}

impl SharedDevice {
    /// Opens a device.
    ///
    /// # Errors
    ///
    /// As [`Adapter::open`].
    pub fn open(adapter: &Adapter) -> Result<Self, GpuError> {
        Ok(Self { adapter: adapter.clone(), current: Mutex::new(Arc::new(adapter.open()?)) })
    }

    /// Returns the device that is open.
    #[must_use]
    pub fn current(&self) -> Arc<GpuDevice> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns a device in the place of one that failed: a new one, unless another engine has opened it already.
    ///
    /// # Errors
    ///
    /// As [`Adapter::open`].
    pub fn after(&self, failed: &Arc<GpuDevice>) -> Result<Arc<GpuDevice>, GpuError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, failed) {
            *current = Arc::new(self.adapter.open()?);
        }
        Ok(Arc::clone(&current))
    }
}
