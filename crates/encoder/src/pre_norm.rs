// B sequences, S positions, T tokens of all sequences, Q tokens that are wanted, H hidden, I inner, N heads

use std::sync::Arc;

use bert_kernels::{
    AttentionParams, Epilogue, PackedWeight, Projections, WeightFormat, attention,
    attention_with_probabilities, cross_attention, gated_gelu, rotary,
};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

use crate::kernel_args::{self, packed_weights};
use crate::sequences::Selection;
use crate::{EncoderConfig, HiddenAct, LayerContext, LayerType, Linear, Sequences};

/// ModernBERT's layer: self-attention with rotary positions and a gated feed-forward network, each
/// `· + sublayer(LayerNorm(·))`.
#[derive(Module, Debug)]
pub struct PreNormLayer {
    /// LayerNorm before the attention; the first layer has none.
    pub attention_norm: Option<LayerNorm>,
    /// Queries, keys and values side by side, `[H, 3 · H]`.
    pub query_key_value: Linear,
    /// Output projection of the attention, `[H, H]`.
    pub attention_output: Linear,
    /// LayerNorm before the feed-forward network.
    pub intermediate_norm: LayerNorm,
    /// What goes through the activation, and its gate, side by side, `[H, 2 · I]`.
    pub intermediate: Linear,
    /// `[I, H]`.
    pub output: Linear,
    /// `attention_dropout`, on the probabilities and on the attention's output.
    pub attention_dropout: Dropout,
    /// `mlp_dropout`, on the gated activation.
    pub intermediate_dropout: Dropout,
    #[module(skip)]
    layer_type: LayerType,
    #[module(skip)]
    window: Option<usize>,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    hidden_act: HiddenAct,
    #[module(skip)]
    layer_norm_eps: f64,
    /// Of queries, keys and values; the attention's output; the intermediate map and the output.
    #[module(skip)]
    packed: Option<[Arc<PackedWeight>; 4]>,
}

impl PreNormLayer {
    /// The layer of this index.
    pub(crate) fn new(config: &EncoderConfig, index: usize, device: &Device) -> Self {
        let keys = config.modernbert.clone().unwrap_or_default();
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let range = config.initializer_range;
        // What adds to the residual stream starts smaller the more layers there are.
        let output_range = range / (2.0 * config.num_hidden_layers as f64).sqrt();
        let map = |d_in, d_out, range, has_bias: bool| {
            let linear = Linear::new(d_in, d_out, range, device);
            let bias = linear.bias.filter(|_| has_bias);
            Linear { bias, ..linear }
        };
        let norm = || {
            LayerNormConfig::new(hidden)
                .with_epsilon(config.layer_norm_eps)
                .with_bias(keys.norm_bias)
                .init(device)
        };
        let layer_type = keys.layer_type(index);
        Self {
            attention_norm: (index > 0).then(norm),
            query_key_value: map(hidden, 3 * hidden, range, keys.attention_bias),
            attention_output: map(hidden, hidden, output_range, keys.attention_bias),
            intermediate_norm: norm(),
            intermediate: map(hidden, 2 * inner, range, keys.mlp_bias),
            output: map(inner, hidden, output_range, keys.mlp_bias),
            attention_dropout: DropoutConfig::new(config.attention_probs_dropout_prob).init(),
            intermediate_dropout: DropoutConfig::new(keys.mlp_dropout).init(),
            layer_type,
            window: keys.window(layer_type),
            heads: config.num_attention_heads,
            hidden_act: config.hidden_act,
            layer_norm_eps: config.layer_norm_eps,
            packed: None,
        }
    }

    pub(crate) fn pack_weights(&mut self, format: WeightFormat) {
        self.packed = Some(packed_weights(format));
    }

