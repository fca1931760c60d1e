// B sequences, S positions, T tokens of all sequences, E embedding width, H hidden

use bert_kernels::{EmbeddingIds, EmbeddingParams, EmbeddingWeights, embed};
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::batch::{Batch, Numbering};
use crate::input::Tables;
use crate::{EmbeddingProjection, EncoderConfig, init, kernel_args};

/// Word + position + token type embeddings → LayerNorm → dropout, and a projection where the embeddings are not as wide as
/// the hidden states.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// Table `[vocab_size, E]`.
    pub word_embeddings: Embedding,
    /// Table `[max_position_embeddings, E]`, in families that have one.
    pub position_embeddings: Option<Embedding>,
    /// Table `[type_vocab_size, E]`, in families that have segments.
    pub token_type_embeddings: Option<Embedding>,
    /// Normalises the sum.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
    /// `[E, H]`, in models that have it.
    pub projection: Option<Linear>,
    #[module(skip)]
    padding_idx: Option<usize>,
    #[module(skip)]
    numbering: Numbering,
    #[module(skip)]
    max_length: usize,
    #[module(skip)]
    layer_norm_eps: f64,
}

impl Embeddings {
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let (width, range) = (config.embedding_width(), config.initializer_range);
        let table = |rows| init::embedding(rows, width, range, device);
        let types = config.type_vocab_size;
        let is_projected = match config.model_type.family().embedding_projection {
            EmbeddingProjection::Always => true,
            EmbeddingProjection::WhereWidthsDiffer => width != config.hidden_size,
        };
        Self {
            word_embeddings: match config.pad_token_id {
                Some(padding) => {
                    init::padded_embedding(config.vocab_size, width, range, padding, device)
                }
                None => table(config.vocab_size),
            },
            position_embeddings: Some(table(config.max_position_embeddings)),
            token_type_embeddings: (types > 0).then(|| table(types)),
            layer_norm: LayerNormConfig::new(width)
                .with_epsilon(config.layer_norm_eps)
                .init(device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            projection: is_projected
                .then(|| init::linear(width, config.hidden_size, range, device)),
            padding_idx: config.pad_token_id,
            numbering: config.numbering(),
            max_length: config.max_length(),
            layer_norm_eps: config.layer_norm_eps,
        }
    }

    /// The longest sequence, in tokens.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    pub(crate) fn tables(&self) -> Tables {
        let rows = |table: &Embedding| table.weight.dims()[0];
        Tables {
            max_length: self.max_length,
            vocab_size: rows(&self.word_embeddings),
            type_vocab_size: self.token_type_embeddings.as_ref().map(rows),
        }
    }

    pub(crate) fn numbering(&self) -> Numbering {
        self.numbering
    }

    /// What to fill padding with: any token, since nothing attends to it.
    pub(crate) fn filler(&self) -> usize {
        self.padding_idx.unwrap_or(0)
    }

    /// Embeds the tokens of a batch.
    ///
    /// # Shapes
    ///
    /// T tokens → `[T, H]`.
    pub(crate) fn forward(&self, batch: &Batch) -> Tensor<2> {
        let ids = EmbeddingIds {
            input_ids: batch.input_ids.clone(),
            token_type_ids: batch.token_type_ids.clone(),
            position_ids: batch.position_ids.clone(),
        };
        let words = self.word_embeddings.weight.val();
        let params = EmbeddingParams {
            padding_idx: self.padding_idx,
            position_padding_idx: match self.numbering {
                Numbering::FromZero => None,
                Numbering::After { padding } => Some(padding),
            },
            epsilon: self.layer_norm_eps,
            dropout: kernel_args::mask(&self.dropout, &words),
        };
        let positions = self.position_embeddings.as_ref();
        let types = self.token_type_embeddings.as_ref();
        let weights = EmbeddingWeights {
            words,
            positions: positions.map(|positions| positions.weight.val()),
            token_types: types.map(|types| types.weight.val()),
            gamma: self.layer_norm.gamma.val(),
            beta: self.layer_norm.beta.as_ref().map(Param::val),
        };
        let embedded = embed(weights, ids, params);
        match &self.projection {
            Some(projection) => projection.forward(embedded),
            None => embedded,
        }
    }
}
