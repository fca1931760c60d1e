// B sequences, S positions, T tokens of all sequences, H hidden

use std::sync::Arc;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

/// How the rows of `[T, H]` are the tokens of sequences: one behind the other, without gaps.
#[derive(Debug, Clone)]
pub struct Sequences {
    lengths: Arc<[usize]>,
    mask_b11s: Option<Tensor<4>>,
}

impl Sequences {
    /// Sequences of one length, with what is added to the scores of their keys, `[B, 1, 1, S]`.
    pub fn padded(batch: usize, sequence: usize, mask: Option<Tensor<4>>) -> Self {
        Self {
            lengths: vec![sequence; batch].into(),
            mask_b11s: mask,
        }
    }

    /// Sequences of these lengths, every token of them real.
    pub(crate) fn packed(lengths: &[usize]) -> Self {
        Self {
            lengths: lengths.into(),
            mask_b11s: None,
        }
    }

    /// The rows of each sequence.
    pub(crate) fn lengths(&self) -> Arc<[usize]> {
        self.lengths.clone()
    }

    /// What is added to the scores of each key, `[T]`.
    pub(crate) fn flat_mask(&self) -> Option<Tensor<1>> {
        let tokens = self.lengths.iter().sum::<usize>();
        let mask_b11s = self.mask_b11s.clone()?;
        Some(mask_b11s.reshape([tokens]))
    }

    /// The position of each token in its sequence, `[T]`.
    pub(crate) fn position_ids(&self, device: &Device) -> Tensor<1, Int> {
        indices(self.lengths.iter().flat_map(|&length| 0..length), device)
    }
}

/// Some tokens of `[T, H]`, in the order of their sequences.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Their rows, `[Q]`.
    pub(crate) rows: Tensor<1, Int>,
    /// How many of each sequence.
    pub(crate) counts: Arc<[usize]>,
}

impl Selection {
    /// `positions` of each sequence of these lengths.
    pub(crate) fn new(positions: &[Vec<usize>], lengths: &[usize], device: &Device) -> Self {
        let first_rows = lengths.iter().scan(0, |next, &length| {
            let first = *next;
            *next += length;
            Some(first)
        });
        let rows = positions
            .iter()
            .zip(first_rows)
            .flat_map(|(positions, first)| positions.iter().map(move |position| first + position));
        Self {
            rows: indices(rows, device),
            counts: positions.iter().map(Vec::len).collect(),
        }
    }
}

/// Which of the `B · S` places of a padded batch hold a token.
#[derive(Debug, Clone)]
pub(crate) struct Packing {
    /// `[T]`.
    places: Tensor<1, Int>,
    shape: [usize; 2],
}

impl Packing {
    pub(crate) fn new(lengths: &[usize], sequence: usize, device: &Device) -> Self {
        let rows = lengths.iter().enumerate();
        let places = rows.flat_map(|(row, &length)| row * sequence..row * sequence + length);
        Self {
            places: indices(places, device),
            shape: [lengths.len(), sequence],
        }
    }

    /// `[B, S]` → `[T]`.
    pub(crate) fn pack(&self, ids: Tensor<2, Int>) -> Tensor<1, Int> {
        ids.flatten::<1>(0, 1).select(0, self.places.clone())
    }

    /// `[T, H]` → `[B, S, H]`, zero where there is no token.
    pub(crate) fn unpack(&self, hidden: Tensor<2>) -> Tensor<3> {
        let [_, width] = hidden.dims();
        let [batch, sequence] = self.shape;
        let zeros = Tensor::zeros([batch * sequence, width], &hidden.device());
        zeros
            .select_assign(0, self.places.clone(), hidden, IndexingUpdateOp::Add)
            .reshape([batch, sequence, width])
    }
}

fn indices(values: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.map(|value| value as i64).collect();
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}
