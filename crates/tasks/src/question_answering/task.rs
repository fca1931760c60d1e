use std::path::Path;

use bert_encoder::Encoder;
use bert_question_answering::{ModelForQuestionAnswering, loss};
use burn::tensor::Device;

use super::{QuestionAnswerer, Split};
use crate::inference::{batch, lengths};
use crate::{BatchLoss, Evaluation, Position, RunOptions, Task, TaskError};

/// A row is a window. Train on [`Split::learnable`] data: a window without a label adds nothing to the loss.
impl Task for QuestionAnswerer {
    type Model = ModelForQuestionAnswering;
    type Split = Split;

    fn encoder_layers(&self) -> usize {
        self.pretrained.encoder.num_hidden_layers
    }

    fn encoder_mut<'m>(&self, model: &'m mut Self::Model) -> &'m mut Encoder {
        &mut model.encoder
    }

    fn lengths(&self, split: &Split) -> Vec<usize> {
        lengths(&split.windows.encodings)
    }

    fn label_count(&self, train: &Split, rows: &[usize], _position: Position) -> usize {
        train.labelled(rows)
    }

    fn loss(
        &self,
        model: &Self::Model,
        train: &Split,
        rows: &[usize],
        _position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let encodings = || rows.iter().map(|&row| &train.windows.encodings[row]);
        let (input, tokens) = batch(encodings())?;
        let lengths: Vec<usize> = encodings().map(|encoding| encoding.len()).collect();
        let logits = model.forward(input)?.within(&lengths);
        let [_, sequence] = logits.start_logits.dims();
        let [starts, ends] = train.targets(rows, sequence, device);
        Ok(BatchLoss {
            loss: loss(logits, starts, ends),
            tokens,
        })
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError> {
        Ok(self.evaluate(model, split, run)?.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.save(model, dir)
    }
}
