// K columns in, N columns out, R the rank

use bert_kernels::{LowRankWeights, column_norms};
use burn::module::{Initializer, Module, Param};
use burn::nn::{self, Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

use crate::Linear;

/// What a low-rank adapter is made of, in PEFT's words (`LoraConfig`).
#[derive(Debug, Clone, PartialEq)]
pub struct LowRankConfig {
    /// R, `r`.
    pub rank: usize,
    /// `lora_alpha`, from which the [`scale`](Self::scale) follows.
    pub alpha: f64,
    /// `lora_dropout`, on the adapter's input.
    pub dropout: f64,
    /// A magnitude for each output: DoRA.
    pub use_dora: bool,
    /// The scale of rank-stabilised LoRA (Kalajdzievski, <https://arxiv.org/abs/2312.03732>).
    pub use_rslora: bool,
}

impl LowRankConfig {
    /// What the product of both matrices is multiplied by: `alpha / R`, or `alpha / √R` of rank-stabilised LoRA.
    pub fn scale(&self) -> f64 {
        let rank = self.rank as f64;
        match self.use_rslora {
            true => self.alpha / rank.sqrt(),
            false => self.alpha / rank,
        }
    }
}

/// A low-rank adapter beside a linear layer; see [`LowRankWeights`] for what it computes.
#[derive(Module, Debug)]
pub struct LowRank {
    /// A, `[K, R]`, `lora_A` in PEFT.
    pub down: nn::Linear,
    /// B, `[R, N]`, `lora_B` in PEFT.
    pub up: nn::Linear,
    /// DoRA's `[N]`, `lora_magnitude_vector` in PEFT.
    pub magnitude: Option<Param<Tensor<1>>>,
    /// On the adapter's input.
    pub dropout: Dropout,
    #[module(skip)]
    scale: f64,
}

impl LowRank {
    /// As PEFT initialises it: A uniform within ±1 / √K, which is `kaiming_uniform_(a=√5)`, and B zero.
    pub(crate) fn beside(linear: &Linear, config: &LowRankConfig, device: &Device) -> Self {
        let [inputs, outputs] = linear.sizes();
        let bound = (inputs as f64).powf(-0.5);
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let map = |initializer: Initializer, d_input, d_output| nn::Linear {
            weight: initializer.init([d_input, d_output], device),
            bias: None,
        };
        let magnitude = config.use_dora.then(|| {
            let norms = column_norms(linear.weight.val());
            Param::from_tensor(norms.reshape([outputs]))
        });
        Self {
            down: map(uniform, inputs, config.rank),
            up: map(Initializer::Zeros, config.rank, outputs),
            magnitude,
            dropout: DropoutConfig::new(config.dropout).init(),
            scale: config.scale(),
        }
    }

    /// The same as an argument of `bert-kernels`.
    pub(crate) fn weights(&self) -> LowRankWeights {
        let down = self.down.weight.val();
        let is_training = self.dropout.training.is_enabled() && down.device().is_autodiff();
        LowRankWeights {
            dropout: if is_training { self.dropout.prob } else { 0.0 },
            down,
            up: self.up.weight.val(),
            scale: self.scale,
            magnitude: self.magnitude.as_ref().map(Param::val),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_of_rank_stabilised_adapters_falls_with_the_root_of_the_rank() {
        let config = |use_rslora| LowRankConfig {
            rank: 4,
            alpha: 16.0,
            dropout: 0.0,
            use_dora: false,
            use_rslora,
        };
        assert_eq!(config(false).scale(), 4.0);
        assert_eq!(config(true).scale(), 8.0);
    }
}
