// B sequences, S positions, H hidden

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use crate::EncoderConfig;
use crate::init::linear;

/// BERT's pooler: the first token's hidden state through a linear map and tanh. The heads that need it hold it.
#[derive(Module, Debug)]
pub struct Pooler {
    /// `[H, H]`.
    pub dense: Linear,
}

impl Pooler {
    /// A pooler with fresh weights.
    pub fn new(config: &EncoderConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            dense: linear(hidden, hidden, config.initializer_range, device),
        }
    }

    /// Pools the last hidden states of first tokens.
    ///
    /// # Shapes
    ///
    /// `[B, H]` → `[B, H]`.
    pub fn forward(&self, first_tokens: Tensor<2>) -> Tensor<2> {
        self.dense.forward(first_tokens).tanh()
    }

    /// Pools whole sequences.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, H]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Tensor<2> {
        self.forward(last_hidden_state.narrow(1, 0, 1).squeeze_dim::<2>(1))
    }
}
