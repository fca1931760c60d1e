//! Batches of golden files for [`bert_train::Stepper`].

use bert_encoder::EncoderInput;
use bert_tasks::BatchLoss;
use bert_tasks::TaskError;
use bert_text_classification::{Labels, ModelForSequenceClassification, loss};
use burn::tensor::{Device, Int, Tensor};

use crate::Golden;

/// A batch of single-label classification.
#[derive(Debug, Clone)]
pub struct Batch {
    /// What the encoder gets.
    pub input: EncoderInput,
    /// `[B]`.
    pub labels: Tensor<1, Int>,
}

impl Batch {
    /// Reads the tensors with a prefix.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn read(golden: &Golden, prefix: &str, device: &Device) -> anyhow::Result<Self> {
        Ok(Self {
            input: golden.input(prefix, device)?,
            labels: golden.ints(&format!("{prefix}labels"), device)?,
        })
    }
}

/// The loss of a batch.
///
/// # Errors
/// The batch does not fit the model.
pub fn batch_loss(
    model: &ModelForSequenceClassification,
    batch: &Batch,
) -> Result<BatchLoss, TaskError> {
    let Batch { input, labels } = batch.clone();
    let [rows, columns] = input.input_ids.dims();
    Ok(BatchLoss {
        loss: loss(model.forward(input)?, Labels::Classes(labels)),
        tokens: rows * columns,
    })
}
