// B sequences, S positions, T tokens of all sequences, H hidden

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// How the rows of `[T, H]` are the tokens of sequences: one behind the other, without gaps.
#[derive(Debug, Clone)]
pub struct Sequences {
    lengths: Arc<[usize]>,
    /// `[T]`.
    mask: Option<Tensor<1>>,
}

impl Sequences {
    /// Sequences of one length, with what is added to the scores of each key, `[T]`.
    pub fn padded(batch: usize, sequence: usize, mask: Option<Tensor<1>>) -> Self {
        Self {
            lengths: vec![sequence; batch].into(),
            mask,
        }
    }

    /// Sequences of these lengths, every token of them real.
    pub(crate) fn ragged(lengths: &[usize]) -> Self {
        Self {
            lengths: lengths.into(),
            mask: None,
        }
    }

    /// The rows of each sequence.
    pub(crate) fn lengths(&self) -> Arc<[usize]> {
        self.lengths.clone()
    }

    /// What is added to the scores of each key, `[T]`.
    pub(crate) fn mask(&self) -> Option<Tensor<1>> {
        self.mask.clone()
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
