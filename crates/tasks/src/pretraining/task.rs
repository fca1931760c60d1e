use std::path::Path;

use bert_encoder::Encoder;
use bert_pretraining::PretrainingModel;
use bert_text::{Encoding, MaskedBlock, TokenBlock};
use burn::tensor::Device;

use super::split::masked_tokens;
use super::{Pretraining, Split};
use crate::inference::batch;
use crate::{BatchLoss, Evaluation, Position, RunOptions, Task, TaskError};

impl<M: PretrainingModel> Pretraining<M> {
    /// Some rows masked for a place of the run; none for a model of next sentences alone.
    fn masked(
        &self,
        train: &Split,
        rows: &[usize],
        position: Position,
    ) -> Option<Vec<MaskedBlock>> {
        let masker = self.masker.as_ref()?;
        let mask = |&row: &usize| train.masked(masker, row, position);
        Some(rows.iter().map(mask).collect())
    }
}

impl<M: PretrainingModel> Task for Pretraining<M> {
    type Model = M;
    type Split = Split;

    fn encoder_layers(&self) -> usize {
        self.pretrained.encoder.num_hidden_layers
    }

    fn encoder_mut<'m>(&self, model: &'m mut M) -> &'m mut Encoder {
        model.encoder_mut()
    }

    /// Other tokens are masked in each epoch.
    fn has_fixed_inputs(&self) -> bool {
        self.masker.is_none()
    }

    fn lengths(&self, split: &Split) -> Vec<usize> {
        split.rows.iter().map(TokenBlock::len).collect()
    }

    /// Masked tokens where the model predicts any, also for the loss of both tasks together.
    fn label_count(&self, train: &Split, rows: &[usize], position: Position) -> usize {
        match self.masked(train, rows, position) {
            Some(masked) => masked.iter().map(MaskedBlock::count).sum(),
            None => rows.len(),
        }
    }

    fn loss(
        &self,
        model: &M,
        train: &Split,
        rows: &[usize],
        position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let masked = self.masked(train, rows, position);
        let encodings: Vec<Encoding> = match &masked {
            Some(masked) => {
                let seen = rows.iter().zip(masked);
                seen.map(|(&row, block)| train.seen_as(row, block.input_ids.clone()))
                    .collect()
            }
            None => rows.iter().map(|&row| train.encoding(row)).collect(),
        };
        let (input, tokens) = batch(&encodings)?;
        let masked = masked.map(|masked| masked_tokens(&masked.iter().collect::<Vec<_>>(), device));
        let pairs = M::PREDICTS_PAIRS.then(|| train.classes(rows, device));
        Ok(BatchLoss {
            loss: model.loss(input, masked.as_ref(), pairs)?,
            tokens,
        })
    }

    fn score(
        &self,
        model: &M,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError> {
        Ok(self.evaluate(model, split, run)?.evaluation)
    }

    fn save(&self, model: &M, dir: &Path) -> Result<(), TaskError> {
        self.save(model, dir)
    }
}
