// T rows, K columns in, N columns out

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use bert_kernels::{Epilogue, Precision};

use crate::{LowRank, LowRankConfig, init, kernel_args};

/// A linear layer `x W + b` of an encoder or a pooler, that may have an adapter beside it.
#[derive(Module, Debug)]
pub struct Linear {
    /// W, `[K, N]`.
    pub weight: Param<Tensor<2>>,
    /// b, `[N]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The adapter, while it is trained.
    pub low_rank: Option<LowRank>,
    /// In which numbers the map multiplies in training.
    #[module(skip)]
    pub(crate) precision: Precision,
}

impl Linear {
    /// As BERT initialises it: the weight from N(0, `initializer_range`), the bias zero.
    pub(crate) fn new(
        d_input: usize,
        d_output: usize,
        initializer_range: f64,
        device: &Device,
    ) -> Self {
        let plain = init::linear(d_input, d_output, initializer_range, device);
        Self {
            weight: plain.weight,
            bias: plain.bias,
            low_rank: None,
            precision: Precision::F32,
        }
    }

    /// Applies the map.
    ///
    /// # Shapes
    ///
    /// `[T, K]` → `[T, N]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.low_rank {
            Some(_) => {
                let weights = kernel_args::weights(self, None);
                bert_kernels::linear(x, weights, Epilogue::Bias)
            }
            None => {
                let bias = self.bias.as_ref().map(Param::val);
                burn::tensor::module::linear(x, self.weight.val(), bias)
            }
        }
    }

    /// K and N.
    pub fn sizes(&self) -> [usize; 2] {
        self.weight.lazy_shape().dims()
    }

    /// Puts a fresh adapter beside the map, which changes no output until it is trained. The weights must have their values,
    /// since a magnitude starts from them.
    pub fn adapt(&mut self, config: &LowRankConfig, device: &Device) {
        self.low_rank = Some(LowRank::beside(self, config, device));
    }
}
