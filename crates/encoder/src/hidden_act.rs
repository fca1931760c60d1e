use burn::tensor::Tensor;
use burn::tensor::activation::{gelu_approximate, relu, silu};

use crate::HiddenAct;

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
            HiddenAct::Silu => silu(x),
        }
    }
}
