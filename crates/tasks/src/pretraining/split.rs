use std::path::PathBuf;

use bert_pretraining::MaskedTokens;
use bert_text::{Encoding, MaskedBlock, Masker, TokenBlock};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::Position;

/// −100: a position without a label.
const IGNORED: i32 = bert_kernels::IGNORE_INDEX as i32;

/// A plain text ready for the model.
#[derive(Debug, Clone)]
pub struct Split {
    /// The file it was read from.
    pub path: PathBuf,
    /// The tokens of each row, nothing masked.
    pub rows: Vec<TokenBlock>,
    /// The class of each pair: 0 if the second text follows the first, else 1. Empty for rows that are no pairs.
    pub next_sentence: Vec<i32>,
    /// Rows that were cut to the maximum length.
    pub truncated: usize,
}

impl Split {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Tokens of all rows, special ones included.
    pub fn tokens(&self) -> usize {
        self.rows.iter().map(TokenBlock::len).sum()
    }

    /// A row masked for a place of the run.
    pub(super) fn masked(&self, masker: &Masker, row: usize, position: Position) -> MaskedBlock {
        masker.mask(&self.rows[row], position.seed, position.epoch, row as u64)
    }

    /// A row as it is.
    pub(super) fn encoding(&self, row: usize) -> Encoding {
        self.seen_as(row, self.rows[row].input_ids.clone())
    }

    /// A row with these ids in place of its own. Offsets are not kept: no batch has them.
    pub(super) fn seen_as(&self, row: usize, input_ids: Vec<u32>) -> Encoding {
        Encoding {
            input_ids,
            token_type_ids: self.rows[row].token_type_ids.clone(),
            ..Encoding::default()
        }
    }

    /// The classes of some pairs, `[B]`.
    pub(super) fn classes(&self, rows: &[usize], device: &Device) -> Tensor<1, Int> {
        let classes: Vec<i32> = rows.iter().map(|&row| self.next_sentence[row]).collect();
        Tensor::from_data(TensorData::new(classes, [rows.len()]), device)
    }
}

/// The labels of the rows of a batch, padded as the batch is.
pub(super) fn masked_tokens(blocks: &[&MaskedBlock], device: &Device) -> MaskedTokens {
    MaskedTokens::new(&padded_labels(blocks), device)
}

fn padded_labels(blocks: &[&MaskedBlock]) -> Vec<i32> {
    let longest = blocks.iter().map(|block| block.labels.len()).max();
    let padded = |block: &&MaskedBlock| {
        let mut labels = block.labels.clone();
        labels.resize(longest.unwrap_or(0), IGNORED);
        labels
    };
    blocks.iter().flat_map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_padded_to_the_longest_row() {
        let block = |labels: &[i32]| MaskedBlock {
            input_ids: Vec::new(),
            labels: labels.to_vec(),
        };
        let (short, long) = (block(&[7]), block(&[-100, 5, 6]));
        assert_eq!(padded_labels(&[&short, &long]), [7, -100, -100, -100, 5, 6]);
    }
}
