//! Extractive question answering: checkpoints, windows, loss, answers, SQuAD's figures, export.
//!
//! ```text
//! checkpoint directory → QuestionAnswerer (everything but the weights) → load → model
//! SQuAD file → QuestionAnswerer::encode → Split (windows) → Task::loss, QuestionAnswerer::evaluate
//! questions → QuestionAnswerer::windows_of → QuestionAnswerer::predict → Prediction
//! ```
//!
//! A row of a batch is a window: a question beside a piece of its context.

mod answerer;
mod evaluate;
mod examine;
mod predict;
mod split;
mod task;
mod windows;

pub use answerer::QuestionAnswerer;
pub use bert_question_answering as head;
pub use evaluate::{AnsweredQuestion, EvaluationOptions, NullThreshold, Scored};
pub use predict::{Answer, PredictOptions, Prediction};
pub use split::Split;
pub use windows::{WindowLogits, Windows};
