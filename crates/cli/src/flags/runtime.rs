//! Where a command computes.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use bert_device::{DeviceSpec, OpenedDevice};
use bert_doctor::Setting;
use burn::tensor::Device;
use clap::Args;

use super::at_least_one;
use crate::findings;

/// The heading stands at each flag, so that it does not reach the flags that a command adds behind these.
const HEADING: &str = "Machine";

#[derive(Debug, Clone, Args)]
pub(crate) struct MachineFlags {
    #[arg(long, value_name = "DEVICE", default_value = "flex", help = device_help(), help_heading = HEADING)]
    pub(crate) device: DeviceSpec,
    /// Threads for tokenizing and computing on the CPU; by default, and at most, as many as the machine has, because
    /// more would only wait for each other (ndarray's matrix products also obey MATMUL_NUM_THREADS). Of several processes
    /// that mpirun has started there, each takes its share
    #[arg(long, value_name = "N", value_parser = at_least_one, help_heading = HEADING)]
    threads: Option<NonZeroUsize>,
}

impl MachineFlags {
    /// Sets the number of threads, opens the device and says what it is, whatever `bert doctor` has found there.
    /// Several `processes` on the same processors share them by default.
    pub(crate) fn open(&self, processes: usize) -> Result<OpenedDevice> {
        let there = available_parallelism();
        let share =
            there.as_ref().ok().filter(|_| processes > 1).map(|there| {
                NonZeroUsize::new(there.get() / processes).unwrap_or(NonZeroUsize::MIN)
            });
        if let Some(asked) = self.threads.or(share) {
            let threads = there.map_or(asked, |there| there.min(asked));
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.get())
                .build_global()
                .context("--threads: cannot start the threads")?;
        }
        let opened = self.device.open_described()?;
        say!("device  {}", opened.description);
        Ok(opened)
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RuntimeFlags {
    #[command(flatten)]
    machine: MachineFlags,
    /// Compute even where `bert doctor` has found wrong numbers on this device
    #[arg(long, help_heading = HEADING)]
    allow_unsafe: bool,
}

impl RuntimeFlags {
    /// The device that was asked for.
    pub(crate) fn device(&self) -> DeviceSpec {
        self.machine.device
    }

    /// Sets the number of threads, opens the device and says what it is.
    pub(crate) fn open(&self) -> Result<Device> {
        self.open_shared(1, &[])
    }

    /// As [`open`](Self::open), for one of several processes on the same processors. `asked` is what will be done beyond
    /// computing.
    pub(crate) fn open_shared(&self, processes: usize, asked: &[Setting]) -> Result<Device> {
        let opened = self.machine.open(processes)?;
        if !self.allow_unsafe {
            let asked = [&[Setting::Device], asked].concat();
            findings::refuse_unsafe(self.device(), &opened, &asked)?;
        }
        Ok(opened.device)
    }
}

fn device_help() -> String {
    let lines: Vec<String> = bert_device::available()
        .map(|line| {
            let missing = if line.compiled_in {
                ""
            } else {
                ", not in this build"
            };
            let number = if line.backend.is_numbered() {
                "[:N]"
            } else {
                ""
            };
            format!("{}{number} ({}{missing})", line.backend, line.description)
        })
        .collect();
    format!(
        "Where to compute; flex: it needs no GPU and no driver. One of {}",
        lines.join("; ")
    )
}
