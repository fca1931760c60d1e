// B sequences, S positions, T tokens of all sequences, H hidden

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::sequences::Packing;
use crate::{EncoderError, EncoderInput, Sequences};

/// A batch as tokens `[T]` of sequences.
pub(crate) struct Batch {
    pub(crate) input_ids: Tensor<1, Int>,
    pub(crate) token_type_ids: Tensor<1, Int>,
    pub(crate) sequences: Sequences,
    /// `[B, S]`.
    shape: [usize; 2],
    /// Where padding was left out.
    packing: Option<Packing>,
}

impl Batch {
    /// Leaves padding out where it `may_pack` and the lengths say where padding is.
    pub(crate) fn new(input: EncoderInput, shape: [usize; 2], may_pack: bool) -> Self {
        let is_full = |lengths: &Vec<usize>| lengths.iter().all(|&length| length == shape[1]);
        match input.lengths.clone() {
            Some(lengths) if is_full(&lengths) => Self::padded(input, None, shape),
            Some(lengths) if may_pack => Self::packed(input, &lengths, shape),
            _ => {
                let input = input.with_padding();
                let mask = input.attention_mask.clone().map(additive_mask);
                Self::padded(input, mask, shape)
            }
        }
    }

    fn padded(input: EncoderInput, mask: Option<Tensor<4>>, shape: [usize; 2]) -> Self {
        let [batch, sequence] = shape;
        let flat = |ids: Tensor<2, Int>| ids.reshape([batch * sequence]);
        let input_ids = flat(input.input_ids);
        let token_type_ids = input.token_type_ids.map(flat);
        Self {
            token_type_ids: token_type_ids.unwrap_or_else(|| input_ids.zeros_like()),
            input_ids,
            sequences: Sequences::padded(batch, sequence, mask),
            shape,
            packing: None,
        }
    }

    fn packed(input: EncoderInput, lengths: &[usize], shape: [usize; 2]) -> Self {
        let packing = Packing::new(lengths, shape[1], &input.input_ids.device());
        let input_ids = packing.pack(input.input_ids);
        let token_type_ids = input.token_type_ids.map(|types| packing.pack(types));
        Self {
            token_type_ids: token_type_ids.unwrap_or_else(|| input_ids.zeros_like()),
            input_ids,
            sequences: Sequences::packed(lengths),
            shape,
            packing: Some(packing),
        }
    }

    /// `[T, H]` → `[B, S, H]`.
    pub(crate) fn unpack(&self, hidden: Tensor<2>) -> Tensor<3> {
        match &self.packing {
            Some(packing) => packing.unpack(hidden),
            None => {
                let ([batch, sequence], [_, width]) = (self.shape, hidden.dims());
                hidden.reshape([batch, sequence, width])
            }
        }
    }

    /// Whether there are positions for each row, all of them within it.
    pub(crate) fn check_positions(&self, positions: &[Vec<usize>]) -> Result<(), EncoderError> {
        let lengths = self.sequences.lengths();
        if positions.len() != lengths.len() {
            return Err(EncoderError::LengthCount {
                name: "positions",
                found: positions.len(),
                batch_size: lengths.len(),
            });
        }
        let rows = positions.iter().zip(lengths.iter()).enumerate();
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
}

/// `[B, S]`: one up to each row's length, zero behind it.
pub(crate) fn mask_of(lengths: &[usize], sequence: usize, device: &Device) -> Tensor<2, Int> {
    let row = |&length: &usize| (0..sequence).map(move |position| i32::from(position < length));
    let values: Vec<i32> = lengths.iter().flat_map(row).collect();
    Tensor::from_data(TensorData::new(values, [lengths.len(), sequence]), device)
}

/// Zero where attention may look, the lowest finite number of the element type where it may not: a row that is all padding
/// then attends uniformly instead of dividing zero by zero, as in transformers.
fn additive_mask(attention_mask: Tensor<2, Int>) -> Tensor<4> {
    let [batch, sequence] = attention_mask.dims();
    let hidden = attention_mask.equal_scalar(0);
    let zeros: Tensor<2> = Tensor::zeros([batch, sequence], &hidden.device());
    let lowest = zeros
        .dtype()
        .finfo()
        .map_or(f64::from(f32::MIN), |info| info.min);
    zeros
        .mask_fill(hidden, lowest)
        .reshape([batch, 1, 1, sequence])
}
