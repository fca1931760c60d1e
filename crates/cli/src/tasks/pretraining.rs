//! What the tasks of pre-training share: masked language modelling and next-sentence prediction.

use bert_tasks::pretraining::head::PretrainingModel;
use bert_tasks::pretraining::{Pretraining, Split};
use bert_tasks::{HeadOrigin, Pretrained, TaskError};
use bert_text::Documents;
use bert_weights::LoadReport;
use burn::tensor::Device;

use crate::describe;
use crate::format::{count, counted};
use crate::runner::TaskModel;

impl<M: PretrainingModel> TaskModel for Pretraining<M> {
    type Network = M;

    fn pretrained(&mut self) -> &mut Pretrained {
        &mut self.pretrained
    }

    fn describe(&self) -> String {
        let outputs = match (M::PREDICTS_TOKENS, M::PREDICTS_PAIRS) {
            (true, true) => "masked tokens, and whether a sentence follows another",
            (true, false) => "masked tokens",
            _ => "whether a sentence follows another",
        };
        describe::model(&self.pretrained, outputs)
    }

    /// [`HeadOrigin::New`] allows a checkpoint without heads; heads that it has are kept.
    fn load(&self, head: HeadOrigin, device: &Device) -> Result<(M, LoadReport), TaskError> {
        match head {
            HeadOrigin::Checkpoint => self.load(device),
            HeadOrigin::New => self.load_for_training(device),
        }
    }
}

/// Documents, and how many of the pairs from them are true ones.
pub(super) fn pairs(documents: &Documents, split: &Split) -> String {
    let is_next = split.next_sentence.iter().filter(|&&class| class == 0);
    format!(
        "{}, {} pairs in sequence and {} at random",
        counted(documents.documents.len(), "document"),
        count(is_next.clone().count()),
        count(split.len() - is_next.count())
    )
}

/// Describes a data set on standard error.
pub(super) fn print_data<M>(split: &Split, content: &str, setup: &Pretraining<M>) {
    let max_length = setup.pretrained.max_length;
    let rows = counted(split.len(), "row");
    let line = describe::data(&split.path, &rows, content, split.truncated, max_length);
    say!("data    {line}");
}
