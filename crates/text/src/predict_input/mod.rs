//! What a model is asked about: one input a line, or one a row of a file of rows.

mod columns;
mod error;
mod file;
mod kinds;
mod lines;
mod pairs;

pub use columns::{InputColumns, Texts};
pub use error::PredictError;
pub use file::{InputFormat, PredictFile};
pub use kinds::{PairInput, PredictInput, PredictLine, TokensInput};
pub use lines::PredictInputs;
pub use pairs::{InferenceInput, SequenceInput};
