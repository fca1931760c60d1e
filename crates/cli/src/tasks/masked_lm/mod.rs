//! Masked language modelling: `bert check | train | evaluate | predict masked-lm`

mod check;
mod data;
mod evaluate;
mod predict;
mod train;

pub(crate) use check::CheckArgs;
pub(crate) use evaluate::EvaluateArgs;
pub(crate) use predict::PredictArgs;
pub(crate) use train::TrainArgs;

/// Most sentences fit, and attention costs the square of it.
const DEFAULT_MAX_LENGTH: usize = 128;
