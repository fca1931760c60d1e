// B sequences, S positions, T tokens of all sequences, H hidden

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

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
    pub(crate) fn ragged(lengths: &[usize]) -> Self {
        Self {
            lengths: lengths.into(),
            mask_b11s: None,
        }
    }

    /// The rows of each sequence.
    pub(crate) fn lengths(&self) -> Arc<[usize]> {
        self.lengths.clone()
    }

    /// B.
    pub(crate) fn batch(&self) -> usize {
        self.lengths.len()
    }

    /// `[B, 1, 1, S]`, for sequences of one length.
    pub(crate) fn mask(&self) -> Option<Tensor<4>> {
        self.mask_b11s.clone()
    }

    /// `[T]`.
    pub(crate) fn flat_mask(&self, device: &Device) -> Tensor<1> {
        let tokens = self.lengths.iter().sum::<usize>();
        match &self.mask_b11s {
            Some(mask_b11s) => mask_b11s.clone().reshape([tokens]),
            None => Tensor::zeros([tokens], device),
        }
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

/// `[Q]`.
pub(crate) fn indices(values: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.map(|value| value as i64).collect();
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}
