// B sequences, T tokens of all sequences, Q tokens that are wanted, H hidden

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use bert_kernels::WeightFormat;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use crate::batch::{check_positions, gathered, spread};
use crate::{Encoder, EncoderError, EncoderInput, EncoderPart, RaggedInput};

/// Between the parts of a key; no token, segment or position is negative.
const SEPARATOR: i32 = -1;

/// Keeps hidden states, so that a sequence passes the frozen part of an encoder once.
pub trait FrozenStates: Debug + Send + Sync {
    /// The hidden states of a sequence, row by row; `None` if they are not kept.
    ///
    /// # Errors
    ///
    /// They cannot be read back.
    fn get(&self, key: &[i32]) -> io::Result<Option<Vec<f32>>>;

    /// Keeps the hidden states of a sequence, if there is room, and gives them as [`get`](Self::get) will: with fewer
    /// digits, perhaps.
    ///
    /// # Errors
    ///
    /// They cannot be written.
    fn put(&self, key: Vec<i32>, states: Vec<f32>) -> io::Result<Vec<f32>>;
}

/// The lower part of an encoder that is not trained.
#[derive(Debug, Clone)]
pub(crate) struct FrozenPart {
    /// How many layers, in the order in which they are computed. The final LayerNorm is among them if all are.
    layers: usize,
    states: Option<Arc<dyn FrozenStates>>,
}

impl Encoder {
    /// Has everything below the lowest part that is trained computed as in evaluation: without dropout and without
    /// gradients. `None` says that nothing of the encoder is trained. `states` keeps what comes out, sequence by
    /// sequence. This holds for ragged inputs whose intermediate results are not wanted; others are computed as ever.
    ///
    /// The frozen part must not change as long as `states` is used.
    pub fn freeze_below(
        &mut self,
        lowest_trained: Option<EncoderPart>,
        states: Option<Arc<dyn FrozenStates>>,
    ) {
        let layers = match lowest_trained {
            Some(EncoderPart::Embeddings) => None,
            Some(EncoderPart::Layer(index)) => Some(index * self.repeats),
            Some(EncoderPart::FinalNorm) => Some(self.depth().saturating_sub(1)),
            None => Some(self.depth()),
        };
        // Weights that do not change are packed once.
        let whole = layers.unwrap_or(0) / self.repeats;
        for layer in self.layers.iter_mut().take(whole) {
            layer.pack_weights(WeightFormat::F32);
        }
        self.frozen = layers.map(|layers| FrozenPart { layers, states });
    }

    /// The first layer that is not frozen, and what it takes, as [`batch`](Self::batch) lays out such an input.
    ///
    /// # Shapes
    ///
    /// `[T, H]`, with padding where the encoder pads.
    pub(crate) fn above_frozen(
        &self,
        input: &EncoderInput,
    ) -> Result<Option<(usize, Tensor<2>)>, EncoderError> {
        let (Some(frozen), EncoderInput::Ragged(ragged)) = (&self.frozen, input) else {
            return Ok(None);
        };
        let hidden = self.frozen_hidden(frozen, ragged, None)?;
        let hidden = match self.has_kernels() {
            true => hidden,
            false => spread(hidden, ragged.lengths(), ragged.dims()),
        };
        Ok(Some((frozen.layers, hidden)))
    }

    /// The last hidden state of some tokens, where nothing of the encoder is trained.
    ///
    /// # Shapes
    ///
    /// `[Q, H]`.
    pub(crate) fn frozen_selected(
        &self,
        input: &EncoderInput,
        positions: &[Vec<usize>],
    ) -> Result<Option<Tensor<2>>, EncoderError> {
        match (&self.frozen, input) {
            (Some(frozen), EncoderInput::Ragged(ragged)) if frozen.layers == self.depth() => {
                check_positions(positions, ragged.lengths())?;
                let selected = self.frozen_hidden(frozen, ragged, Some(positions))?;
                Ok(Some(selected))
            }
            _ => Ok(None),
        }
    }

