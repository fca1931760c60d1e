// B batch, S sequence, H hidden

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};

use crate::{BertConfig, fused, init};

/// Word + position + token type embeddings → LayerNorm → dropout.
#[derive(Module, Debug)]
pub struct BertEmbeddings {
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

impl BertEmbeddings {
    pub(crate) fn new(config: &BertConfig, device: &Device) -> Self {
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

    /// Embeds a batch.
    ///
    /// # Shapes
    ///
    /// `input_ids`, `token_type_ids` `[B, S]` → `[B, S, H]`.
    pub fn forward(&self, input_ids: Tensor<2, Int>, token_type_ids: Tensor<2, Int>) -> Tensor<3> {
        let [batch, sequence] = input_ids.dims();
        let words_bsh = bert_kernels::embedding(
            self.word_embeddings.weight.val(),
            input_ids,
            self.padding_idx,
        );
        let [_, _, hidden] = words_bsh.dims();
        let types_bsh = self.token_type_embeddings.forward(token_type_ids);
        let positions_1sh = self
            .position_embeddings
            .weight
            .val()
            .narrow(0, 0, sequence)
            .unsqueeze::<3>();
        let flat = |x: Tensor<3>| x.reshape([batch * sequence, hidden]);
        let normalized = fused::add_norm(
            flat(words_bsh),
            flat(types_bsh + positions_1sh),
            None,
            &self.layer_norm,
            self.layer_norm_eps,
        );
        fused::drop(&self.dropout, normalized.reshape([batch, sequence, hidden]))
    }
}
