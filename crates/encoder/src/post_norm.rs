// B sequences, S positions, T tokens of all sequences, Q tokens that are wanted, H hidden, N heads

use std::sync::Arc;

use bert_kernels::{Epilogue, LinearWeights, PackedWeight, WeightFormat};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

use crate::kernel_args::{self, packed_weights};
use crate::sequences::Selection;
use crate::{EncoderConfig, HiddenAct, LayerContext, Linear, SelfAttention};

/// BERT's layer: self-attention and feed-forward network, each followed by dense → dropout → LayerNorm(· + residual).
#[derive(Module, Debug)]
pub struct PostNormLayer {
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
    /// `hidden_dropout_prob`, after the attention's output projection.
    pub attention_dropout: Dropout,
    /// `hidden_dropout_prob`, after the feed-forward network, in families that have it.
    pub output_dropout: Dropout,
    #[module(skip)]
    hidden_act: HiddenAct,
    #[module(skip)]
    layer_norm_eps: f64,
    /// Of the attention's output, the intermediate map and the output.
    #[module(skip)]
    packed: Option<[Arc<PackedWeight>; 3]>,
}

impl PostNormLayer {
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let output_dropout = match config.model_type.family().feed_forward_dropout {
            true => config.hidden_dropout_prob,
            false => 0.0,
        };
        let dense = |d_in, d_out| Linear::new(d_in, d_out, config.initializer_range, device);
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
            attention_dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            output_dropout: DropoutConfig::new(output_dropout).init(),
            hidden_act: config.hidden_act,
            layer_norm_eps: config.layer_norm_eps,
            packed: None,
        }
    }

    pub(crate) fn pack_weights(&mut self, format: WeightFormat) {
        self.attention.pack_weights(format);
        self.packed = Some(packed_weights(format));
    }

    /// Its linear layers with their paths.
    pub(crate) fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        let own = [
            ("attention_output", &mut self.attention_output),
            ("intermediate", &mut self.intermediate),
            ("output", &mut self.output),
        ];
        let of_attention = self.attention.linears_mut().into_iter();
        of_attention
            .map(|(name, linear)| (format!("attention.{name}"), linear))
            .chain(own.map(|(name, linear)| (name.to_owned(), linear)))
            .collect()
    }

    /// Runs the layer.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → `[T, H]` and, if wanted, the attention probabilities `[B, N, S, S]`.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        context: LayerContext<'_>,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        let (attended, probabilities) =
            self.attention
                .forward(hidden.clone(), context, want_probabilities);
        (self.after_attention(attended, hidden), probabilities)
    }

    /// The output of some tokens: keys and values of all tokens, all else of these alone.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → `[Q, H]`.
    pub(crate) fn forward_selected(
        &self,
        hidden: Tensor<2>,
        context: LayerContext<'_>,
        selection: &Selection,
    ) -> Tensor<2> {
        let wanted = hidden.clone().select(0, selection.rows.clone());
        let attended = self
            .attention
            .forward_selected(hidden, wanted.clone(), context, selection);
        self.after_attention(attended, wanted)
    }

    fn after_attention(&self, context: Tensor<2>, residual: Tensor<2>) -> Tensor<2> {
        let weights = |linear, index: usize| {
            kernel_args::weights(linear, self.packed.as_ref().map(|packed| &packed[index]))
        };
        let attention_output = weights(&self.attention_output, 0);
        let projected = bert_kernels::linear(context, attention_output, Epilogue::Bias);
        let dropout = &self.attention_dropout;
        let projected = (projected, &self.attention_output);
        let attended = self.add_norm(projected, residual, dropout, &self.attention_norm);
        let maps = [weights(&self.intermediate, 1), weights(&self.output, 2)];
        let output = self.feed_forward(attended.clone(), maps);
        let dropout = &self.output_dropout;
        let output = (output, &self.output);
        self.add_norm(output, attended, dropout, &self.output_norm)
    }

    fn feed_forward(&self, x: Tensor<2>, [first, second]: [LinearWeights; 2]) -> Tensor<2> {
        if self.hidden_act == HiddenAct::Gelu {
            return bert_kernels::feed_forward(x, first, second);
        }
        let inner = bert_kernels::linear(x, first, Epilogue::Bias);
        bert_kernels::linear(self.hidden_act.forward(inner), second, Epilogue::Bias)
    }

    fn add_norm(
        &self,
        x: (Tensor<2>, &Linear),
        residual: Tensor<2>,
        dropout: &Dropout,
        norm: &LayerNorm,
    ) -> Tensor<2> {
        kernel_args::add_norm(x, residual, dropout, norm, self.layer_norm_eps)
    }
}