    /// What comes out of the frozen part, without padding: of every token, or of those at the positions of each sequence.
    ///
    /// # Shapes
    ///
    /// `[T, H]` or `[Q, H]`.
    fn frozen_hidden(
        &self,
        frozen: &FrozenPart,
        input: &RaggedInput,
        positions: Option<&[Vec<usize>]>,
    ) -> Result<Tensor<2>, EncoderError> {
        let words = self.embeddings.word_embeddings.weight.val();
        let (device, dtype) = (words.device(), words.dtype());
        let Some(states) = &frozen.states else {
            let hidden = self.compute_frozen(frozen, input, positions)?;
            return Ok(match device.is_autodiff() {
                true => Tensor::from_inner(hidden),
                false => hidden,
            });
        };
        let rows = self.kept_hidden(frozen, states.as_ref(), input, positions)?;
        let count = positions.map_or(input.tokens(), |all| all.iter().map(Vec::len).sum());
        let width = rows.len() / count.max(1);
        Ok(Tensor::from_data(
            TensorData::new(rows, [count, width]),
            (&device, dtype),
        ))
    }

    /// The same rows on the host; only sequences that `states` does not know are computed.
    fn kept_hidden(
        &self,
        frozen: &FrozenPart,
        states: &dyn FrozenStates,
        input: &RaggedInput,
        positions: Option<&[Vec<usize>]>,
    ) -> Result<Vec<f32>, EncoderError> {
        let failed = |error: io::Error| EncoderError::FrozenStates {
            reason: error.to_string(),
        };
        let keys = keys(input, positions);
        let found = keys.iter().map(|key| states.get(key));
        let mut found: Vec<Option<Vec<f32>>> = found.collect::<io::Result<_>>().map_err(failed)?;
        let missing: Vec<usize> = (0..keys.len())
            .filter(|&row| found[row].is_none())
            .collect();
        if !missing.is_empty() {
            let picked: Option<Vec<Vec<usize>>> =
                positions.map(|all| missing.iter().map(|&row| all[row].clone()).collect());
            let hidden = self.compute_frozen(frozen, &input.subset(&missing), picked.as_deref())?;
            let [_, width] = hidden.dims();
            let computed: Vec<f32> = hidden.into_data().iter::<f32>().collect();
            let mut rest = computed.as_slice();
            let mut keys = keys;
            for row in missing {
                let count = positions.map_or(input.lengths()[row], |all| all[row].len());
                let (rows, others) = rest.split_at(count * width);
                rest = others;
                let key = std::mem::take(&mut keys[row]);
                found[row] = Some(states.put(key, rows.to_vec()).map_err(failed)?);
            }
        }
        let rows: Vec<Vec<f32>> = found.into_iter().flatten().collect();
        Ok(rows.concat())
    }

    /// Computes the frozen part on the device without gradients. Shapes are those of
    /// [`frozen_hidden`](Self::frozen_hidden).
    fn compute_frozen(
        &self,
        frozen: &FrozenPart,
        input: &RaggedInput,
        positions: Option<&[Vec<usize>]>,
    ) -> Result<Tensor<2>, EncoderError> {
        let words = self.embeddings.word_embeddings.weight.val();
        let mut lower = match words.device().is_autodiff() {
            true => self.valid(),
            false => self.clone(),
        };
        lower.frozen = None;
        match positions {
            Some(positions) => lower.forward_selected(input.clone().into(), positions),
            None => {
                let hidden = lower.forward_below(input.clone().into(), frozen.layers)?;
                Ok(gathered(hidden, input.lengths(), input.dims()))
            }
        }
    }
}

/// What the hidden states of each sequence depend on: its tokens and segments, and which of them are wanted.
fn keys(input: &RaggedInput, positions: Option<&[Vec<usize>]>) -> Vec<Vec<i32>> {
    let sequences = input.sequences().zip(input.segments()).enumerate();
    let key = |(row, (ids, segments)): (usize, (&[i32], &[i32]))| {
        let mut key = ids.to_vec();
        if segments.iter().any(|&segment| segment != 0) {
            key.push(SEPARATOR);
            key.extend_from_slice(segments);
        }
        if let Some(positions) = positions {
            key.extend([SEPARATOR; 2]);
            key.extend(positions[row].iter().map(|&position| position as i32));
        }
        key
    };
    sequences.map(key).collect()
}
