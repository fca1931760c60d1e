use serde::{Deserialize, Deserializer};

use crate::{DisentangledConfig, EncoderConfig, HiddenAct, ModelType, ModernBertConfig};

/// The keys of a config.json that are there. Families that spell a key otherwise have a field of their own for it.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfigKeys {
    #[serde(default, deserialize_with = "given")]
    model_type: Option<ModelType>,
    #[serde(default, deserialize_with = "given")]
    vocab_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    embedding_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    hidden_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    dim: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    num_hidden_layers: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    n_layers: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    num_hidden_groups: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    inner_group_num: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    num_attention_heads: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    n_heads: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    intermediate_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    hidden_dim: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    hidden_act: Option<HiddenAct>,
    #[serde(default)]
    activation: Option<HiddenAct>,
    #[serde(default)]
    hidden_activation: Option<HiddenAct>,
    #[serde(default, deserialize_with = "given")]
    hidden_dropout_prob: Option<f64>,
    #[serde(default)]
    dropout: Option<f64>,
    #[serde(default)]
    embedding_dropout: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    attention_probs_dropout_prob: Option<f64>,
    #[serde(default)]
    attention_dropout: Option<f64>,
    #[serde(default)]
    classifier_dropout: Option<f64>,
    #[serde(default)]
    classifier_dropout_prob: Option<f64>,
    #[serde(default)]
    seq_classif_dropout: Option<f64>,
    #[serde(default)]
    cls_dropout: Option<f64>,
    #[serde(default)]
    qa_dropout: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    max_position_embeddings: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    type_vocab_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    initializer_range: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    layer_norm_eps: Option<f64>,
    #[serde(default)]
    norm_eps: Option<f64>,
    /// `Some(None)` is `null`: no padding token.
    #[serde(default, deserialize_with = "given")]
    pad_token_id: Option<Option<i64>>,
    #[serde(default, deserialize_with = "given")]
    relative_attention_num_buckets: Option<usize>,
    #[serde(flatten)]
    disentangled: DisentangledConfig,
    #[serde(flatten)]
    modernbert: ModernBertConfig,
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default, deserialize_with = "given")]
    is_decoder: Option<bool>,
}

/// A key that is there must have a value: `null` is none.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl ConfigKeys {
    /// The same with the keys of the family in the fields of BERT's.
    fn spelled_as_bert(mut self) -> Self {
        match self.model_type.unwrap_or_default() {
            ModelType::Distilbert => {
                self.hidden_size = self.dim.or(self.hidden_size);
                self.num_hidden_layers = self.n_layers.or(self.num_hidden_layers);
                self.num_attention_heads = self.n_heads.or(self.num_attention_heads);
                self.intermediate_size = self.hidden_dim.or(self.intermediate_size);
                self.hidden_act = self.activation.or(self.hidden_act);
                self.hidden_dropout_prob = self.dropout.or(self.hidden_dropout_prob);
                self.attention_probs_dropout_prob =
                    self.attention_dropout.or(self.attention_probs_dropout_prob);
                self.classifier_dropout = self.seq_classif_dropout.or(self.classifier_dropout);
            }
            ModelType::Albert => {
                self.classifier_dropout = self.classifier_dropout_prob.or(self.classifier_dropout);
            }
            ModelType::DebertaV2 => {
                self.classifier_dropout = self.cls_dropout.or(self.classifier_dropout);
            }
            ModelType::Modernbert => {
                self.hidden_act = self.hidden_activation.or(self.hidden_act);
                self.hidden_dropout_prob = self.embedding_dropout.or(self.hidden_dropout_prob);
                self.attention_probs_dropout_prob =
                    self.attention_dropout.or(self.attention_probs_dropout_prob);
                self.layer_norm_eps = self.norm_eps.or(self.layer_norm_eps);
            }
            _ => {}
        }
        self
    }
}

/// The row of a padding token; a negative number counts from the end of the table, as in PyTorch.
fn padding_row(id: i64, vocab_size: usize) -> usize {
    let row = match usize::try_from(id) {
        Ok(row) => Some(row),
        Err(_) => usize::try_from(id.unsigned_abs())
            .ok()
            .and_then(|back| vocab_size.checked_sub(back)),
    };
    // Beyond every table, which validation refuses.
    row.unwrap_or(usize::MAX)
}

impl From<ConfigKeys> for EncoderConfig {
    fn from(keys: ConfigKeys) -> Self {
        let keys = keys.spelled_as_bert();
        let model_type = keys.model_type.unwrap_or_default();
        let defaults = (model_type.family().defaults)();
        // A key that the family does not have is not read.
        let sized = |key: Option<usize>, default: Option<usize>| Some(key.unwrap_or(default?));
        let vocab_size = keys.vocab_size.unwrap_or(defaults.vocab_size);
        Self {
            model_type,
            vocab_size,
            embedding_size: match model_type {
                ModelType::DebertaV2 => keys.embedding_size,
                _ => sized(keys.embedding_size, defaults.embedding_size),
            },
            hidden_size: keys.hidden_size.unwrap_or(defaults.hidden_size),
            num_hidden_layers: keys.num_hidden_layers.unwrap_or(defaults.num_hidden_layers),
            num_hidden_groups: sized(keys.num_hidden_groups, defaults.num_hidden_groups),
            inner_group_num: match defaults.num_hidden_groups {
                Some(_) => keys.inner_group_num.unwrap_or(defaults.inner_group_num),
                None => defaults.inner_group_num,
            },
            num_attention_heads: keys
                .num_attention_heads
                .unwrap_or(defaults.num_attention_heads),
            intermediate_size: keys.intermediate_size.unwrap_or(defaults.intermediate_size),
            hidden_act: keys.hidden_act.unwrap_or(defaults.hidden_act),
            hidden_dropout_prob: keys
                .hidden_dropout_prob
                .unwrap_or(defaults.hidden_dropout_prob),
            attention_probs_dropout_prob: keys
                .attention_probs_dropout_prob
                .unwrap_or(defaults.attention_probs_dropout_prob),
            classifier_dropout: keys.classifier_dropout.or(defaults.classifier_dropout),
            qa_dropout: defaults
                .qa_dropout
                .map(|default| keys.qa_dropout.unwrap_or(default)),
            max_position_embeddings: keys
                .max_position_embeddings
                .unwrap_or(defaults.max_position_embeddings),
            type_vocab_size: keys.type_vocab_size.unwrap_or(defaults.type_vocab_size),
            initializer_range: keys.initializer_range.unwrap_or(defaults.initializer_range),
            layer_norm_eps: keys.layer_norm_eps.unwrap_or(defaults.layer_norm_eps),
            pad_token_id: match keys.pad_token_id {
                Some(id) => id.map(|id| padding_row(id, vocab_size)),
                None => defaults.pad_token_id,
            },
            relative_attention_num_buckets: sized(
                keys.relative_attention_num_buckets,
                defaults.relative_attention_num_buckets,
            ),
            disentangled: defaults.disentangled.map(|_| keys.disentangled),
            modernbert: defaults.modernbert.map(|_| keys.modernbert),
            position_embedding_type: keys
                .position_embedding_type
                .unwrap_or(defaults.position_embedding_type),
            is_decoder: keys.is_decoder.unwrap_or(defaults.is_decoder),
        }
    }
}
