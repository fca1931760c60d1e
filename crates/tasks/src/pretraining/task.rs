use std::path::Path;

use bert_pretraining::PretrainingModel;
use bert_text::{Encoding, MaskedBlock};
use burn::tensor::Device;

use super::split::masked_tokens;
use super::{Pretraining, Split};
use crate::{BatchLoss, EVALUATION_BATCH_SIZE, Evaluation, Position, Task, TaskError};

/// A model of a pre-training task with its training and evaluation data.
#[derive(Debug)]
pub struct PretrainingTask<M> {
    /// Everything about the model but its weights.
    pub setup: Pretraining<M>,
    /// What it learns from.
    pub train: Split,
    /// What it is scored on.
    pub eval: Option<Split>,
}

/// Where a run begins, for who asks without saying where it is.
const START: Position = Position { seed: 0, epoch: 0 };

impl<M: PretrainingModel> PretrainingTask<M> {
    /// Some rows masked for a place of the run; none for a model of next sentences alone.
    fn masked(&self, rows: &[usize], position: Position) -> Option<Vec<MaskedBlock>> {
        let masker = self.setup.masker.as_ref()?;
        let mask = |&row: &usize| self.train.masked(masker, row, position);
        Some(rows.iter().map(mask).collect())
    }
}

impl<M: PretrainingModel> Task for PretrainingTask<M> {
    type Model = M;
    type Split = Split;

    fn lengths(&self) -> &[usize] {
        &self.train.lengths
    }

    fn label_count(&self, rows: &[usize]) -> usize {
        self.label_count_at(rows, START)
    }

    /// Masked tokens where there are any to predict: the loss of both tasks together weighs by them, too.
    fn label_count_at(&self, rows: &[usize], position: Position) -> usize {
        match self.masked(rows, position) {
            Some(masked) => masked.iter().map(MaskedBlock::count).sum(),
            None => rows.len(),
        }
    }

    fn encoder_layers(&self) -> usize {
        self.setup.pretrained.encoder.num_hidden_layers
    }

    fn loss(&self, model: &M, rows: &[usize], device: &Device) -> Result<BatchLoss, TaskError> {
        self.loss_at(model, rows, START, device)
    }

    fn loss_at(
        &self,
        model: &M,
        rows: &[usize],
        position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let masked = self.masked(rows, position);
        let encodings: Vec<Encoding> = match &masked {
            Some(masked) => {
                let seen = rows.iter().zip(masked);
                seen.map(|(&row, block)| self.train.seen_as(row, block.input_ids.clone()))
                    .collect()
            }
            None => rows.iter().map(|&row| self.train.encoding(row)).collect(),
        };
        let (input, tokens) = self
            .setup
            .pretrained
            .batch(&encodings.iter().collect::<Vec<_>>(), device);
        let masked = masked.map(|masked| masked_tokens(&masked.iter().collect::<Vec<_>>(), device));
        let pairs = M::PREDICTS_PAIRS.then(|| self.train.classes(rows, device));
        Ok(BatchLoss {
            loss: model.loss(input, masked.as_ref(), pairs)?,
            tokens,
        })
    }

    fn evaluation_split(&self) -> Option<&Split> {
        self.eval.as_ref()
    }

    fn score(
        &self,
        model: &M,
        split: &Split,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Evaluation, TaskError> {
        let scored = self
            .setup
            .evaluate(model, split, EVALUATION_BATCH_SIZE, device, tick)?;
        Ok(scored.evaluation)
    }

    fn save(&self, model: &M, dir: &Path) -> Result<(), TaskError> {
        self.setup.save(model, dir)
    }
}
