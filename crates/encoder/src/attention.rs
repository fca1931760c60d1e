// B batch, S sequence, N heads, D head, H = N · D hidden

use bert_kernels::{AttentionNumbers, attention, attention_composed};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::BertConfig;
use crate::fused;
use crate::init::linear;

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

    /// Attends within each row of the batch.
    ///
    /// # Shapes
    ///
    /// `hidden` `[B·S, H]` of a batch of `batch` rows; `mask` `[B, 1, 1, S]` is added to the scores →
    /// context `[B·S, H]` and, if wanted, the probabilities `[B, N, S, S]` before their dropout.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        batch: usize,
        mask: Option<Tensor<4>>,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        let query = self.query.forward(hidden.clone());
        let key = self.key.forward(hidden.clone());
        let value = self.value.forward(hidden);
        if !want_probabilities && fused::has_kernels(&query) {
            return (self.fused(query, key, value, batch, mask), None);
        }
        let dropout = |probabilities| self.dropout.forward(probabilities);
        let sizes = [batch, self.heads];
        let (context, probabilities) = attention_composed(query, key, value, mask, sizes, dropout);
        (context, want_probabilities.then_some(probabilities))
    }

    fn fused(
        &self,
        query: Tensor<2>,
        key: Tensor<2>,
        value: Tensor<2>,
        batch: usize,
        mask: Option<Tensor<4>>,
    ) -> Tensor<2> {
        let [tokens, _] = query.dims();
        let numbers = AttentionNumbers {
            batch,
            heads: self.heads,
            dropout: fused::mask(&self.dropout, &query),
        };
        let shape = [batch, tokens / batch];
        let mask_bs = match mask {
            Some(mask_b11s) => mask_b11s.reshape(shape),
            None => Tensor::zeros(shape, &query.device()),
        };
        attention(query, key, value, mask_bs, numbers)
    }
}
