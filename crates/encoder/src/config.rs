use serde::{Deserialize, Serialize};

use crate::batch::Numbering;
use crate::buckets::BIAS_BUCKETS;
use crate::config_keys::ConfigKeys;
use crate::{DisentangledConfig, EncoderError, HiddenAct, ModelType, ModernBertConfig};

/// The largest size of anything, 2²⁸: more than any vocabulary has, and the product of two such sizes is a number of elements.
const LARGEST_SIZE: usize = 1 << 28;

/// The keys of a `config.json` that the encoder computes with, spelled as BERT spells them; the keys of other families are
/// read, too. Keys it does not know are left to the reader of the file. Keys that are missing have the value that the
/// family's class in transformers gives them; [`EncoderConfig::default`] is BERT-base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "ConfigKeys")]
pub struct EncoderConfig {
    /// Family of the model.
    pub model_type: ModelType,
    /// Rows of the word embedding table.
    pub vocab_size: usize,
    /// Width E of the embeddings, which are projected to H; `None` means H, without a projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_size: Option<usize>,
    /// Width H of the residual stream.
    pub hidden_size: usize,
    /// Number L of layers.
    pub num_hidden_layers: usize,
    /// Number of layers that have weights of their own; each serves an equal share of the L in a row. `None` means L.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_hidden_groups: Option<usize>,
    /// Number of layers in such a group; only 1 is supported.
    pub inner_group_num: usize,
    /// Number N of attention heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward network's inner layer.
    pub intermediate_size: usize,
    /// Activation of the feed-forward network.
    pub hidden_act: HiddenAct,
    /// Dropout on embeddings and on the output of both sub-layers, in [0, 1).
    pub hidden_dropout_prob: f64,
    /// Dropout on attention probabilities, in [0, 1).
    pub attention_probs_dropout_prob: f64,
    /// Dropout before a classifier, in [0, 1); `None` means `hidden_dropout_prob`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classifier_dropout: Option<f64>,
    /// Dropout before the outputs of question answering, in [0, 1), in families that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qa_dropout: Option<f64>,
    /// Rows of the position table.
    pub max_position_embeddings: usize,
    /// Rows of the token type (segment) table; 0 means that there is none.
    pub type_vocab_size: usize,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// ε inside LayerNorm's square root.
    pub layer_norm_eps: f64,
    /// Id of the padding token, if there is one; its embedding row starts at zero and gets no gradient from look-ups.
    pub pad_token_id: Option<usize>,
    /// Rows of the table of a bias for relative positions, in families that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_attention_num_buckets: Option<usize>,
    /// The keys of DeBERTa, in this family.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub disentangled: Option<DisentangledConfig>,
    /// The keys of ModernBERT, in this family.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub modernbert: Option<ModernBertConfig>,
    /// How positions enter; only `absolute` is BERT's.
    pub position_embedding_type: String,
    /// Whether the model is a causal decoder; it must not be.
    pub is_decoder: bool,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self::bert_base()
    }
}

impl EncoderConfig {
    /// transformers' `BertConfig()`.
    pub(crate) fn bert_base() -> Self {
        Self {
            model_type: ModelType::Bert,
            vocab_size: 30522,
            embedding_size: None,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_hidden_groups: None,
            inner_group_num: 1,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: HiddenAct::Gelu,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            classifier_dropout: None,
            qa_dropout: None,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            initializer_range: 0.02,
            layer_norm_eps: 1e-12,
            pad_token_id: Some(0),
            relative_attention_num_buckets: None,
            disentangled: None,
            modernbert: None,
            position_embedding_type: "absolute".into(),
            is_decoder: false,
        }
    }
}

impl EncoderConfig {
    /// Width of one attention head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Width E of the embeddings.
    pub fn embedding_width(&self) -> usize {
        self.embedding_size.unwrap_or(self.hidden_size)
    }

    /// Number of layers that have weights of their own.
    pub fn layers_with_weights(&self) -> usize {
        self.num_hidden_groups.unwrap_or(self.num_hidden_layers)
    }

