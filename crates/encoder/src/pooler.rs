// B sequences, S positions, H hidden

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::init::linear;
use crate::{EncoderConfig, HiddenAct};

/// What a [`Pooler`] computes: [`Family::pooling`](crate::Family::pooling).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolerConfig {
    /// Dropout before the linear map, in [0, 1).
    pub input_dropout: f64,
    /// Whether the linear map has a bias.
    pub bias: bool,
    /// After the linear map.
    pub activation: HiddenAct,
    /// ε of the LayerNorm after the activation, where there is one.
    pub norm_eps: Option<f64>,
}

impl PoolerConfig {
    /// A linear map with a bias, and an activation.
    pub(crate) const fn dense(activation: HiddenAct) -> Self {
        Self {
            input_dropout: 0.0,
            bias: true,
            activation,
            norm_eps: None,
        }
    }
}

/// The first token's hidden state through dropout, a linear map, an activation and a LayerNorm, as far as the family has
/// them. The heads that need it hold it.
#[derive(Module, Debug)]
pub struct Pooler {
    /// Before the linear map.
    pub dropout: Dropout,
    /// `[H, H]`.
    pub dense: Linear,
    /// After the activation, in families that have it.
    pub norm: Option<LayerNorm>,
    #[module(skip)]
    activation: HiddenAct,
}

impl Pooler {
    /// A pooler with fresh weights.
    pub fn new(config: &EncoderConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let pooling = (config.model_type.family().pooling)(config);
        let norm = |epsilon| {
            LayerNormConfig::new(hidden)
                .with_epsilon(epsilon)
                .init(device)
        };
        let mut dense = linear(hidden, hidden, config.initializer_range, device);
        if !pooling.bias {
            dense.bias = None;
        }
        Self {
            dropout: DropoutConfig::new(pooling.input_dropout).init(),
            dense,
            norm: pooling.norm_eps.map(norm),
            activation: pooling.activation,
        }
    }

    /// Pools the last hidden states of first tokens.
    ///
    /// # Shapes
    ///
    /// `[B, H]` → `[B, H]`.
    pub fn forward(&self, first_tokens: Tensor<2>) -> Tensor<2> {
        let dense = self.dense.forward(self.dropout.forward(first_tokens));
        let activated = self.activation.forward(dense);
        match &self.norm {
            Some(norm) => norm.forward(activated),
            None => activated,
        }
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
