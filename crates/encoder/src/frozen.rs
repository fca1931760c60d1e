// B sequences, T tokens of all sequences, Q tokens that are wanted, H hidden

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{IndexingUpdateOp, Tensor, TensorData};

use crate::sequences::indices;
use crate::{Encoder, EncoderError, EncoderPart, RaggedInput};

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
    pub(crate) layers: usize,
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
        let layers = self.layers.len() * self.repeats;
        let layers = match lowest_trained {
            Some(EncoderPart::Embeddings) => None,
            Some(EncoderPart::Layer(index)) => Some(index * self.repeats),
            Some(EncoderPart::FinalNorm) => Some(layers.saturating_sub(1)),
            None => Some(layers),
        };
        self.frozen = layers.map(|layers| FrozenPart { layers, states });
    }

    /// Whether nothing of this encoder is trained.
    pub(crate) fn is_all_frozen(&self, frozen: &FrozenPart) -> bool {
        frozen.layers == self.layers.len() * self.repeats
    }

    /// What comes out of the frozen part, without padding: of every token, or of those at the positions of each sequence.
    ///
    /// # Shapes
    ///
    /// `[T, H]` or `[Q, H]`.
    pub(crate) fn frozen_hidden(
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
        let width = self.hidden_size();
        let count = rows.len() / width.max(1);
        Ok(Tensor::from_data(TensorData::new(rows, [count, width]), (&device, dtype)))
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
        let missing: Vec<usize> = (0..keys.len()).filter(|&row| found[row].is_none()).collect();
        if !missing.is_empty() {
            let picked: Option<Vec<Vec<usize>>> =
                positions.map(|all| missing.iter().map(|&row| all[row].clone()).collect());
            let hidden =
                self.compute_frozen(frozen, &input.subset(&missing), picked.as_deref())?;
            let computed: Vec<f32> = hidden.into_data().iter::<f32>().collect();
            let mut rest = computed.as_slice();
            let mut keys = keys;
            for row in missing {
                let count = positions.map_or(input.lengths()[row], |all| all[row].len());
                let (rows, others) = rest.split_at(count * self.hidden_size());
                rest = others;
                let key = std::mem::take(&mut keys[row]);
                found[row] = Some(states.put(key, rows.to_vec()).map_err(failed)?);
            }
        }
        Ok(found.into_iter().flatten().flatten().collect())
    }

    /// Computes the frozen part on the device without gradients. Shapes are those of
    /// [`frozen_hidden`](Self::frozen_hidden).
    fn compute_frozen(
        &self,
        frozen: &FrozenPart,
        input: &RaggedInput,
        positions: Option<&[Vec<usize>]>,
    ) -> Result<Tensor<2>, EncoderError> {
        let is_autodiff = self.embeddings.word_embeddings.weight.val().device().is_autodiff();
        let mut lower = if is_autodiff { self.valid() } else { self.clone() };
        lower.frozen = None;
        match positions {
            Some(positions) => lower.forward_selected(input.clone().into(), positions),
            None => lower.forward_below(input, frozen.layers),
        }
    }

    /// Rows of tokens where a batch with padding has them, `[T, H]` → `[B · S, H]`; padding is zero.
    pub(crate) fn spread(hidden: Tensor<2>, input: &RaggedInput) -> Tensor<2> {
        let [batch, sequence] = input.dims();
        let [tokens, width] = hidden.dims();
        if tokens == batch * sequence {
            return hidden;
        }
        let device = hidden.device();
        let zeros = Tensor::zeros([batch * sequence, width], (&device, hidden.dtype()));
        zeros.select_assign(0, places(input, &device), hidden, IndexingUpdateOp::Add)
    }

    /// The inverse of [`spread`](Self::spread).
    pub(crate) fn collect(hidden: Tensor<2>, input: &RaggedInput) -> Tensor<2> {
        let [rows, _] = hidden.dims();
        if rows == input.tokens() {
            return hidden;
        }
        let device = hidden.device();
        hidden.select(0, places(input, &device))
    }
}

/// Where the tokens of a batch are when it is padded.
fn places(
    input: &RaggedInput,
    device: &burn::tensor::Device,
) -> Tensor<1, burn::tensor::Int> {
    let [_, sequence] = input.dims();
    let rows = input.lengths().iter().enumerate();
    let places = rows.flat_map(|(row, &length)| row * sequence..row * sequence + length);
    indices(places, device)
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
