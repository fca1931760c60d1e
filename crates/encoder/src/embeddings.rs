// B sequences, S positions, T tokens of all sequences, H hidden

use bert_kernels::{EmbeddingIds, EmbeddingParams, EmbeddingWeights, embed};
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};

use crate::{EncoderConfig, Sequences, fused, init};

/// Word + position + token type embeddings → LayerNorm → dropout.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// Table `[vocab_size, H]`.
    pub word_embeddings: Embedding,
    /// Table `[max_position_embeddings, H]`.
    pub position_embeddings: Embedding,
    /// Table `[type_vocab_size, H]`.
    pub token_type_embeddings: Embedding,
    /// Normalises the sum.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
    #[module(skip)]
    padding_idx: usize,
    #[module(skip)]
    layer_norm_eps: f64,
}

impl Embeddings {
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, range) = (config.hidden_size, config.initializer_range);
        let table = |rows| init::embedding(rows, hidden, range, device);
        Self {
            word_embeddings: init::padded_embedding(
                config.vocab_size,
                hidden,
                range,
                config.pad_token_id,
                device,
            ),
            position_embeddings: table(config.max_position_embeddings),
            token_type_embeddings: table(config.type_vocab_size),
            layer_norm: LayerNormConfig::new(hidden)
                .with_epsilon(config.layer_norm_eps)
                .init(device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            padding_idx: config.pad_token_id,
            layer_norm_eps: config.layer_norm_eps,
        }
    }

    /// The longest sequence the position table holds, in tokens.
    pub fn max_position_embeddings(&self) -> usize {
        self.position_embeddings.weight.val().dims()[0]
    }

    /// Embeds the tokens of sequences.
    ///
    /// # Shapes
    ///
    /// `input_ids`, `token_type_ids` `[T]` → `[T, H]`.
    pub fn forward(
        &self,
        input_ids: Tensor<1, Int>,
        token_type_ids: Tensor<1, Int>,
        sequences: &Sequences,
    ) -> Tensor<2> {
        let words = self.word_embeddings.weight.val();
        let params = EmbeddingParams {
            padding_idx: self.padding_idx,
            epsilon: self.layer_norm_eps,
            dropout: fused::mask(&self.dropout, &words),
        };
        let ids = EmbeddingIds {
            position_ids: sequences.position_ids(&input_ids.device()),
            input_ids,
            token_type_ids: Some(token_type_ids),
        };
        let weights = EmbeddingWeights {
            words,
            positions: self.position_embeddings.weight.val(),
            token_types: Some(self.token_type_embeddings.weight.val()),
            gamma: self.layer_norm.gamma.val(),
            beta: self.layer_norm.beta.as_ref().map(Param::val),
        };
        embed(weights, ids, params)
    }
}
