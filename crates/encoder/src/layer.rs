// B sequences, S positions, T tokens of all sequences, H hidden, N heads

use std::sync::Arc;

use bert_kernels::{Epilogue, LinearWeights, PackedWeight, WeightFormat};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::{gelu_approximate, relu, silu};
use burn::tensor::{Device, Tensor};

use crate::fused::{self, packed_weights};
use crate::init::linear;
use crate::sequences::Selection;
use crate::{EncoderConfig, HiddenAct, SelfAttention, Sequences};

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

/// One post-LayerNorm transformer layer: self-attention and feed-forward network, each followed by
/// dense → dropout → LayerNorm(· + residual).
#[derive(Module, Debug)]
pub struct Layer {
    /// Self-attention.
    pub attention: SelfAttention,
    /// Output projection of the attention, `[H, H]`.
    pub attention_output: Linear,
    /// LayerNorm after the attention's residual.
    pub attention_norm: LayerNorm,
    /// `[H, intermediate_size]`.
    pub intermediate: Linear,
    /// `[intermediate_size, H]`.
    pub output: Linear,
    /// LayerNorm after the feed-forward network's residual.
    pub output_norm: LayerNorm,
    /// `hidden_dropout_prob`, after both output projections.
    pub dropout: Dropout,
    #[module(skip)]
    hidden_act: HiddenAct,
    #[module(skip)]
    layer_norm_eps: f64,
    /// Of the attention's output, the intermediate map and the output.
    #[module(skip)]
    packed: Option<[Arc<PackedWeight>; 3]>,
}

impl Layer {
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let dense = |d_in, d_out| linear(d_in, d_out, config.initializer_range, device);
        let norm = || {
            LayerNormConfig::new(hidden)
                .with_epsilon(config.layer_norm_eps)
                .init(device)
        };
        Self {
            attention: SelfAttention::new(config, device),
            attention_output: dense(hidden, hidden),
            attention_norm: norm(),
            intermediate: dense(hidden, inner),
            output: dense(inner, hidden),
            output_norm: norm(),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            hidden_act: config.hidden_act,
            layer_norm_eps: config.layer_norm_eps,
            packed: None,
        }
    }

    pub(crate) fn pack_weights(&mut self, format: WeightFormat) {
        self.attention.pack_weights(format);
        self.packed = Some(packed_weights(format));
    }

    /// Runs the layer.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → `[T, H]` and, if wanted, the attention probabilities `[B, N, S, S]`.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        sequences: &Sequences,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        let (context, probabilities) =
            self.attention
                .forward(hidden.clone(), sequences, want_probabilities);
        (self.after_attention(context, hidden), probabilities)
    }

    /// The output of some tokens: keys and values of all tokens, all else of these alone.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → `[Q, H]`.
    pub(crate) fn forward_selected(
        &self,
        hidden: Tensor<2>,
        sequences: &Sequences,
        selection: &Selection,
    ) -> Tensor<2> {
        let wanted = hidden.clone().select(0, selection.rows.clone());
        let counts = selection.counts.clone();
        let context = self
            .attention
            .forward_selected(hidden, wanted.clone(), sequences, counts);
        self.after_attention(context, wanted)
    }

    fn after_attention(&self, context: Tensor<2>, residual: Tensor<2>) -> Tensor<2> {
        let weights = |linear, index: usize| {
            fused::weights(linear, self.packed.as_ref().map(|packed| &packed[index]))
        };
        let attention_output = weights(&self.attention_output, 0);
        let projected = bert_kernels::linear(context, attention_output, Epilogue::Bias);
        let attended = self.add_norm(projected, residual, &self.attention_norm);
        let inner = self.intermediate(weights(&self.intermediate, 1), attended.clone());
        let output = bert_kernels::linear(inner, weights(&self.output, 2), Epilogue::Bias);
        self.add_norm(output, attended, &self.output_norm)
    }

    fn intermediate(&self, weights: LinearWeights, x: Tensor<2>) -> Tensor<2> {
        match self.hidden_act {
            HiddenAct::Gelu => bert_kernels::linear(x, weights, Epilogue::BiasGelu),
            other => other.forward(bert_kernels::linear(x, weights, Epilogue::Bias)),
        }
    }

    fn add_norm(&self, x: Tensor<2>, residual: Tensor<2>, norm: &LayerNorm) -> Tensor<2> {
        fused::add_norm(x, residual, &self.dropout, norm, self.layer_norm_eps)
    }
}
