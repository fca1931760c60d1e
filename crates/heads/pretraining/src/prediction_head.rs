// M tokens, H hidden, E embedding width, V vocabulary

use bert_encoder::{EncoderConfig, HiddenAct, linear};
use burn::module::{Initializer, Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};

/// Hidden states to a score for every token of the vocabulary: dense → activation → LayerNorm → word embeddings, plus a
/// bias.
#[derive(Module, Debug)]
pub struct PredictionHead {
    /// `[H, E]`.
    pub dense: Linear,
    /// After the activation.
    pub layer_norm: LayerNorm,
    /// One number a token of the vocabulary, `[V]`.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    activation: HiddenAct,
}

impl PredictionHead {
    /// A head with fresh weights.
    pub fn new(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, width) = (config.hidden_size, config.embedding_width());
        let mut dense = linear(hidden, width, config.initializer_range, device);
        if !config.head_bias() {
            dense.bias = None;
        }
        Self {
            dense,
            layer_norm: LayerNormConfig::new(width)
                .with_epsilon(config.layer_norm_eps)
                .with_bias(config.norm_bias())
                .init(device),
            bias: Initializer::Zeros.init([config.vocab_size], device),
            activation: config.prediction_act(),
        }
    }

    /// The logits of some tokens. `word_embeddings` is the encoder's own table: whatever flows back through the decoder
    /// adds to the gradient of the look-up, in the padding row too, which the look-up leaves out.
    ///
    /// # Shapes
    ///
    /// `hidden` `[M, H]`, `word_embeddings` `[V, E]` → `[M, V]`.
    pub fn forward(&self, hidden: Tensor<2>, word_embeddings: Tensor<2>) -> Tensor<2> {
        let inner_me = self.activation.forward(self.dense.forward(hidden));
        let normed_me = self.layer_norm.forward(inner_me);
        let decoder_ev = word_embeddings.transpose();
        burn::tensor::module::linear(normed_me, decoder_ev, Some(self.bias.val()))
    }
}
