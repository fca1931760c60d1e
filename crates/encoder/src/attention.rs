// B batch, S sequence, N heads, D head, H = N · D hidden

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::BertConfig;
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
    /// context `[B·S, H]` and probabilities `[B, N, S, S]` before their dropout.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        batch: usize,
        mask: Option<Tensor<4>>,
    ) -> (Tensor<2>, Tensor<4>) {
        let [tokens, width] = hidden.dims();
        let (sequence, head) = (tokens / batch, width / self.heads);
        let split = |x: Tensor<2>| {
            x.reshape([batch, sequence, self.heads, head])
                .swap_dims(1, 2)
        };
        let scale = (head as f64).powf(-0.5);
        let q_bnsd = split(self.query.forward(hidden.clone())) * scale;
        let k_bnsd = split(self.key.forward(hidden.clone()));
        let v_bnsd = split(self.value.forward(hidden));

        let scores_bnss = q_bnsd.matmul(k_bnsd.swap_dims(2, 3));
        let scores_bnss = match mask {
            Some(mask_b11s) => scores_bnss + mask_b11s,
            None => scores_bnss,
        };
        let probabilities_bnss = softmax(scores_bnss, 3);
        let context_bnsd = self
            .dropout
            .forward(probabilities_bnss.clone())
            .matmul(v_bnsd);
        let context = context_bnsd.swap_dims(1, 2).reshape([tokens, width]);
        (context, probabilities_bnss)
    }
}
