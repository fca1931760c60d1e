//! Groups of flags that several commands share.

mod checkpoints;
mod columns;
mod data_files;
mod given;
mod long_text;
mod loss;
mod precision;
mod repeats;
mod rows;
mod runtime;
mod shard;
mod training;
mod values;
mod weights;

pub(crate) use checkpoints::CheckpointFlags;
pub(crate) use columns::{ColumnFlags, names};
pub(crate) use data_files::{data_files, print_notes};
pub(crate) use given::GivenFlags;
pub(crate) use long_text::LongTextFlags;
pub(crate) use loss::{Classes, LossFlags};
pub(crate) use precision::PrecisionWord;
pub(crate) use repeats::{RepeatFlags, Repeats};
pub(crate) use rows::RowFlags;
pub(crate) use runtime::{MachineFlags, RuntimeFlags};
pub(crate) use shard::Shard;
pub(crate) use training::TrainingFlags;
pub(crate) use values::{at_least, at_least_one, dropout, integer, one_to, share};
pub(crate) use weights::Weights;
