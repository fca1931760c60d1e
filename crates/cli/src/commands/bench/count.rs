//! What a step asks of a GPU: kernel launches from CubeCL, transfers from the records that wgpu writes about its calls.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use bert_device::{DeviceSpec, LaunchCount};
use log::{LevelFilter, Log, Metadata, Record};
use serde::Serialize;
use serde_json::{Map, Value};

/// Means over the counted runs. The transfers are `None` on a device that is not of wgpu.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Counts {
    pub(crate) kernel_launches: f64,
    /// Lists of commands that the device is given at once.
    pub(crate) submissions: Option<f64>,
    /// Writes to buffers of the device: tensors, and the shapes and numbers that kernels are started with.
    pub(crate) writes_to_device: Option<f64>,
    /// Of the tensors among these.
    pub(crate) tensor_bytes_to_device: f64,
    /// Buffers that the host waits for.
    pub(crate) read_backs: Option<f64>,
    /// Of these buffers, which have a few bytes more than the tensors in them.
    pub(crate) bytes_to_host: Option<f64>,
    /// By the kernel's name, the most frequent first.
    pub(crate) launches_by_kernel: Map<String, Value>,
}

/// Counts while it lives.
pub(crate) struct Counter {
    launches: LaunchCount,
    has_transfers: bool,
}

impl Counter {
    /// Begins to count on this device, which has nothing left to do.
    pub(crate) fn start(device: DeviceSpec) -> Result<Self> {
        let launches = LaunchCount::start(device)?;
        // Set once: a later counter of this process finds its own logger there.
        static INSTALLED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        let has_logger = *INSTALLED.get_or_init(|| log::set_logger(&CALLS).is_ok());
        CALLS.reset();
        log::set_max_level(LevelFilter::Trace);
        Ok(Self {
            launches,
            has_transfers: has_logger && device.backend() != bert_device::Backend::Cuda,
        })
    }

    /// The counts so far for each of `runs` runs, which have uploaded tensors of so many bytes each.
    pub(crate) fn finish(self, runs: usize, tensor_bytes: usize) -> Counts {
        log::set_max_level(LevelFilter::Off);
        let of_one = |count: u64| count as f64 / runs as f64;
        let call = |count: &AtomicU64| {
            let count = of_one(count.load(Ordering::SeqCst));
            self.has_transfers.then_some(count)
        };
        let mut by_kernel = self.launches.by_kernel();
        by_kernel.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let launches = by_kernel.iter().map(|(_, count)| count).sum();
        Counts {
            kernel_launches: of_one(launches),
            submissions: call(&CALLS.submissions),
            writes_to_device: call(&CALLS.writes),
            tensor_bytes_to_device: tensor_bytes as f64,
            read_backs: call(&CALLS.reads),
            bytes_to_host: call(&CALLS.bytes_read),
            launches_by_kernel: by_kernel
                .into_iter()
                .map(|(name, count)| (name, of_one(count).into()))
                .collect(),
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        log::set_max_level(LevelFilter::Off);
    }
}

static CALLS: Calls = Calls {
    submissions: AtomicU64::new(0),
    writes: AtomicU64::new(0),
    reads: AtomicU64::new(0),
    bytes_read: AtomicU64::new(0),
};

/// The calls to wgpu, which records each in the log at level `trace`.
struct Calls {
    submissions: AtomicU64,
    writes: AtomicU64,
    reads: AtomicU64,
    bytes_read: AtomicU64,
}

impl Calls {
    fn reset(&self) {
        for count in [
            &self.submissions,
            &self.writes,
            &self.reads,
            &self.bytes_read,
        ] {
            count.store(0, Ordering::SeqCst);
        }
    }

    fn record(&self, message: &str) {
        let add = |count: &AtomicU64, number| count.fetch_add(number, Ordering::SeqCst);
        match message.split([' ', '(']).next() {
            Some("Queue::submit") if message == "Queue::submit" => {
                add(&self.submissions, 1);
            }
            Some("Queue::write_buffer" | "Queue::create_staging_buffer") => {
                add(&self.writes, 1);
            }
            Some("Buffer::map_async") => {
                add(&self.reads, 1);
                add(&self.bytes_read, mapped_bytes(message));
            }
            _ => {}
        }
    }
}

impl Log for Calls {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu_core")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.record(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Of `Buffer::map_async Id(0,1) offset 0 size Some(32) op: …`.
fn mapped_bytes(message: &str) -> u64 {
    let (_, after) = message.split_once(" size Some(").unwrap_or_default();
    let digits = after.split(')').next();
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_apart_by_their_records() {
        let calls = Calls {
            submissions: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            bytes_read: AtomicU64::new(0),
        };
        for message in [
            "Queue::submit",
            "Queue::submit returned submit index 5",
            "Queue::write_buffer",
            "Queue::create_staging_buffer",
            "Buffer::map_async Id(0,1) offset 0 size Some(96) op: BufferMapOperation",
            "Buffer::map_async Id(3,1) offset 0 size Some(4) op: BufferMapOperation",
            "Buffer::unmap Id(3,1)",
            "Device::poll Poll",
        ] {
            calls.record(message);
        }
        let counts = [
            &calls.submissions,
            &calls.writes,
            &calls.reads,
            &calls.bytes_read,
        ];
        let counts = counts.map(|count| count.load(Ordering::SeqCst));
        assert_eq!(counts, [1, 2, 2, 100]);
    }
}
