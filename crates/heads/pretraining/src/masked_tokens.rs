// B batch, S sequence, T = B · S tokens, M masked tokens, H hidden

use bert_kernels::IGNORE_INDEX;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// The tokens of a batch that a loss is computed on, and what they should be predicted as.
#[derive(Debug, Clone)]
pub struct MaskedTokens {
    /// Places among the B·S of the batch, in their order.
    places: Vec<usize>,
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
        let (mut places, mut taken): (Vec<usize>, Vec<i32>) = labels
            .iter()
            .copied()
            .enumerate()
            .filter(takes_part)
            .unzip();
        let count = taken.len();
        if count == 0 {
            places.push(0);
            taken.push(IGNORE_INDEX as i32);
        }
        let shape = [taken.len()];
        Self {
            places,
            labels: Tensor::from_data(TensorData::new(taken, shape), device),
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

    /// The positions of the tokens in each row of a batch of this shape.
    pub fn positions(&self, [batch, sequence]: [usize; 2]) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); batch];
        for place in &self.places {
            rows[place / sequence].push(place % sequence);
        }
        rows
    }

    /// The hidden states of the tokens.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[max(M, 1), H]`.
    pub fn select(&self, last_hidden_state: Tensor<3>) -> Tensor<2> {
        let [batch, sequence, hidden] = last_hidden_state.dims();
        let places: Vec<i64> = self.places.iter().map(|&place| place as i64).collect();
        let shape = [places.len()];
        let places = TensorData::new(places, shape);
        let places = Tensor::from_data(places, &last_hidden_state.device());
        last_hidden_state
            .reshape([batch * sequence, hidden])
            .select(0, places)
    }
}
