use burn::tensor::Tensor;
use burn::tensor::activation::{gelu_approximate, relu, sigmoid, silu};

use crate::HiddenAct;

/// `QuickGELUActivation` of transformers.
const QUICK_GELU_SCALE: f64 = 1.702;

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
