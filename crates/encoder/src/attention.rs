// B sequences, S positions, T tokens of all sequences, N heads, D head, H = N · D hidden

use std::sync::Arc;

use bert_kernels::{
    AttentionNumbers, Epilogue, PackedWeight, WeightFormat, attention, attention_composed,
    attention_of,
};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::fused::{self, Map, packed_weights};
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

    /// Queries, keys and values.
    fn maps(&self) -> [Map<'_>; 3] {
        let packed = |index: usize| self.packed.as_ref().map(|packed| &packed[index]);
        let map = |linear, index| Map {
            linear,
            packed: packed(index),
        };
        [map(&self.query, 0), map(&self.key, 1), map(&self.value, 2)]
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
        let maps = self.maps();
        if !want_probabilities && let Some(joined) = fused::linear_joined(maps, &hidden) {
            return (self.fused(joined, sequences), None);
        }
        let [query, key, value] = maps.map(|map| map.linear.forward(hidden.clone()));
        let dropout = |probabilities| self.dropout.forward(probabilities);
        let sizes = [sequences.batch(), self.heads];
        let mask = sequences.mask();
        let (context, probabilities) = attention_composed(query, key, value, mask, sizes, dropout);
        (context, want_probabilities.then_some(probabilities))
    }

    fn fused(&self, joined: Tensor<2>, sequences: &Sequences) -> Tensor<2> {
        let mask = sequences.flat_mask(&joined.device());
        let numbers = self.numbers(sequences, sequences.lengths(), &joined);
        attention(joined, mask, numbers)
    }

    /// The context of some tokens, where there are kernels for it.
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
    ) -> Option<Tensor<2>> {
        let [query, key, value] = self.maps();
        let keys_values = fused::linear_pair([key, value], hidden)?;
        let queries = fused::linear(query, wanted, Epilogue::Bias);
        let mask = sequences.flat_mask(&queries.device());
        let numbers = self.numbers(sequences, counts, &queries);
        Some(attention_of(queries, keys_values, mask, numbers))
    }

    fn numbers(
        &self,
        sequences: &Sequences,
        query_lengths: Arc<[usize]>,
        queries: &Tensor<2>,
    ) -> AttentionNumbers {
        AttentionNumbers {
            lengths: sequences.lengths(),
            query_lengths,
            heads: self.heads,
            dropout: fused::mask(&self.dropout, queries),
        }
    }
}
