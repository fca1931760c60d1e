use bert_encoder::without_kernels;
use clap::ValueEnum;
use serde::Serialize;

/// Whether the fused kernels compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kernels {
    On,
    Off,
}

impl Kernels {
    /// Does work with or without them.
    pub(crate) fn during<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Self::On => work(),
            Self::Off => without_kernels(work),
        }
    }
}
