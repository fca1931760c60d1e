// B sequences, S positions, T tokens of all sequences, H hidden

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::sequences::indices;
use crate::{EncoderError, FirstPosition, PaddedInput, RaggedInput, Sequences};

/// A batch as tokens `[T]` of sequences.
pub(crate) struct Batch {
    pub(crate) input_ids: Tensor<1, Int>,
    /// All zero when `None`.
    pub(crate) token_type_ids: Option<Tensor<1, Int>>,
    pub(crate) position_ids: Tensor<1, Int>,
    pub(crate) sequences: Sequences,
    /// `[B, S]`.
    dims: [usize; 2],
}

/// How the embeddings number positions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Numbering {
    /// From 0.
    FromZero,
    /// Tokens unlike this padding token are counted from its id + 1 on, and the padding token has its id as its position:
    /// `create_position_ids_from_input_ids` of transformers.
    After {
        /// `pad_token_id`.
        padding: usize,
    },
}

impl Numbering {
    pub(crate) fn new(first_position: FirstPosition, pad_token_id: Option<usize>) -> Self {
        match first_position {
            FirstPosition::Zero => Self::FromZero,
            FirstPosition::AfterPadding => Self::After {
                padding: pad_token_id.unwrap_or(0),
            },
        }
    }

    /// The position of the first token.
    pub(crate) fn first(self) -> usize {
        match self {
            Self::FromZero => 0,
            Self::After { padding } => padding + 1,
        }
    }

    /// `[T]`, of sequences one behind the other.
    fn of_sequences(self, ragged: &RaggedInput, device: &Device) -> Tensor<1, Int> {
        let positions = ragged.sequences().flat_map(|ids| self.of_sequence(ids));
        indices(positions, device)
    }

    fn of_sequence(self, input_ids: &[i32]) -> Vec<usize> {
        match self {
            Self::FromZero => (0..input_ids.len()).collect(),
            Self::After { padding } => {
                let mut last = padding;
                let position = |&id: &i32| {
                    if usize::try_from(id) == Ok(padding) {
                        return padding;
                    }
                    last += 1;
                    last
                };
                input_ids.iter().map(position).collect()
            }
        }
    }

    /// `[B, S]` → `[B · S]`.
    fn of_rows(self, input_ids: &Tensor<2, Int>) -> Tensor<1, Int> {
        let [batch, sequence] = input_ids.dims();
        match self {
            Self::FromZero => indices((0..batch).flat_map(|_| 0..sequence), &input_ids.device()),
            Self::After { padding } => {
                let padding = padding as i64;
                let real = input_ids.clone().not_equal_scalar(padding).int();
                let counted = real.clone().cumsum(1) * real + padding;
                counted.reshape([batch * sequence])
            }
        }
    }
}

impl Batch {
    /// The tokens alone, for devices that have kernels.
    pub(crate) fn ragged(ragged: &RaggedInput, numbering: Numbering, device: &Device) -> Self {
        let (input_ids, token_type_ids) = ragged.to_flat(device);
        Self {
            input_ids,
            token_type_ids,
            position_ids: numbering.of_sequences(ragged, device),
            sequences: Sequences::ragged(ragged.lengths()),
            dims: ragged.dims(),
        }
    }

    /// Every place of the rows, padding included.
    pub(crate) fn padded(padded: PaddedInput, numbering: Numbering) -> Self {
        let dims @ [batch, sequence] = padded.input_ids.dims();
        let flat = |ids: Tensor<2, Int>| ids.reshape([batch * sequence]);
        let mask = padded.attention_mask.map(additive_mask);
        Self {
            position_ids: numbering.of_rows(&padded.input_ids),
            input_ids: flat(padded.input_ids),
            token_type_ids: padded.token_type_ids.map(flat),
            sequences: Sequences::padded(batch, sequence, mask),
            dims,
        }
    }

    /// `[T, H]` → `[B, S, H]`, zero where there is no token.
    pub(crate) fn unpack(&self, hidden: Tensor<2>) -> Tensor<3> {
        let ([batch, sequence], [_, width]) = (self.dims, hidden.dims());
        spread(hidden, &self.sequences.lengths(), self.dims).reshape([batch, sequence, width])
    }

