//! Passes of a model over encoded texts, batch by batch.

use std::fmt::Display;
use std::num::NonZeroUsize;

use bert_encoder::{EncoderInput, RaggedInput};
use bert_text::{BatchOrder, Encoding, epoch_batches};
use burn::tensor::{Device, Tensor};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ExchangeError, Peers, Pretrained, TaskError, share_out};

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
    /// The processes that share an evaluation's batches; all of them must run it. Predictions are not shared.
    pub peers: Option<&'a dyn Peers>,
}

impl<'a> RunOptions<'a> {
    /// Batches of [`EVALUATION_BATCH_SIZE`] rows.
    pub fn new(device: &'a Device, progress: &'a mut dyn FnMut(f64)) -> Self {
        Self {
            batch_size: EVALUATION_BATCH_SIZE,
            device,
            progress,
            peers: None,
        }
    }
}

/// Encodings as a batch without padding, and the number of its tokens.
///
/// # Errors
///
/// An encoding does not have a token type for each token.
pub(crate) fn batch<'a>(
    encodings: impl IntoIterator<Item = &'a Encoding>,
) -> Result<(EncoderInput, usize), TaskError> {
    let sequences = encodings
        .into_iter()
        .map(|encoding| (&encoding.input_ids[..], &encoding.token_type_ids[..]));
    let ragged = RaggedInput::from_sequences(sequences)?;
    let tokens = ragged.tokens();
    Ok((ragged.into(), tokens))
}

impl Pretrained {
    /// Hands all encodings to `forward`, batch by batch, similar lengths together; a batch is given as the indices of its
    /// encodings and the encoder's input. A batch that the device cannot compute ([`TaskError::Device`]) is given again in two
    /// halves, so `forward` must be able to take a row twice.
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
            tokens_done += in_parts(encodings, &rows, &mut forward)?;
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

/// Hands some encodings to `forward`, in halves of halves where the device has no room for all at once. Returns the number of
/// their tokens.
fn in_parts(
    encodings: &[Encoding],
    rows: &[usize],
    forward: &mut impl FnMut(&[usize], EncoderInput) -> Result<(), TaskError>,
) -> Result<usize, TaskError> {
    let (input, tokens) = batch(rows.iter().map(|&row| &encodings[row]))?;
    match forward(rows, input) {
        Err(TaskError::Device { .. }) if rows.len() > 1 => {
            let (first, second) = rows.split_at(rows.len() / 2);
            Ok(in_parts(encodings, first, forward)? + in_parts(encodings, second, forward)?)
        }
        outcome => outcome.map(|()| tokens),
    }
}

impl Pretrained {
    /// Hands all encodings to `forward`, as [`forward_all`](Self::forward_all) does, and what it returns for each batch to
    /// `take`, in the order of the batches. With peers each process computes some of the batches, and all of them take all.
    ///
    /// # Errors
    ///
    /// What `forward` returns; a peer is gone.
    pub(crate) fn forward_shared<P: Serialize + DeserializeOwned>(
        &self,
        encodings: &[Encoding],
        run: RunOptions<'_>,
        mut forward: impl FnMut(&[usize], EncoderInput) -> Result<P, TaskError>,
        mut take: impl FnMut(&[usize], P),
    ) -> Result<(), TaskError> {
        let Some(peers) = run.peers.filter(|peers| peers.size() > 1) else {
            return self.forward_all(encodings, run, |rows, input| {
                take(rows, forward(rows, input)?);
                Ok(())
            });
        };
        let lengths = lengths(encodings);
        let batches = epoch_batches(&lengths, run.batch_size, 0, 0, BatchOrder::SortedByLength);
        let tokens = |rows: &Vec<usize>| rows.iter().map(|&row| lengths[row]).sum();
        let costs: Vec<usize> = batches.iter().map(tokens).collect();
        let owners = share_out(&costs, peers.size());
        let is_own = |&index: &usize| owners[index] == peers.rank();
        let own_tokens = (0..batches.len()).filter(is_own).map(|index| costs[index]);
        let all_tokens = own_tokens.sum::<usize>().max(1);
        let mut tokens_done = 0;
        // Of a batch that did not fit, each part of it.
        let mut parts: Vec<(usize, (Vec<usize>, P))> = Vec::new();
        for index in (0..batches.len()).filter(is_own) {
            let mut compute = |rows: &[usize], input: EncoderInput| {
                parts.push((index, (rows.to_vec(), forward(rows, input)?)));
                Ok(())
            };
            tokens_done += in_parts(encodings, &batches[index], &mut compute)?;
            (run.progress)(tokens_done as f64 / all_tokens as f64);
        }
        for (_, (rows, part)) in gathered(peers, parts)? {
            take(&rows, part);
        }
        Ok(())
    }

