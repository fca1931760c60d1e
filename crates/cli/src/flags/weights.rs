use bert_encoder::WeightFormat;
use clap::ValueEnum;
use serde::Serialize;

/// The values of `--weights`; see [`WeightFormat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weights {
    F32,
    Bf16,
    Int8,
}

impl Weights {
    pub(crate) fn format(self) -> WeightFormat {
        match self {
            Self::F32 => WeightFormat::F32,
            Self::Bf16 => WeightFormat::Bf16,
            Self::Int8 => WeightFormat::Int8,
        }
    }
}