    /// The mean over each row's real tokens; a row without any has the mean 0.
    ///
    /// # Shapes
    ///
    /// `[T, H]` → `[B, H]`.
    pub(crate) fn mean(&self, hidden: Tensor<2>) -> Tensor<2> {
        let [batch, sequence] = self.dims;
        let hidden_bsh = self.unpack(hidden);
        let real_bs1 = match self.sequences.mask() {
            Some(mask) => mask.equal_scalar(0.0).float().reshape([batch, sequence, 1]),
            None => real_tokens(&self.sequences.lengths(), sequence, &hidden_bsh),
        };
        mean_of(hidden_bsh, real_bs1)
    }
}

/// Whether there are positions for each row of so many tokens, all of them within it.
pub(crate) fn check_positions(
    positions: &[Vec<usize>],
    lengths: &[usize],
) -> Result<(), EncoderError> {
    if positions.len() != lengths.len() {
        return Err(EncoderError::LengthCount {
            name: "positions",
            found: positions.len(),
            batch_size: lengths.len(),
        });
    }
    let rows = positions.iter().zip(lengths).enumerate();
    for (row, (positions, &length)) in rows {
        if let Some(&position) = positions.iter().find(|&&position| position >= length) {
            return Err(EncoderError::Position {
                row,
                position,
                length,
            });
        }
    }
    Ok(())
}

/// The tokens of sequences of these lengths where a batch with padding has them, zero elsewhere.
///
/// # Shapes
///
/// `[T, H]` → `[B · S, H]`.
pub(crate) fn spread(hidden: Tensor<2>, lengths: &[usize], dims: [usize; 2]) -> Tensor<2> {
    let ([batch, sequence], [tokens, width]) = (dims, hidden.dims());
    if tokens == batch * sequence {
        return hidden;
    }
    let places = places(lengths, sequence, &hidden.device());
    let zeros = Tensor::zeros([batch * sequence, width], &hidden.device());
    zeros.select_assign(0, places, hidden, IndexingUpdateOp::Add)
}

/// The inverse of [`spread`].
pub(crate) fn gathered(hidden: Tensor<2>, lengths: &[usize], dims: [usize; 2]) -> Tensor<2> {
    let ([_, sequence], [rows, _]) = (dims, hidden.dims());
    if rows == lengths.iter().sum::<usize>() {
        return hidden;
    }
    let places = places(lengths, sequence, &hidden.device());
    hidden.select(0, places)
}

/// The rows of the tokens among those of a batch with padding, `[T]`.
fn places(lengths: &[usize], sequence: usize, device: &Device) -> Tensor<1, Int> {
    let rows = lengths.iter().enumerate();
    let places = rows.flat_map(|(row, &length)| row * sequence..row * sequence + length);
    indices(places, device)
}

/// 1 for the first tokens of each row, as many as it has, and 0 behind them, `[B, S, 1]`. `like` gives device and type.
pub(crate) fn real_tokens(lengths: &[usize], sequence: usize, like: &Tensor<3>) -> Tensor<3> {
    let row = |&length: &usize| (0..sequence).map(move |position| position < length);
    let real: Vec<f32> = lengths.iter().flat_map(row).map(f32::from).collect();
    let real = TensorData::new(real, [lengths.len(), sequence, 1]);
    Tensor::from_data(real, (&like.device(), like.dtype()))
}

/// The mean over the positions with the weight 1, 0 where there are none.
///
/// # Shapes
///
/// `hidden` `[B, S, H]`, `weights` `[B, S, 1]`, each 0 or 1 → `[B, H]`.
pub(crate) fn mean_of(hidden: Tensor<3>, weights: Tensor<3>) -> Tensor<2> {
    let counts = weights.clone().sum_dim(1).clamp_min(1.0);
    ((hidden * weights).sum_dim(1) / counts).squeeze_dim(1)
}

/// Zero where attention may look, the lowest finite number of the element type where it may not: a row that is all padding
/// then attends uniformly instead of dividing zero by zero, as in transformers.
///
/// # Shapes
///
/// `[B, S]` → `[B · S]`.
pub(crate) fn additive_mask(attention_mask: Tensor<2, Int>) -> Tensor<1> {
    let [batch, sequence] = attention_mask.dims();
    let hidden = attention_mask.equal_scalar(0);
    let zeros: Tensor<2> = Tensor::zeros([batch, sequence], &hidden.device());
    let lowest = zeros
        .dtype()
        .finfo()
        .map_or(f64::from(f32::MIN), |info| info.min);
    zeros.mask_fill(hidden, lowest).reshape([batch * sequence])
}