    /// As [`forward_shared`](Self::forward_shared) for one output a row; the outputs are in the order of the encodings.
    ///
    /// # Errors
    ///
    /// What `forward` returns; a peer is gone.
    pub(crate) fn forward_shared_rows<T: Serialize + DeserializeOwned>(
        &self,
        encodings: &[Encoding],
        run: RunOptions<'_>,
        forward: impl FnMut(&[usize], EncoderInput) -> Result<Vec<T>, TaskError>,
    ) -> Result<Vec<T>, TaskError> {
        let mut outputs: Vec<Option<T>> = encodings.iter().map(|_| None).collect();
        self.forward_shared(encodings, run, forward, |rows, part| {
            for (&row, output) in rows.iter().zip(part) {
                outputs[row] = Some(output);
            }
        })?;
        Ok(outputs.into_iter().flatten().collect())
    }
}

/// The numbered parts of all processes, in the order of their numbers.
fn gathered<P: Serialize + DeserializeOwned>(
    peers: &dyn Peers,
    parts: Vec<(usize, P)>,
) -> Result<Vec<(usize, P)>, ExchangeError> {
    let unreadable = |error: postcard::Error| ExchangeError(error.to_string());
    let bytes = postcard::to_stdvec(&parts).map_err(unreadable)?;
    drop(parts);
    let mut all: Vec<(usize, P)> = Vec::new();
    for bytes in peers.all_gather(bytes)? {
        let parts: Vec<(usize, P)> = postcard::from_bytes(&bytes).map_err(unreadable)?;
        all.extend(parts);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all)
}

/// The mean loss over all labels of a data set, from the means of its batches.
#[derive(Debug, Default)]
pub(crate) struct MeanLoss {
    sum: f64,
    labels: usize,
}

impl MeanLoss {
    /// Adds a batch: its mean loss and the number of labels that it is the mean over.
    pub(crate) fn add(&mut self, mean: f32, labels: usize) {
        self.sum += f64::from(mean) * labels as f64;
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
///
/// # Errors
///
/// The device could not compute them: [`TaskError::Device`].
pub fn rows_of(logits: Tensor<2>) -> Result<Vec<Vec<f32>>, TaskError> {
    let [_, columns] = logits.dims();
    let data = logits.try_into_data().map_err(of_device)?;
    let flat: Vec<f32> = data.iter::<f32>().collect();
    Ok(flat.chunks(columns.max(1)).map(<[f32]>::to_vec).collect())
}

/// One number on the host.
///
/// # Errors
///
/// The device could not compute it.
pub(crate) fn scalar_of(number: Tensor<1>) -> Result<f32, TaskError> {
    number.try_into_scalar::<f32>().map_err(of_device)
}

/// Why a device did not give what it was to compute.
pub(crate) fn of_device(error: impl Display) -> TaskError {
    let reason = error.to_string();
    // A back trace follows the first line.
    let first = reason.lines().next().unwrap_or_default();
    TaskError::Device {
        reason: first.to_owned(),
    }
}

/// The logits of each token of each row of a batch, `[B, S, C]`, on the host.
pub(crate) fn token_rows(logits: Tensor<3>) -> Result<Vec<Vec<Vec<f32>>>, TaskError> {
    let [batch, sequence, labels] = logits.dims();
    let rows = rows_of(logits.reshape([batch * sequence, labels]))?;
    Ok(rows.chunks(sequence.max(1)).map(<[_]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encodings(count: usize) -> Vec<Encoding> {
        let of_length = |length: usize| Encoding {
            input_ids: vec![1; length],
            token_type_ids: vec![0; length],
            ..Encoding::default()
        };
        (1..=count).map(of_length).collect()
    }

    /// A device with room for so many rows at once.
    fn rows_in_parts(room: usize) -> Result<(usize, Vec<Vec<usize>>), TaskError> {
        let rows: Vec<usize> = (0..7).collect();
        let mut computed = Vec::new();
        let tokens = in_parts(&encodings(7), &rows, &mut |rows, _| {
            if rows.len() > room {
                let reason = "out of device memory".to_owned();
                return Err(TaskError::Device { reason });
            }
            computed.push(rows.to_vec());
            Ok(())
        })?;
        Ok((tokens, computed))
    }

    #[test]
    fn a_batch_without_room_on_the_device_is_computed_in_halves() {
        let whole = (1..=7).sum();
        let (tokens, computed) = rows_in_parts(7).unwrap();
        assert_eq!((tokens, computed.len()), (whole, 1));
        let (tokens, computed) = rows_in_parts(2).unwrap();
        assert_eq!(tokens, whole);
        assert_eq!(computed, [vec![0], vec![1, 2], vec![3, 4], vec![5, 6]]);
        let error = rows_in_parts(0).unwrap_err().to_string();
        assert!(error.contains("out of device memory"), "{error}");
    }
}
