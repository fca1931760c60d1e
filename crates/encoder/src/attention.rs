// B sequences, S positions, T tokens of all sequences, N heads, D head, H = N · D hidden

use bert_kernels::{AttentionNumbers, attention, attention_composed};
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
        let numbers = AttentionNumbers {
            lengths: sequences.lengths(),
            heads: self.heads,
            dropout: fused::mask(&self.dropout, &joined),
        };
        let mask = sequences.flat_mask(&joined.device());
        attention(joined, mask, numbers)
    }
}
