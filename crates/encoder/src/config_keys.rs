use serde::{Deserialize, Deserializer};

use crate::{EncoderConfig, HiddenAct, ModelType};

/// The keys of a config.json that are there. Other families' spellings of a key are its aliases.
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
    num_hidden_layers: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    num_hidden_groups: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    num_attention_heads: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    intermediate_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    hidden_act: Option<HiddenAct>,
    #[serde(default, deserialize_with = "given")]
    hidden_dropout_prob: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    attention_probs_dropout_prob: Option<f64>,
    #[serde(default)]
    classifier_dropout: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    max_position_embeddings: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    type_vocab_size: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    initializer_range: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    layer_norm_eps: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    pad_token_id: Option<usize>,
    #[serde(default, deserialize_with = "given")]
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

impl From<ConfigKeys> for EncoderConfig {
    fn from(keys: ConfigKeys) -> Self {
        let model_type = keys.model_type.unwrap_or_default();
        let defaults = (model_type.family().defaults)();
        // A key that the family does not have is not read.
        let sized = |key: Option<usize>, default: Option<usize>| Some(key.unwrap_or(default?));
        Self {
            model_type,
            vocab_size: keys.vocab_size.unwrap_or(defaults.vocab_size),
            embedding_size: sized(keys.embedding_size, defaults.embedding_size),
            hidden_size: keys.hidden_size.unwrap_or(defaults.hidden_size),
            num_hidden_layers: keys.num_hidden_layers.unwrap_or(defaults.num_hidden_layers),
            num_hidden_groups: sized(keys.num_hidden_groups, defaults.num_hidden_groups),
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
            max_position_embeddings: keys
                .max_position_embeddings
                .unwrap_or(defaults.max_position_embeddings),
            type_vocab_size: keys.type_vocab_size.unwrap_or(defaults.type_vocab_size),
            initializer_range: keys.initializer_range.unwrap_or(defaults.initializer_range),
            layer_norm_eps: keys.layer_norm_eps.unwrap_or(defaults.layer_norm_eps),
            pad_token_id: keys.pad_token_id.unwrap_or(defaults.pad_token_id),
            position_embedding_type: keys
                .position_embedding_type
                .unwrap_or(defaults.position_embedding_type),
            is_decoder: keys.is_decoder.unwrap_or(defaults.is_decoder),
        }
    }
}
