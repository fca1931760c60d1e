//! Passes of a model over encoded texts, batch by batch.

use std::num::NonZeroUsize;

use bert_encoder::EncoderInput;
use bert_text::{BatchOrder, Encoding, PaddedBatch, epoch_batches};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Pretrained, TaskError};

/// Rows of one forward pass in evaluation: gradients need no room there. 64 is past the point where larger batches of
/// sentences make the products any faster on two cores.
pub const EVALUATION_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// How a model runs over data without being trained.
pub struct RunOptions<'a> {
    /// Rows of one forward pass.
    pub batch_size: NonZeroUsize,
    /// The device that holds the model.
    pub device: &'a Device,
    /// Called after every batch with the share of the work that is done, in [0, 1].
    pub progress: &'a mut dyn FnMut(f64),
}

impl<'a> RunOptions<'a> {
    /// Batches of [`EVALUATION_BATCH_SIZE`] rows.
    pub fn new(device: &'a Device, progress: &'a mut dyn FnMut(f64)) -> Self {
        Self {
            batch_size: EVALUATION_BATCH_SIZE,
            device,
            progress,
        }
    }
}

impl Pretrained {
    /// The batch of some encodings on a device, padded to the longest of them, with the number of its real tokens.
    pub fn batch<'a>(
        &self,
        encodings: impl IntoIterator<Item = &'a Encoding>,
        device: &Device,
    ) -> (EncoderInput, usize) {
        let encodings: Vec<&Encoding> = encodings.into_iter().collect();
        let padded = PaddedBatch::new(&encodings, self.tokenizer.pad_token_id(), None);
        let shape = [padded.batch_size, padded.sequence_length];
        let has_second_segment = padded.token_type_ids.iter().any(|&id| id != 0);
        let tensor =
            |values: Vec<i32>| Tensor::<2, Int>::from_data(TensorData::new(values, shape), device);
        let input = EncoderInput {
            input_ids: tensor(padded.input_ids),
            token_type_ids: has_second_segment.then(|| tensor(padded.token_type_ids)),
            attention_mask: None,
            lengths: Some(padded.lengths),
        };
        (input, padded.real_tokens)
    }

    /// Hands all encodings to `forward`, batch by batch, similar lengths together; a batch is given as the indices of its
    /// encodings and the encoder's input.
    ///
    /// # Errors
    ///
    /// What `forward` returns.
    pub fn forward_all(
        &self,
        encodings: &[Encoding],
        run: RunOptions<'_>,
        mut forward: impl FnMut(&[usize], EncoderInput) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let lengths = lengths(encodings);
        let batches = epoch_batches(&lengths, run.batch_size, 0, 0, BatchOrder::SortedByLength);
        let all_tokens = lengths.iter().sum::<usize>().max(1);
        let mut tokens_done = 0;
        for rows in batches {
            let (input, tokens) = self.batch(rows.iter().map(|&row| &encodings[row]), run.device);
            forward(&rows, input)?;
            tokens_done += tokens;
            (run.progress)(tokens_done as f64 / all_tokens as f64);
        }
        Ok(())
    }

    /// As [`forward_all`](Self::forward_all) for a `forward` that returns one output for each row of its batch. The outputs
    /// are in the order of the encodings.
    ///
    /// # Errors
    ///
    /// What `forward` returns.
    pub fn forward_rows<T>(
        &self,
        encodings: &[Encoding],
        run: RunOptions<'_>,
        mut forward: impl FnMut(&[usize], EncoderInput) -> Result<Vec<T>, TaskError>,
    ) -> Result<Vec<T>, TaskError> {
        let mut outputs: Vec<Option<T>> = encodings.iter().map(|_| None).collect();
        self.forward_all(encodings, run, |rows, input| {
            for (&row, output) in rows.iter().zip(forward(rows, input)?) {
                outputs[row] = Some(output);
            }
            Ok(())
        })?;
        Ok(outputs.into_iter().flatten().collect())
    }
}

/// The mean loss over all labels of a data set, from the means of its batches.
#[derive(Debug, Default)]
pub(crate) struct MeanLoss {
    sum: f64,
    labels: usize,
}

impl MeanLoss {
    /// Adds a batch: its mean loss `[1]` and the number of labels that it is the mean over.
    pub(crate) fn add(&mut self, mean: Tensor<1>, labels: usize) {
        self.sum += f64::from(mean.into_scalar::<f32>()) * labels as f64;
        self.labels += labels;
    }

    /// The mean; 0 without labels.
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.labels.max(1) as f64
    }
}

/// The tokens of each encoding, special tokens included.
pub(crate) fn lengths(encodings: &[Encoding]) -> Vec<usize> {
    encodings.iter().map(Encoding::len).collect()
}

/// How many encodings were cut to the maximum length.
pub(crate) fn truncated(encodings: &[Encoding]) -> usize {
    let is_cut = |encoding: &&Encoding| encoding.truncated_tokens > 0;
    encodings.iter().filter(is_cut).count()
}

/// The rows of `[B, C]` logits on the host.
pub fn rows_of(logits: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, columns] = logits.dims();
    let flat: Vec<f32> = logits.into_data().iter::<f32>().collect();
    flat.chunks(columns.max(1)).map(<[f32]>::to_vec).collect()
}

/// The logits of each token of each row of a batch, `[B, S, C]`, on the host.
pub(crate) fn token_rows(logits: Tensor<3>) -> Vec<Vec<Vec<f32>>> {
    let [batch, sequence, labels] = logits.dims();
    let rows = rows_of(logits.reshape([batch * sequence, labels]));
    rows.chunks(sequence.max(1)).map(<[_]>::to_vec).collect()
}
