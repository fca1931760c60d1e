// B sequences, S positions, T tokens of all sequences, N heads, D head, H = N · D hidden

use std::sync::Arc;

use bert_kernels::{AttentionNumbers, Epilogue, attention, attention_composed, attention_of};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::init::linear;
use crate::{BertConfig, Sequences, fused};

/// Multi-head scaled dot-product self-attention, without the output projection.
#[derive(Module, Debug)]
pub struct BertSelfAttention {
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
}

impl BertSelfAttention {
    pub(crate) fn new(config: &BertConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let projection = || linear(hidden, hidden, config.initializer_range, device);
        Self {
            query: projection(),
            key: projection(),
            value: projection(),
            dropout: DropoutConfig::new(config.attention_probs_dropout_prob).init(),
            heads: config.num_attention_heads,
        }
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
        let maps = [&self.query, &self.key, &self.value];
        if !want_probabilities && let Some(joined) = fused::linear_joined(maps, &hidden) {
            return (self.fused(joined, sequences), None);
        }
        let [query, key, value] = maps.map(|map| map.forward(hidden.clone()));
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
        let keys_values = fused::linear_pair([&self.key, &self.value], hidden)?;
        let queries = fused::linear(&self.query, wanted, Epilogue::Bias);
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
