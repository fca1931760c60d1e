// B sequences, S positions, T tokens of all sequences, E embedding width, H hidden

use bert_kernels::{EmbeddingIds, EmbeddingParams, EmbeddingWeights, Epilogue, embed};
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

use crate::batch::{Batch, Numbering};
use crate::input::Tables;
use crate::{EmbeddingProjection, EncoderConfig, Linear, init, kernel_args};

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
    /// Whether the LayerNorm follows the projection; else it is before it.
    #[module(skip)]
    norm_follows: bool,
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
        let projection = config.model_type.family().embedding_projection;
        let is_projected = match projection {
            EmbeddingProjection::Always => true,
            _ => width != config.hidden_size,
        };
        let norm_follows = projection == EmbeddingProjection::BeforeNorm;
        let mut projection =
            is_projected.then(|| Linear::new(width, config.hidden_size, range, device));
        if norm_follows && let Some(projection) = &mut projection {
            projection.bias = None;
        }
        let normed = if norm_follows {
            config.hidden_size
        } else {
            width
        };
        let has_positions = config.has_absolute_positions();
        Self {
            word_embeddings: match config.pad_token_id {
                Some(padding) => {
                    init::padded_embedding(config.vocab_size, width, range, padding, device)
                }
                None => table(config.vocab_size),
            },
            position_embeddings: has_positions.then(|| table(config.max_position_embeddings)),
            token_type_embeddings: (types > 0).then(|| table(types)),
            layer_norm: LayerNormConfig::new(normed)
                .with_epsilon(config.layer_norm_eps)
                .with_bias(config.norm_bias())
                .init(device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            projection,
            norm_follows,
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
        if self.norm_follows
            && let Some(projection) = &self.projection
        {
            return self.project_and_norm(projection, ids);
        }
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

    /// `dropout(LayerNorm(projection(word + position + token type)))` of tokens.
    ///
    /// # Shapes
    ///
    /// Ids `[T]` → `[T, H]`.
    fn project_and_norm(&self, projection: &Linear, ids: EmbeddingIds) -> Tensor<2> {
        let [tokens] = ids.input_ids.dims();
        let words = self.word_embeddings.weight.val();
        let [_, width] = words.dims();
        let mut sum = match self.padding_idx {
            Some(padding_idx) => {
                let ids_1t = ids.input_ids.reshape([1, tokens]);
                bert_kernels::embedding(words, ids_1t, padding_idx).reshape([tokens, width])
            }
            None => words.select(0, ids.input_ids),
        };
        let others = [
            (&self.position_embeddings, Some(ids.position_ids)),
            (&self.token_type_embeddings, ids.token_type_ids),
        ];
        for (table, ids) in others {
            if let Some(table) = table {
                let ids = ids.unwrap_or_else(|| Tensor::zeros([tokens], &sum.device()));
                sum = sum + table.weight.val().select(0, ids);
            }
        }
        let weights = kernel_args::weights(projection, None);
        let projected = bert_kernels::linear(sum, weights, Epilogue::Bias);
        let normed = self.layer_norm.forward(projected);
        let mask = kernel_args::mask(&self.dropout, &normed);
        bert_kernels::dropout(normed, mask)
    }
}
