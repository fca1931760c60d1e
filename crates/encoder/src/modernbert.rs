use serde::{Deserialize, Serialize};

use crate::{EncoderConfig, EncoderError, HiddenAct, Pooling};

/// What a layer attends to: an entry of `layer_types` of config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerType {
    /// Every token of the sequence.
    FullAttention,
    /// The tokens in a window.
    SlidingAttention,
}

/// The keys of a config.json that ModernBERT has and BERT has not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Keys")]
pub struct ModernBertConfig {
    /// What each layer attends to; `None` follows from `global_attn_every_n_layers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_types: Option<Vec<LayerType>>,
    /// Every so many layers, from the first on, one attends to every token; at least 1.
    pub global_attn_every_n_layers: usize,
    /// The window of the other layers: a token sees half as many tokens to each side.
    pub local_attention: usize,
    /// Base of the rotary frequencies of layers that attend to every token.
    pub global_rope_theta: f64,
    /// Base of the rotary frequencies of layers with a window.
    pub local_rope_theta: f64,
    /// Whether the linear layers of the attention have biases.
    pub attention_bias: bool,
    /// Whether the linear layers of the feed-forward network have biases.
    pub mlp_bias: bool,
    /// Whether LayerNorms have a bias.
    pub norm_bias: bool,
    /// Dropout between the two linear layers of the feed-forward network, in [0, 1).
    pub mlp_dropout: f64,
    /// What a classifier of sequences looks at.
    pub classifier_pooling: Pooling,
    /// Whether the linear layer of a head has a bias.
    pub classifier_bias: bool,
    /// The activation of a head.
    pub classifier_activation: HiddenAct,
    /// Whether the decoder of masked tokens has a bias.
    pub decoder_bias: bool,
}

impl Default for ModernBertConfig {
    /// transformers' `ModernBertConfig()`.
    fn default() -> Self {
        Self {
            layer_types: None,
            global_attn_every_n_layers: 3,
            local_attention: 128,
            global_rope_theta: 160_000.0,
            local_rope_theta: 10_000.0,
            attention_bias: false,
            mlp_bias: false,
            norm_bias: false,
            mlp_dropout: 0.0,
            classifier_pooling: Pooling::First,
            classifier_bias: false,
            classifier_activation: HiddenAct::Gelu,
            decoder_bias: true,
        }
    }
}

impl ModernBertConfig {
    /// What the layer of this index attends to.
    pub fn layer_type(&self, layer: usize) -> LayerType {
        let given = self.layer_types.as_ref().and_then(|types| types.get(layer));
        match given {
            Some(&given) => given,
            None if layer.is_multiple_of(self.global_attn_every_n_layers) => {
                LayerType::FullAttention
            }
            None => LayerType::SlidingAttention,
        }
    }

    /// How many tokens a layer of this type sees to each side; `None` is all.
    pub fn window(&self, layer_type: LayerType) -> Option<usize> {
        match layer_type {
            LayerType::FullAttention => None,
            LayerType::SlidingAttention => Some(self.local_attention / 2),
        }
    }

    /// Base of the rotary frequencies of layers of this type.
    pub fn rope_theta(&self, layer_type: LayerType) -> f64 {
        match layer_type {
            LayerType::FullAttention => self.global_rope_theta,
            LayerType::SlidingAttention => self.local_rope_theta,
        }
    }

    /// Checks everything that the layers of a model of these sizes rely on.
    pub(crate) fn validate(&self, config: &EncoderConfig) -> Result<(), EncoderError> {
        if self.global_attn_every_n_layers == 0 {
            let key = "global_attn_every_n_layers";
            return Err(EncoderError::ZeroSize { key });
        }
        if !config.head_size().is_multiple_of(2) {
            return Err(EncoderError::Unsupported {
                key: "num_attention_heads",
                value: config.num_attention_heads.to_string(),
                expected: "a number of heads of even width, whose halves turn together",
            });
        }
        if let Some(types) = &self.layer_types
            && types.len() != config.num_hidden_layers
        {
            return Err(EncoderError::Unsupported {
                key: "layer_types",
                value: format!("{} entries", types.len()),
                expected: "one entry for each of `num_hidden_layers`",
            });
        }
        self.validate_ranges()
    }

    fn validate_ranges(&self) -> Result<(), EncoderError> {
        let out_of_range = |key, value, expected| EncoderError::OutOfRange {
            key,
            value,
            expected,
        };
        if !(0.0..1.0).contains(&self.mlp_dropout) {
            let expected = "at least 0 and below 1";
            return Err(out_of_range("mlp_dropout", self.mlp_dropout, expected));
        }
        for (key, theta) in [
            ("global_rope_theta", self.global_rope_theta),
            ("local_rope_theta", self.local_rope_theta),
        ] {
            if !(theta.is_finite() && theta > 0.0) {
                return Err(out_of_range(key, theta, "finite and above 0"));
            }
        }
        Ok(())
    }
}

