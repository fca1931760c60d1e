//! What the examinations of all tasks share.

use std::path::Path;

use bert_kernels::softmax;
use bert_text::Example;

/// The highest of the probabilities that a softmax makes of logits.
pub(crate) fn confidence(logits: &[f32]) -> f64 {
    let scores = softmax(logits);
    f64::from(scores.into_iter().fold(0.0, f32::max))
}

/// Where a row stands in its file.
pub(crate) fn place_of(example: &Example) -> String {
    place(&example.file, "line", example.line)
}

/// The name of a file and the number of something in it.
pub(crate) fn place(file: &Path, what: &str, number: usize) -> String {
    match file.file_name() {
        Some(name) => format!("{}, {what} {number}", name.to_string_lossy()),
        None => format!("{what} {number}"),
    }
}
