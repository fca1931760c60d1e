//! A rough speed, and whether memory comes back.

use bert_device::Backend;
use bert_doctor::{Advice, Setting};
use burn::tensor::Device;
use serde::Serialize;

use crate::commands::bench;
use crate::failure::with_causes;

const MIB: f64 = 1024.0 * 1024.0;
/// A pool may keep a little more for itself without that being growth.
const UNNOTICED_MIB: f64 = 1.0;

/// What a training step of the smallest benchmark takes.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Speed {
    /// Tokens a second of a tiny BERT.
    pub(crate) tokens_per_second: Option<f64>,
    /// Milliseconds a step.
    pub(crate) step_ms: Option<f64>,
    /// MiB by which the device's memory in use has grown from one run to an equal one; `None` where no device tells.
    pub(crate) memory_growth_mib: Option<f64>,
    /// Why there is no speed.
    pub(crate) failure: Option<String>,
}

impl Speed {
    pub(crate) fn of(device: &Device) -> Self {
        let run = || bench::tiny_step(device.clone());
        // The first run compiles and fills the pools.
        let first = run().map(|_| in_use_mib(device));
        match first.and_then(|before| Ok((before, run()?))) {
            Ok((before, step)) => Self {
                tokens_per_second: Some(step.tokens as f64 / step.ms * 1e3),
                step_ms: Some(step.ms),
                memory_growth_mib: before
                    .zip(in_use_mib(device))
                    .map(|(before, after)| after - before),
                failure: None,
            },
            Err(error) => Self {
                failure: Some(with_causes(&error)),
                ..Self::default()
            },
        }
    }

    /// What growing memory means.
    pub(crate) fn advice(&self, backend: Backend) -> Option<Advice> {
        let growth = self.memory_growth_mib?;
        (growth > UNNOTICED_MIB).then(|| Advice {
            setting: Setting::LongRuns,
            unsafe_setting: format!("long runs with --device {backend}"),
            because: format!("memory in use grew by {growth:.1} MiB in a few equal steps"),
            instead: "save often and go on with --resume, or use --device flex".to_owned(),
            burn_issues: vec![5212],
        })
    }
}

/// What the device's pools hold for tensors that are alive.
fn in_use_mib(device: &Device) -> Option<f64> {
    device.sync().ok()?;
    let usage = device.memory_pool_usage()?;
    Some(usage.bytes_in_use as f64 / MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_memory_is_told_with_its_issue() {
        let grown = |growth| Speed {
            memory_growth_mib: growth,
            ..Speed::default()
        };
        assert_eq!(grown(None).advice(Backend::Flex), None);
        assert_eq!(grown(Some(0.0)).advice(Backend::Wgpu), None);
        let advice = grown(Some(20.0)).advice(Backend::Wgpu).unwrap();
        assert_eq!(advice.burn_issues, [5212]);
    }
}