/// The keys as a file may have them. Transformers 4 writes `global_rope_theta` and `local_rope_theta`, transformers 5
/// `rope_parameters`.
#[derive(Debug, Deserialize)]
struct Keys {
    layer_types: Option<Vec<LayerType>>,
    global_attn_every_n_layers: Option<usize>,
    local_attention: Option<usize>,
    global_rope_theta: Option<f64>,
    /// `null` means the global one, as in transformers 4.
    #[serde(default, deserialize_with = "present")]
    local_rope_theta: Option<Option<f64>>,
    #[serde(default)]
    rope_parameters: Option<RopeParameters>,
    #[serde(default)]
    rope_scaling: Option<Rope>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    norm_bias: Option<bool>,
    mlp_dropout: Option<f64>,
    classifier_pooling: Option<Pooling>,
    classifier_bias: Option<bool>,
    classifier_activation: Option<HiddenAct>,
    decoder_bias: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct RopeParameters {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Rope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
}

/// A key that is there, `null` or not.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<f64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl TryFrom<Keys> for ModernBertConfig {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let defaults = Self::default();
        let rope = keys.rope_parameters.unwrap_or_default();
        let [full, sliding] =
            [rope.full_attention, rope.sliding_attention].map(Option::unwrap_or_default);
        for rope in [Some(&full), Some(&sliding), keys.rope_scaling.as_ref()] {
            check_rope_type(rope)?;
        }
        let global_rope_theta = full
            .rope_theta
            .or(keys.global_rope_theta)
            .unwrap_or(defaults.global_rope_theta);
        let local = match keys.local_rope_theta {
            Some(local) => local.unwrap_or(global_rope_theta),
            None => defaults.local_rope_theta,
        };
        Ok(Self {
            layer_types: keys.layer_types,
            global_attn_every_n_layers: keys
                .global_attn_every_n_layers
                .unwrap_or(defaults.global_attn_every_n_layers),
            local_attention: keys.local_attention.unwrap_or(defaults.local_attention),
            global_rope_theta,
            local_rope_theta: sliding.rope_theta.unwrap_or(local),
            attention_bias: keys.attention_bias.unwrap_or(defaults.attention_bias),
            mlp_bias: keys.mlp_bias.unwrap_or(defaults.mlp_bias),
            norm_bias: keys.norm_bias.unwrap_or(defaults.norm_bias),
            mlp_dropout: keys.mlp_dropout.unwrap_or(defaults.mlp_dropout),
            classifier_pooling: keys.classifier_pooling.unwrap_or_default(),
            classifier_bias: keys.classifier_bias.unwrap_or(defaults.classifier_bias),
            classifier_activation: keys.classifier_activation.unwrap_or_default(),
            decoder_bias: keys.decoder_bias.unwrap_or(defaults.decoder_bias),
        })
    }
}

fn check_rope_type(rope: Option<&Rope>) -> Result<(), String> {
    match rope.and_then(|rope| rope.rope_type.as_deref()) {
        None | Some("default") => Ok(()),
        Some(other) => Err(format!(
            "config key `rope_type` is `{other}`; this encoder supports `default`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ModernBertConfig, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_empty_config_has_the_defaults_of_transformers() {
        let config = read("{}").unwrap();
        assert_eq!(config, ModernBertConfig::default());
        let types = [0, 1, 2, 3].map(|layer| config.layer_type(layer));
        let (full, sliding) = (LayerType::FullAttention, LayerType::SlidingAttention);
        assert_eq!(types, [full, sliding, sliding, full]);
        assert_eq!(config.window(sliding), Some(64));
        assert_eq!(config.window(full), None);
    }

    #[test]
    fn both_spellings_of_rotary_keys_are_read() {
        let published = r#"{"global_attn_every_n_layers": 2, "global_rope_theta": 7.0, "local_rope_theta": 3.0}"#;
        let old = read(published).unwrap();
        let new = read(
            r#"{"layer_types": ["full_attention", "sliding_attention"],
            "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 7.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 3.0}}}"#,
        )
        .unwrap();
        for layer in [0, 1] {
            let layer_type = old.layer_type(layer);
            assert_eq!(layer_type, new.layer_type(layer));
            assert_eq!(old.rope_theta(layer_type), new.rope_theta(layer_type));
        }
        let shared = read(r#"{"global_rope_theta": 7.0, "local_rope_theta": null}"#).unwrap();
        assert_eq!(shared.local_rope_theta, 7.0);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = ModernBertConfig {
            layer_types: Some(vec![LayerType::SlidingAttention]),
            local_rope_theta: 5.0,
            classifier_pooling: Pooling::Mean,
            decoder_bias: false,
            ..ModernBertConfig::default()
        };
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(read(&written).unwrap(), config);
    }

    #[test]
    fn other_rotary_embeddings_are_refused_by_name() {
        for json in [
            r#"{"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}"#,
            r#"{"rope_scaling": {"type": "yarn", "factor": 2.0}}"#,
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(
                error.contains("`yarn`") && error.contains("rope_type"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_the_layers_cannot_compute_is_refused_by_key() {
        let encoder = EncoderConfig {
            hidden_size: 16,
            num_attention_heads: 2,
            num_hidden_layers: 2,
            ..EncoderConfig::default()
        };
        let refused = |config: ModernBertConfig, encoder: &EncoderConfig| {
            config.validate(encoder).unwrap_err().to_string()
        };
        let config = ModernBertConfig::default;
        let too_few = ModernBertConfig {
            layer_types: Some(vec![LayerType::FullAttention]),
            ..config()
        };
        assert!(refused(too_few, &encoder).contains("layer_types"));
        let never = ModernBertConfig {
            global_attn_every_n_layers: 0,
            ..config()
        };
        assert!(refused(never, &encoder).contains("global_attn_every_n_layers"));
        let theta = ModernBertConfig {
            local_rope_theta: 0.0,
            ..config()
        };
        assert!(refused(theta, &encoder).contains("local_rope_theta"));
        let odd = EncoderConfig {
            num_attention_heads: 16,
            ..encoder.clone()
        };
        assert!(refused(config(), &odd).contains("num_attention_heads"));
        config().validate(&encoder).unwrap();
    }
}