    /// Its linear layers with their paths.
    pub(crate) fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        [
            ("query_key_value", &mut self.query_key_value),
            ("attention_output", &mut self.attention_output),
            ("intermediate", &mut self.intermediate),
            ("output", &mut self.output),
        ]
        .map(|(name, linear)| (name.to_owned(), linear))
        .into()
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
        let sequences = context.sequences;
        let qkv = self.projections(hidden.clone(), context);
        let params = self.params(sequences, sequences.lengths(), &hidden);
        let mask = sequences.mask();
        if want_probabilities {
            let (context, probabilities) = attention_with_probabilities(qkv, None, mask, params);
            return (self.after_attention(context, hidden), Some(probabilities));
        }
        let context = attention(qkv, mask, params);
        (self.after_attention(context, hidden), None)
    }

    /// The output of some tokens: queries, keys and values of all tokens, all else of these alone.
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
        let sequences = context.sequences;
        let rows = || selection.rows.clone();
        if self.hides_tokens(sequences) {
            // A window needs the positions of the queries, so it is computed for all of them.
            let (output, _) = self.forward(hidden, context, false);
            return output.select(0, rows());
        }
        let qkv = self.projections(hidden.clone(), context);
        let [queries, keys, values] = qkv.into_separate();
        let queries = queries.select(0, rows());
        let params = AttentionParams {
            window: None,
            ..self.params(sequences, selection.counts.clone(), &queries)
        };
        let keys_values = Projections::from_separate([keys, values]);
        let context = cross_attention(queries, keys_values, sequences.mask(), params);
        self.after_attention(context, hidden.select(0, rows()))
    }

    /// Whether the window hides a token of one of these sequences from another.
    fn hides_tokens(&self, sequences: &Sequences) -> bool {
        let longest = sequences.lengths().iter().copied().max().unwrap_or(0);
        self.window.is_some_and(|window| longest > window + 1)
    }

    /// Queries, keys and values, `[T, H]` each.
    fn projections(&self, hidden: Tensor<2>, context: LayerContext<'_>) -> Projections<3> {
        let normed = match &self.attention_norm {
            Some(norm) => self.normed(hidden, norm),
            None => hidden,
        };
        let joined = self.map(&self.query_key_value, 0, normed);
        let qkv = Projections::from_joined(joined);
        match context.rotations {
            Some(rotations) => rotary(qkv, rotations.of(self.layer_type), self.heads),
            None => qkv,
        }
    }

    fn after_attention(&self, context: Tensor<2>, residual: Tensor<2>) -> Tensor<2> {
        let projected = self.map(&self.attention_output, 1, context);
        let attended = residual + kernel_args::dropped(projected, &self.attention_dropout);
        let normed = self.normed(attended.clone(), &self.intermediate_norm);
        let gated = self.gated(self.map(&self.intermediate, 2, normed));
        let inner = kernel_args::dropped(gated, &self.intermediate_dropout);
        attended + self.map(&self.output, 3, inner)
    }

    /// `[T, 2 · I]` → `[T, I]`.
    fn gated(&self, intermediate: Tensor<2>) -> Tensor<2> {
        if self.hidden_act == HiddenAct::Gelu {
            return gated_gelu(intermediate);
        }
        let [_, width] = intermediate.dims();
        let half = width / 2;
        let input = intermediate.clone().narrow(1, 0, half);
        self.hidden_act.forward(input) * intermediate.narrow(1, half, half)
    }

    fn map(&self, linear: &Linear, index: usize, x: Tensor<2>) -> Tensor<2> {
        let packed = self.packed.as_ref().map(|packed| &packed[index]);
        bert_kernels::linear(x, kernel_args::weights(linear, packed), Epilogue::Bias)
    }

    fn normed(&self, x: Tensor<2>, norm: &LayerNorm) -> Tensor<2> {
        kernel_args::norm(x, norm, self.layer_norm_eps)
    }

    fn params(
        &self,
        sequences: &Sequences,
        query_lengths: Arc<[usize]>,
        x: &Tensor<2>,
    ) -> AttentionParams {
        AttentionParams {
            lengths: sequences.lengths(),
            query_lengths,
            heads: self.heads,
            dropout: kernel_args::mask(&self.attention_dropout, x),
            window: self.window,
            precision: kernel_args::precision(&self.query_key_value),
        }
    }
}
