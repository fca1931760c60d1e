// B sequences, S positions, H hidden

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

use serde::{Deserialize, Serialize};

use crate::batch::{mean_of, real_tokens};
use crate::{EncoderConfig, HiddenAct, Linear};

/// What of a sequence a classifier looks at, spelled as in `classifier_pooling` of config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Pooling {
    /// Its first token.
    #[default]
    #[serde(rename = "cls")]
    First,
    /// The mean over its tokens.
    #[serde(rename = "mean")]
    Mean,
}

impl Pooling {
    /// What it looks at in rows of so many tokens; `lengths` matter for the mean alone.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]`, B lengths → `[B, H]`.
    pub fn of_hidden(self, last_hidden_state: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        let [_, sequence, _] = last_hidden_state.dims();
        match self {
            Self::First => last_hidden_state.narrow(1, 0, 1).squeeze_dim::<2>(1),
            Self::Mean => {
                let real = real_tokens(lengths, sequence, &last_hidden_state);
                mean_of(last_hidden_state, real)
            }
        }
    }
}

/// What a [`Pooler`] computes: [`Family::pooling`](crate::Family::pooling).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolerConfig {
    /// What of a sequence it looks at.
    pub pooling: Pooling,
    /// Dropout before the linear layer, in [0, 1).
    pub input_dropout: f64,
    /// Whether the linear layer has a bias.
    pub bias: bool,
    /// After the linear layer.
    pub activation: HiddenAct,
    /// ε of the LayerNorm after the activation, where there is one.
    pub norm_eps: Option<f64>,
    /// Whether this LayerNorm has a bias.
    pub norm_bias: bool,
}

impl PoolerConfig {
    /// A linear layer with a bias, and an activation.
    pub(crate) const fn dense(activation: HiddenAct) -> Self {
        Self {
            pooling: Pooling::First,
            input_dropout: 0.0,
            bias: true,
            activation,
            norm_eps: None,
            norm_bias: true,
        }
    }
}

/// The hidden state of the first token, or the mean of all, through dropout, a linear layer, an activation and a LayerNorm, as
/// far as the family has them. The heads that need it hold it.
#[derive(Module, Debug)]
pub struct Pooler {
    /// Before the linear layer.
    pub dropout: Dropout,
    /// `[H, H]`.
    pub dense: Linear,
    /// After the activation, in families that have it.
    pub norm: Option<LayerNorm>,
    #[module(skip)]
    activation: HiddenAct,
    #[module(skip)]
    pooling: Pooling,
}

impl Pooler {
    /// A pooler with fresh weights.
    pub fn new(config: &EncoderConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let pooling = (config.model_type.family().pooling)(config);
        let norm = |epsilon| {
            LayerNormConfig::new(hidden)
                .with_epsilon(epsilon)
                .with_bias(pooling.norm_bias)
                .init(device)
        };
        let mut dense = Linear::new(hidden, hidden, config.initializer_range, device);
        if !pooling.bias {
            dense.bias = None;
        }
        Self {
            dropout: DropoutConfig::new(pooling.input_dropout).init(),
            dense,
            norm: pooling.norm_eps.map(norm),
            activation: pooling.activation,
            pooling: pooling.pooling,
        }
    }

    /// One for each token, in families whose heads for tokens have it; its [`pooling`](Self::pooling) does not matter then.
    pub fn of_tokens(config: &EncoderConfig, device: &Device) -> Option<Self> {
        let has_one = config.model_type.family().pools_tokens;
        has_one.then(|| Self::new(config, device))
    }

    /// What of a sequence [`forward`](Self::forward) takes.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// What follows the [`pooling`](Self::pooling).
    ///
    /// # Shapes
    ///
    /// `[B, H]` → `[B, H]`.
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let dense = self.dense.forward(self.dropout.forward(pooled));
        let activated = self.activation.forward(dense);
        match &self.norm {
            Some(norm) => norm.forward(activated),
            None => activated,
        }
    }

    /// Pools the first tokens of sequences.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, H]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Tensor<2> {
        self.forward(Pooling::First.of_hidden(last_hidden_state, &[]))
    }
}
