//! `bert train | evaluate | predict masked-lm`

mod data;
mod evaluate;
mod predict;
mod train;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use train::{DEFAULT_MAX_LENGTH, TrainArgs, run as train};