    /// The dropout in front of a classifier: `classifier_dropout`, else `hidden_dropout_prob`.
    pub fn classifier_dropout_prob(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// The dropout in front of a classifier of tokens.
    pub fn token_classifier_dropout_prob(&self) -> f64 {
        if self.model_type.family().classifier_dropout_on_tokens {
            self.classifier_dropout_prob()
        } else {
            self.hidden_dropout_prob
        }
    }

    /// The dropout in front of the outputs of question answering.
    pub fn qa_dropout_prob(&self) -> f64 {
        match self.modernbert {
            Some(_) => self.classifier_dropout_prob(),
            None => self.qa_dropout.unwrap_or(0.0),
        }
    }

    /// The activation in the head for masked tokens.
    pub fn prediction_act(&self) -> HiddenAct {
        match &self.modernbert {
            Some(modernbert) => modernbert.classifier_activation,
            None => {
                let given = self.model_type.family().prediction_act;
                given.unwrap_or(self.hidden_act)
            }
        }
    }

    /// Whether the linear layer in a head, before the one to the outputs, has a bias.
    pub fn head_bias(&self) -> bool {
        let modernbert = self.modernbert.as_ref();
        modernbert.is_none_or(|modernbert| modernbert.classifier_bias)
    }

    /// Whether LayerNorms have a bias.
    pub fn norm_bias(&self) -> bool {
        let modernbert = self.modernbert.as_ref();
        modernbert.is_none_or(|modernbert| modernbert.norm_bias)
    }

    /// Whether absolute positions are added to the embeddings.
    pub(crate) fn has_absolute_positions(&self) -> bool {
        let disentangled = self.disentangled.as_ref();
        self.modernbert.is_none()
            && disentangled.is_none_or(|disentangled| disentangled.position_biased_input)
    }

    /// The longest sequence, in tokens.
    pub fn max_length(&self) -> usize {
        let first = self.numbering().first();
        self.max_position_embeddings.saturating_sub(first)
    }

    pub(crate) fn numbering(&self) -> Numbering {
        let first_position = self.model_type.family().first_position;
        Numbering::new(first_position, self.pad_token_id)
    }

    /// The same configuration with every dropout set to `probability`.
    pub fn with_dropout(self, probability: f64) -> Self {
        Self {
            attention_probs_dropout_prob: probability,
            ..self.with_hidden_dropout(probability)
        }
    }

    /// The same configuration with every dropout but that of attention set to `probability`.
    pub fn with_hidden_dropout(mut self, probability: f64) -> Self {
        self.hidden_dropout_prob = probability;
        self.classifier_dropout = None;
        self.qa_dropout = self.qa_dropout.map(|_| probability);
        if let Some(disentangled) = &mut self.disentangled {
            disentangled.pooler_dropout = probability;
        }
        if let Some(modernbert) = &mut self.modernbert {
            modernbert.mlp_dropout = probability;
        }
        self
    }

    /// Checks everything that [`init`](Self::init) relies on.
    ///
    /// # Errors
    ///
    /// The first key with a value this encoder cannot be built from.
    pub fn validate(&self) -> Result<(), EncoderError> {
        self.validate_family()?;
        self.validate_sizes()?;
        self.validate_ranges()
    }

    fn validate_family(&self) -> Result<(), EncoderError> {
        let unsupported = |key, value: String, expected| EncoderError::Unsupported {
            key,
            value,
            expected,
        };
        if self.position_embedding_type != "absolute" {
            let value = self.position_embedding_type.clone();
            return Err(unsupported("position_embedding_type", value, "absolute"));
        }
        if self.is_decoder {
            return Err(unsupported("is_decoder", "true".into(), "false"));
        }
        if self.inner_group_num != 1 {
            let value = self.inner_group_num.to_string();
            return Err(unsupported("inner_group_num", value, "1"));
        }
        if let Some(buckets) = self.relative_attention_num_buckets
            && buckets < BIAS_BUCKETS
        {
            return Err(EncoderError::OutOfRange {
                key: "relative_attention_num_buckets",
                value: buckets as f64,
                expected: "at least 32, whose buckets are computed",
            });
        }
        if self.model_type == ModelType::Mpnet && self.pad_token_id != Some(1) {
            let value = self.pad_token_id.map_or("null".into(), |id| id.to_string());
            return Err(unsupported("pad_token_id", value, "1"));
        }
        Ok(())
    }

    fn validate_sizes(&self) -> Result<(), EncoderError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("embedding_size", self.embedding_width()),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_hidden_groups", self.layers_with_weights()),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_length()),
        ];
        if let Some((key, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(EncoderError::ZeroSize { key });
        }
        let table = [("type_vocab_size", self.type_vocab_size)];
        let too_large = |(_, size): &(&str, usize)| *size > LARGEST_SIZE;
        if let Some((key, size)) = sizes.into_iter().chain(table).find(too_large) {
            return Err(EncoderError::OutOfRange {
                key,
                value: size as f64,
                expected: "at most 268435456",
            });
        }
        let defaults = (self.model_type.family().defaults)();
        if self.type_vocab_size == 0 && defaults.type_vocab_size != 0 {
            let key = "type_vocab_size";
            return Err(EncoderError::ZeroSize { key });
        }
        if let Some(padding) = self.pad_token_id.filter(|&id| id >= self.vocab_size) {
            return Err(EncoderError::OutOfRange {
                key: "pad_token_id",
                value: padding as f64,
                expected: "below `vocab_size`, the number of embeddings",
            });
        }
        let (layers, groups) = (self.num_hidden_layers, self.layers_with_weights());
        if !layers.is_multiple_of(groups) {
            return Err(EncoderError::LayerGroups { layers, groups });
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(EncoderError::HeadSplit {
                hidden_size: self.hidden_size,
                num_attention_heads: self.num_attention_heads,
            });
        }
        if let Some(disentangled) = &self.disentangled {
            disentangled.validate(self)?;
        }
        match &self.modernbert {
            Some(modernbert) => modernbert.validate(self),
            None => Ok(()),
        }
    }

