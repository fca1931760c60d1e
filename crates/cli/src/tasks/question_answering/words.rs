//! Models and their data in words, for standard error.

use bert_tasks::HeadOrigin;
use bert_tasks::question_answering::{QuestionAnswerer, Split};

use crate::describe;
use crate::format::{count, counted};

/// Layers, width, and how windows overlap.
pub(super) fn model(answerer: &QuestionAnswerer) -> String {
    let outputs = format!(
        "the start and the end of an answer; windows share {}",
        counted(answerer.stride, "token")
    );
    describe::model(&answerer.pretrained, &outputs)
}

/// Where the head comes from.
pub(super) fn head(origin: HeadOrigin) -> &'static str {
    match origin {
        HeadOrigin::New => "new, 2 outputs",
        HeadOrigin::Checkpoint => "that of the checkpoint, 2 outputs",
    }
}

/// Questions, windows, and what cannot be learned from.
pub(super) fn data(split: &Split) -> String {
    let data = &split.data;
    let unanswerable = data.questions.iter().filter(|one| one.answers.is_empty());
    let without = match unanswerable.count() {
        0 => String::new(),
        some => format!(", {} without an answer", count(some)),
    };
    format!(
        "{}: {}{without}, of {}; {}",
        data.path.display(),
        counted(split.len(), "question"),
        counted(data.articles, "article"),
        counted(split.windows.encodings.len(), "window"),
    )
}

/// Questions whose answer is not where the file says, if there are any.
pub(super) fn misplaced(split: &Split) -> Option<String> {
    let first = &split.data.questions[*split.misplaced.first()?];
    Some(format!(
        "{}: the answer of {} is not where the file says (first: {:?}), which is no use in training: left out there",
        split.data.path.display(),
        counted(split.misplaced.len(), "question"),
        first.id
    ))
}
