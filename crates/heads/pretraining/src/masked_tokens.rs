// B batch, S sequence, T = B · S tokens, M masked tokens, H hidden

use bert_kernels::IGNORE_INDEX;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// The tokens of a batch that a loss is computed on, and what they should be predicted as.
#[derive(Debug, Clone)]
pub struct MaskedTokens {
    positions: Tensor<1, Int>,
    labels: Tensor<1, Int>,
    count: usize,
}

impl MaskedTokens {
    /// Takes the labels of a batch, B·S of them row by row, −100 where a token takes no part.
    ///
    /// Where no token takes part, the first one stands in with the label −100: the loss is then 0 and has a gradient, of
    /// zeros, for every parameter.
    pub fn new(labels: &[i32], device: &Device) -> Self {
        let takes_part = |(_, label): &(usize, i32)| i64::from(*label) != IGNORE_INDEX;
        let (mut positions, mut taken): (Vec<i32>, Vec<i32>) = labels
            .iter()
            .copied()
            .enumerate()
            .filter(takes_part)
            .map(|(position, label)| (position as i32, label))
            .unzip();
        let count = taken.len();
        if count == 0 {
            positions.push(0);
            taken.push(IGNORE_INDEX as i32);
        }
        let tensor = |values: Vec<i32>| {
            let shape = [values.len()];
            Tensor::<1, Int>::from_data(TensorData::new(values, shape), device)
        };
        Self {
            positions: tensor(positions),
            labels: tensor(taken),
            count,
        }
    }

    /// Number M of tokens that take part.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What the tokens should be predicted as, `[max(M, 1)]`.
    pub fn labels(&self) -> Tensor<1, Int> {
        self.labels.clone()
    }

    /// The hidden states of the tokens.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[max(M, 1), H]`.
    pub fn select(&self, last_hidden_state: Tensor<3>) -> Tensor<2> {
        let [batch, sequence, hidden] = last_hidden_state.dims();
        last_hidden_state
            .reshape([batch * sequence, hidden])
            .select(0, self.positions.clone())
    }
}
