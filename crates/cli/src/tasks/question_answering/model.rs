//! Question-answering models and their data: how they are loaded, and how they are described on standard error.

use bert_tasks::question_answering::head::ModelForQuestionAnswering;
use bert_tasks::question_answering::{QuestionAnswerer, Split};
use bert_tasks::{HeadOrigin, Pretrained, TaskError};
use bert_weights::LoadReport;
use burn::tensor::Device;

use crate::describe;
use crate::format::{count, counted};
use crate::runner::TaskModel;

impl TaskModel for QuestionAnswerer {
    type Network = ModelForQuestionAnswering;

    fn pretrained(&mut self) -> &mut Pretrained {
        &mut self.pretrained
    }

    fn describe(&self) -> String {
        let stride = counted(self.stride, "token");
        let outputs = format!("the start and the end of an answer; windows share {stride}");
        describe::model(&self.pretrained, &outputs)
    }

    fn describe_head(&self, origin: HeadOrigin) -> Option<String> {
        let words = match origin {
            HeadOrigin::New => "new, 2 outputs",
            HeadOrigin::Checkpoint => "from the checkpoint, 2 outputs",
        };
        Some(words.to_owned())
    }

    fn load(
        &self,
        head: HeadOrigin,
        device: &Device,
    ) -> Result<(Self::Network, LoadReport), TaskError> {
        self.load(head, device)
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
        "{}: the answer of {} is not where the file says (first: {:?}); training leaves them out",
        split.data.path.display(),
        counted(split.misplaced.len(), "question"),
        first.id
    ))
}
