// B sequences, S positions, T tokens of all sequences, N heads, D head, H = N · D hidden

use std::sync::Arc;

use bert_kernels::{
    AttentionParams, Epilogue, LinearWeights, PackedWeight, Projections, WeightFormat, attention,
    attention_with_probabilities, cross_attention, linear_kv, linear_qkv,
};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::fused::{self, packed_weights};
use crate::init::linear;
use crate::{EncoderConfig, Sequences};

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
    #[module(skip)]
    heads: usize,
    /// Of queries, keys and values.
    #[module(skip)]
    packed: Option<[Arc<PackedWeight>; 3]>,
}

impl SelfAttention {
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let projection = || linear(hidden, hidden, config.initializer_range, device);
        Self {
            query: projection(),
            key: projection(),
            value: projection(),
            dropout: DropoutConfig::new(config.attention_probs_dropout_prob).init(),
            heads: config.num_attention_heads,
            packed: None,
        }
    }

    pub(crate) fn pack_weights(&mut self, format: WeightFormat) {
        self.packed = Some(packed_weights(format));
    }

    /// Of queries, keys and values.
    fn weights(&self) -> [LinearWeights; 3] {
        let packed = |index: usize| self.packed.as_ref().map(|packed| &packed[index]);
        [
            fused::weights(&self.query, packed(0)),
            fused::weights(&self.key, packed(1)),
            fused::weights(&self.value, packed(2)),
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
        sequences: &Sequences,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        let mask = sequences.flat_mask();
        if want_probabilities {
            let layers = [&self.query, &self.key, &self.value];
            let outputs = layers.map(|layer| layer.forward(hidden.clone()));
            let params = self.params(sequences, sequences.lengths(), &outputs[0]);
            let qkv = Projections::from_separate(outputs);
            let (context, probabilities) = attention_with_probabilities(qkv, mask, params);
            return (context, Some(probabilities));
        }
        let qkv = linear_qkv(hidden.clone(), self.weights());
        let params = self.params(sequences, sequences.lengths(), &hidden);
        (attention(qkv, mask, params), None)
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
        sequences: &Sequences,
        counts: Arc<[usize]>,
    ) -> Tensor<2> {
        let [query, key, value] = self.weights();
        let keys_values = linear_kv(hidden, [key, value]);
        let queries = bert_kernels::linear(wanted, query, Epilogue::Bias);
        let params = self.params(sequences, counts, &queries);
        cross_attention(queries, keys_values, sequences.flat_mask(), params)
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
            dropout: fused::mask(&self.dropout, x),
        }
    }
}
