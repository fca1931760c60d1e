use burn::tensor::Tensor;
use burn::tensor::activation::{gelu_approximate, relu, sigmoid, silu};
use serde::{Deserialize, Serialize};

/// `QuickGELUActivation` of transformers.
const QUICK_GELU_SCALE: f64 = 1.702;

/// The activation between the two linear layers of a layer's feed-forward network: `hidden_act` of config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HiddenAct {
    /// `x · Φ(x)` through erf.
    #[default]
    #[serde(rename = "gelu", alias = "gelu_python")]
    Gelu,
    /// GELU's tanh approximation, as in Google's original code. `gelu_fast` and `gelu_accurate` write the same function
    /// otherwise.
    #[serde(rename = "gelu_new", alias = "gelu_fast", alias = "gelu_accurate")]
    GeluNew,
    /// The same function as [`GeluNew`](Self::GeluNew) under PyTorch's name for it.
    #[serde(rename = "gelu_pytorch_tanh", alias = "gelu_python_tanh")]
    GeluPytorchTanh,
    /// `x · sigmoid(1.702 x)`.
    #[serde(rename = "quick_gelu")]
    QuickGelu,
    /// `max(x, 0)`.
    #[serde(rename = "relu")]
    Relu,
    /// `x · sigmoid(x)`.
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// `tanh(x)`.
    #[serde(rename = "tanh")]
    Tanh,
}

impl HiddenAct {
    /// Applies the activation element by element.
    ///
    /// # Shapes
    ///
    /// Any shape; the output has the shape of the input.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            HiddenAct::Gelu => bert_kernels::gelu(x),
            HiddenAct::GeluNew | HiddenAct::GeluPytorchTanh => gelu_approximate(x),
            HiddenAct::Relu => relu(x),
            HiddenAct::QuickGelu => x.clone() * sigmoid(x * QUICK_GELU_SCALE),
            HiddenAct::Silu => silu(x),
            HiddenAct::Tanh => x.tanh(),
        }
    }
}
