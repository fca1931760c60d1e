// M tokens, H hidden, V vocabulary

use bert_encoder::{EncoderConfig, HiddenAct, linear};
use burn::module::{Initializer, Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};

/// Hidden states to a score for every token of the vocabulary: dense → `hidden_act` → LayerNorm → word embeddings, plus a
/// bias.
#[derive(Module, Debug)]
pub struct PredictionHead {
    /// `[H, H]`.
    pub dense: Linear,
    /// After the activation.
    pub layer_norm: LayerNorm,
    /// One number a token of the vocabulary, `[V]`.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    hidden_act: HiddenAct,
}

impl PredictionHead {
    /// A head with fresh weights.
    pub fn new(config: &EncoderConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            dense: linear(hidden, hidden, config.initializer_range, device),
            layer_norm: LayerNormConfig::new(hidden)
                .with_epsilon(config.layer_norm_eps)
                .init(device),
            bias: Initializer::Zeros.init([config.vocab_size], device),
            hidden_act: config.hidden_act,
        }
    }

    /// The logits of some tokens. `word_embeddings` is the encoder's own table: whatever flows back through the decoder
    /// adds to the gradient of the look-up, in the padding row too, which the look-up leaves out.
    ///
    /// # Shapes
    ///
    /// `hidden` `[M, H]`, `word_embeddings` `[V, H]` → `[M, V]`.
    pub fn forward(&self, hidden: Tensor<2>, word_embeddings: Tensor<2>) -> Tensor<2> {
        let inner_mh = self.hidden_act.forward(self.dense.forward(hidden));
        let normed_mh = self.layer_norm.forward(inner_mh);
        let decoder_hv = word_embeddings.transpose();
        burn::tensor::module::linear(normed_mh, decoder_hv, Some(self.bias.val()))
    }
}
