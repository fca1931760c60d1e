// B sequences, S positions, T tokens of all sequences, N heads, D head, H = N · D hidden

use std::sync::Arc;

use bert_kernels::{
    AttentionParams, Epilogue, LinearWeights, PackedWeight, Projections, WeightFormat, attention,
    attention_with_probabilities, biased_attention, cross_attention, disentangled_attention,
    has_kernels, linear_kv, linear_qkv,
};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

use crate::disentangled::{ContentWeights, DisentangledScores};
use crate::disentangled_positions::DisentangledContext;
use crate::kernel_args::{self, packed_weights};
use crate::rows::Rows;
use crate::sequences::Selection;
use crate::{EncoderConfig, LayerContext, Linear, RelativeContext, Sequences};

/// Multi-head scaled dot-product self-attention, without the output projection.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// `[H, H]`.
    pub query: Linear,
    /// `[H, H]`.
    pub key: Linear,
    /// `[H, H]`.
    pub value: Linear,
    /// `attention_probs_dropout_prob`, on the probabilities.
    pub dropout: Dropout,
    /// What DeBERTa's attention has beside these.
    pub disentangled: Option<DisentangledScores>,
    #[module(skip)]
    heads: usize,
    /// Of queries, keys and values.
    #[module(skip)]
    packed: Option<[Arc<PackedWeight>; 3]>,
}

impl SelfAttention {
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let projection = || Linear::new(hidden, hidden, config.initializer_range, device);
        Self {
            query: projection(),
            key: projection(),
            value: projection(),
            dropout: DropoutConfig::new(config.attention_probs_dropout_prob).init(),
            disentangled: (config.disentangled.as_ref())
                .map(|disentangled| DisentangledScores::new(config, disentangled, device)),
            heads: config.num_attention_heads,
            packed: None,
        }
    }

    pub(crate) fn pack_weights(&mut self, format: WeightFormat) {
        self.packed = Some(packed_weights(format));
    }

    /// Its linear layers with the names of their fields.
    pub(crate) fn linears_mut(&mut self) -> Vec<(&'static str, &mut Linear)> {
        let mut linears = vec![
            ("query", &mut self.query),
            ("key", &mut self.key),
            ("value", &mut self.value),
        ];
        linears.extend(
            self.disentangled
                .iter_mut()
                .flat_map(DisentangledScores::linears_mut),
        );
        linears
    }

    /// Of queries, keys and values.
    fn weights(&self) -> [LinearWeights; 3] {
        let packed = |index: usize| self.packed.as_ref().map(|packed| &packed[index]);
        [
            kernel_args::weights(&self.query, packed(0)),
            kernel_args::weights(&self.key, packed(1)),
            kernel_args::weights(&self.value, packed(2)),
        ]
    }

    /// Attends within each sequence.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → context `[T, H]` and, if wanted, the probabilities `[B, N, S, S]` before their dropout.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        LayerContext {
            sequences,
            relative,
            ..
        }: LayerContext<'_>,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        if let Some((scores, rows, shared)) = self.disentangled(relative) {
            let may = sequences.mask().is_none() && !want_probabilities;
            if may && scores.has_kernel(shared) && has_kernels(&hidden.device()) {
                return (
                    self.attend_by_kernel(hidden, scores, shared, sequences),
                    None,
                );
            }
            let (context, probabilities) = self.attend_disentangled(hidden, scores, rows, shared);
            return (context, want_probabilities.then_some(probabilities));
        }
        let bias = relative.and_then(RelativeContext::bias).cloned();
        let mask = sequences.mask();
        if want_probabilities {
            let layers = [&self.query, &self.key, &self.value];
            let outputs = layers.map(|layer| layer.forward(hidden.clone()));
            let params = self.params(sequences, sequences.lengths(), &outputs[0]);
            let qkv = Projections::from_separate(outputs);
            let (context, probabilities) = attention_with_probabilities(qkv, bias, mask, params);
            return (context, Some(probabilities));
        }
        let qkv = linear_qkv(hidden.clone(), self.weights());
        let params = self.params(sequences, sequences.lengths(), &hidden);
        let context = match bias {
            Some(bias) => biased_attention(qkv, bias, mask, params),
            None => attention(qkv, mask, params),
        };
        (context, None)
    }

    /// The context of some tokens.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]`, the tokens that are wanted of it `[Q, H]` → `[Q, H]`.
    pub(crate) fn forward_selected(
        &self,
        hidden: Tensor<2>,
        wanted: Tensor<2>,
        context: LayerContext<'_>,
        selection: &Selection,
    ) -> Tensor<2> {
        if context.relative.is_some() {
            // Distances need the positions of the queries, which cross_attention does not know.
            let (context, _) = self.forward(hidden, context, false);
            return context.select(0, selection.rows.clone());
        }
        let sequences = context.sequences;
        let [query, key, value] = self.weights();
        let keys_values = linear_kv(hidden, [key, value]);
        let queries = bert_kernels::linear(wanted, query, Epilogue::Bias);
        let params = self.params(sequences, selection.counts.clone(), &queries);
        cross_attention(queries, keys_values, sequences.mask(), params)
    }

    /// What DeBERTa's attention needs of the layer and of all layers.
    fn disentangled<'a>(
        &'a self,
        relative: Option<&'a RelativeContext>,
    ) -> Option<(&'a DisentangledScores, &'a Rows, &'a DisentangledContext)> {
        let (rows, shared) = relative?.disentangled()?;
        Some((self.disentangled.as_ref()?, rows, shared))
    }

    /// The context `[T, H]` of sequences without padding.
    fn attend_by_kernel(
        &self,
        hidden: Tensor<2>,
        scores: &DisentangledScores,
        shared: &DisentangledContext,
        sequences: &Sequences,
    ) -> Tensor<2> {
        let params = self.params(sequences, sequences.lengths(), &hidden);
        let qkv = linear_qkv(hidden, self.weights());
        let positions = scores.positions(self.content_weights(), shared.positions.as_ref());
        disentangled_attention(qkv, positions, None, params)
    }

    fn content_weights(&self) -> ContentWeights {
        let [query, key, _] = self.weights();
        ContentWeights { query, key }
    }

    /// The context `[T, H]` and the probabilities `[B, N, S, S]` before their dropout, in a composed body on every device.
    fn attend_disentangled(
        &self,
        hidden: Tensor<2>,
        scores: &DisentangledScores,
        rows: &Rows,
        shared: &DisentangledContext,
    ) -> (Tensor<2>, Tensor<4>) {
        let weights = self.content_weights();
        let qkv = linear_qkv(hidden, self.weights()).into_separate();
        let qkv = qkv.map(|x| rows.spread(x));
        let dropout = |probabilities: Tensor<4>| {
            let mask = kernel_args::mask(&self.dropout, &probabilities);
            bert_kernels::dropout(probabilities, mask)
        };
        let (context, probabilities) =
            scores.attention(qkv, weights, shared, rows, self.heads, dropout);
        (rows.collect(context), probabilities)
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
            dropout: kernel_args::mask(&self.dropout, x),
            window: None,
            precision: kernel_args::precision(&self.query),
        }
    }
}
