//! The words of `--device` and the Burn devices they name.
//!
//! [`DeviceSpec`] is a parsed word (`flex`, `cuda:1`); [`DeviceSpec::open`] turns it into a [`burn::tensor::Device`]
//! and [`DeviceSpec::open_described`] says, too, what it runs on. Each word needs the Cargo feature of its name.
//!
//! This crate does *not* choose a device by itself, does not fall back from one to another, and prints nothing. The
//! library crates do not depend on it: they take a `&Device`, and binaries decide which.

mod allocator;
mod backend;
#[cfg(feature = "cuda")]
mod cuda;
mod details;
mod error;
mod launches;
mod spec;
#[cfg(feature = "wgpu")]
mod wgpu;

pub use allocator::keep_allocator_memory;
pub use backend::{AvailableBackend, Backend, available};
pub use details::Details;
pub use error::DeviceError;
pub use launches::LaunchCount;
pub use spec::DeviceSpec;

/// An open device and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedDevice {
    /// The device, without autodiff.
    pub device: burn::tensor::Device,
    /// The name of the hardware and of the interface to it.
    pub description: String,
    /// What its driver tells of it.
    pub details: Details,
}