    fn validate_ranges(&self) -> Result<(), EncoderError> {
        let probabilities = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
            ("classifier_dropout", self.classifier_dropout_prob()),
            ("qa_dropout", self.qa_dropout.unwrap_or(0.0)),
        ];
        for (key, value) in probabilities {
            if !(0.0..1.0).contains(&value) {
                let expected = "at least 0 and below 1";
                return Err(EncoderError::OutOfRange {
                    key,
                    value,
                    expected,
                });
            }
        }
        let positive = [
            ("layer_norm_eps", self.layer_norm_eps),
            ("initializer_range", self.initializer_range),
        ];
        for (key, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                let expected = "finite and above 0";
                return Err(EncoderError::OutOfRange {
                    key,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_config_is_bert_base() {
        let config: EncoderConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(config, EncoderConfig::default());
        assert_eq!(config.head_size(), 64);
        assert_eq!(config.classifier_dropout_prob(), 0.1);
        config.validate().unwrap();
    }

    #[test]
    fn activations_go_by_the_names_of_transformers() {
        let names = [
            "gelu",
            "gelu_new",
            "gelu_pytorch_tanh",
            "quick_gelu",
            "relu",
            "silu",
            "tanh",
        ];
        for name in names {
            let json = format!(r#"{{"hidden_act": "{name}"}}"#);
            let config: EncoderConfig = serde_json::from_str(&json).unwrap();
            let written = serde_json::to_value(&config).unwrap();
            assert_eq!(written["hidden_act"], name);
        }
        let read = |name: &str| serde_json::from_value::<HiddenAct>(name.into()).unwrap();
        assert_eq!(read("gelu_python"), HiddenAct::Gelu);
        assert_eq!(read("gelu_fast"), HiddenAct::GeluNew);
        assert_eq!(read("gelu_python_tanh"), HiddenAct::GeluPytorchTanh);
        assert_eq!(read("gelu_accurate"), HiddenAct::GeluNew);
        let unknown = serde_json::from_str::<EncoderConfig>(r#"{"hidden_act": "mish"}"#);
        assert!(unknown.unwrap_err().to_string().contains("mish"));
    }

    #[test]
    fn keys_of_other_families_are_no_keys_of_bert() {
        let json = r#"{"embedding_size": 128, "num_hidden_groups": 1}"#;
        let config: EncoderConfig = serde_json::from_str(json).unwrap();
        assert_eq!(config, EncoderConfig::default());
    }

    #[test]
    fn the_padding_token_may_be_none_or_counted_from_the_end() {
        let padding = |json: &str| {
            let config: EncoderConfig = serde_json::from_str(json).unwrap();
            config.validate().map(|()| config.pad_token_id)
        };
        assert_eq!(padding(r#"{"pad_token_id": null}"#), Ok(None));
        assert_eq!(padding(r#"{"pad_token_id": -1}"#), Ok(Some(30521)));
        assert_eq!(padding(r#"{"pad_token_id": 3}"#), Ok(Some(3)));
        assert_eq!(padding("{}"), Ok(Some(0)));
        let beyond = padding(r#"{"pad_token_id": 7, "vocab_size": 7}"#);
        assert!(beyond.unwrap_err().to_string().contains("pad_token_id"));
    }

    #[test]
    fn no_type_of_position_is_the_usual_one() {
        let json = r#"{"position_embedding_type": null}"#;
        let config: EncoderConfig = serde_json::from_str(json).unwrap();
        assert_eq!(config, EncoderConfig::default());
    }

    #[test]
    fn robertas_positions_begin_after_padding() {
        let json = r#"{"model_type": "roberta", "max_position_embeddings": 514}"#;
        let config: EncoderConfig = serde_json::from_str(json).unwrap();
        assert_eq!(config.max_length(), 512);
    }

    #[test]
    fn null_and_unknown_families_are_no_values() {
        for (json, word) in [
            (r#"{"hidden_size": null}"#, "null"),
            (r#"{"model_type": "gpt2"}"#, "gpt2"),
        ] {
            let error = serde_json::from_str::<EncoderConfig>(json).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    fn broken(change: impl FnOnce(&mut EncoderConfig)) -> EncoderError {
        let mut config = EncoderConfig::default();
        change(&mut config);
        config.validate().unwrap_err()
    }

    #[test]
    fn every_impossible_value_is_refused_by_its_key() {
        let refused = [
            (broken(|c| c.num_attention_heads = 0), "num_attention_heads"),
            (broken(|c| c.hidden_size = 0), "hidden_size"),
            (broken(|c| c.hidden_size = 769), "hidden_size"),
            (
                broken(|c| c.hidden_dropout_prob = 1.0),
                "hidden_dropout_prob",
            ),
            (
                broken(|c| c.classifier_dropout = Some(-0.1)),
                "classifier_dropout",
            ),
            (
                broken(|c| c.attention_probs_dropout_prob = f64::NAN),
                "attention_probs_dropout_prob",
            ),
            (broken(|c| c.layer_norm_eps = 0.0), "layer_norm_eps"),
            (
                broken(|c| c.initializer_range = f64::INFINITY),
                "initializer_range",
            ),
            (broken(|c| c.type_vocab_size = 0), "type_vocab_size"),
            (
                broken(|c| c.num_hidden_groups = Some(5)),
                "num_hidden_groups",
            ),
            (broken(|c| c.embedding_size = Some(0)), "embedding_size"),
            (broken(|c| c.inner_group_num = 2), "inner_group_num"),
            (broken(|c| c.qa_dropout = Some(1.5)), "qa_dropout"),
            (broken(|c| c.is_decoder = true), "is_decoder"),
            (
                broken(|c| c.position_embedding_type = "relative_key".into()),
                "position_embedding_type",
            ),
        ];
        for (error, key) in refused {
            assert!(
                error.to_string().contains(key),
                "{error} does not name {key}"
            );
        }
    }
}
