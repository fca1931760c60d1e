use std::path::Path;

use bert_question_answering::{ModelForQuestionAnswering, loss};
use bert_text::Encoding;
use burn::tensor::Device;

use super::{EvaluationOptions, QuestionAnswerer, Split};
use crate::{BatchLoss, EVALUATION_BATCH_SIZE, Evaluation, Task, TaskError};

/// A question-answering model with its training and evaluation data.
#[derive(Debug)]
pub struct QuestionAnsweringTask {
    /// Everything about the model but its weights.
    pub answerer: QuestionAnswerer,
    /// What it learns from, without misplaced answers ([`Split::learnable`]).
    pub train: Split,
    /// What it is scored on.
    pub eval: Option<Split>,
    /// How it is scored.
    pub options: EvaluationOptions,
}

impl Task for QuestionAnsweringTask {
    type Model = ModelForQuestionAnswering;
    type Split = Split;

    fn lengths(&self) -> &[usize] {
        &self.train.lengths
    }

    fn label_count(&self, rows: &[usize]) -> usize {
        self.train.labelled(rows)
    }

    fn encoder_layers(&self) -> usize {
        self.answerer.pretrained.encoder.num_hidden_layers
    }

    fn loss(
        &self,
        model: &Self::Model,
        rows: &[usize],
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let encodings: Vec<&Encoding> = rows
            .iter()
            .map(|&row| &self.train.windows.encodings[row])
            .collect();
        let (input, tokens) = self.answerer.pretrained.batch(&encodings, device);
        let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.len()).collect();
        let logits = model.forward(input)?.within(&lengths);
        let [_, sequence] = logits.start_logits.dims();
        let [starts, ends] = self.train.targets(rows, sequence, device);
        Ok(BatchLoss {
            loss: loss(logits, starts, ends),
            tokens,
        })
    }

    fn evaluation_split(&self) -> Option<&Split> {
        self.eval.as_ref()
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Evaluation, TaskError> {
        let size = EVALUATION_BATCH_SIZE;
        let scored = self
            .answerer
            .evaluate(model, split, &self.options, size, device, tick)?;
        Ok(scored.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.answerer.save(model, dir)
    }
}
