use bert_encoder::Precision;
use clap::ValueEnum;
use serde::Serialize;

/// The values of `--precision`; see [`Precision`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PrecisionWord {
    F32,
    Bf16,
}

impl PrecisionWord {
    pub(crate) fn precision(self) -> Precision {
        match self {
            Self::F32 => Precision::F32,
            Self::Bf16 => Precision::Bf16,
        }
    }
}
