use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::buckets::log_bucket;
use crate::{EncoderConfig, EncoderError, HiddenAct};

/// The keys of config.json that DeBERTa-v2 and -v3 compute with beside those of every encoder. Keys that are missing have the
/// value that `DebertaV2Config` and `modeling_deberta_v2.py` of transformers give them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DisentangledConfig {
    /// Whether attention knows relative positions.
    pub relative_attention: bool,
    /// The farthest distance, in tokens; below 1 it is `max_position_embeddings`.
    pub max_relative_positions: i64,
    /// Number of buckets that distances of one sign fall into; below 1 each distance is for itself.
    pub position_buckets: i64,
    /// The scores that relative positions add.
    pub pos_att_type: PosAttType,
    /// Whether positions share the projections of the content.
    pub share_att_key: bool,
    /// What is done to the table of relative positions: words with `|` between them, of which `layer_norm` is one.
    pub norm_rel_ebd: String,
    /// Whether absolute positions are added to the embeddings.
    pub position_biased_input: bool,
    /// Tokens that the convolution beside the first layer looks at, an odd number; 0 means that there is none.
    pub conv_kernel_size: usize,
    /// Groups of the convolution's channels.
    pub conv_groups: usize,
    /// Activation of the convolution.
    pub conv_act: HiddenAct,
    /// Width of a head; only `hidden_size / num_attention_heads` is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_head_size: Option<usize>,
    /// Whether the head for masked tokens is named and tied as in the first versions of transformers.
    pub legacy: bool,
    /// Width of the pooler; only `hidden_size` is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooler_hidden_size: Option<usize>,
    /// Activation of the pooler.
    pub pooler_hidden_act: HiddenAct,
    /// Dropout in front of the pooler, in [0, 1).
    pub pooler_dropout: f64,
}

/// The scores that relative positions add to those of the content. In config.json it is a list of words, or words with `|`
/// between them; as in transformers, other words than these two have no effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PosAttType {
    /// Content to position.
    pub c2p: bool,
    /// Position to content.
    pub p2c: bool,
}

impl Default for DisentangledConfig {
    fn default() -> Self {
        Self {
            relative_attention: false,
            max_relative_positions: -1,
            position_buckets: -1,
            pos_att_type: PosAttType::default(),
            share_att_key: false,
            norm_rel_ebd: "none".into(),
            position_biased_input: true,
            conv_kernel_size: 0,
            conv_groups: 1,
            conv_act: HiddenAct::Tanh,
            attention_head_size: None,
            legacy: true,
            pooler_hidden_size: None,
            pooler_hidden_act: HiddenAct::Gelu,
            pooler_dropout: 0.0,
        }
    }
}

impl DisentangledConfig {
    /// Whether a LayerNorm stands behind the table of relative positions.
    pub(crate) fn normalizes_table(&self) -> bool {
        let words = self.norm_rel_ebd.split('|');
        let is_named = words
            .map(|word| word.trim().to_lowercase())
            .any(|word| word == "layer_norm");
        self.relative_attention && is_named
    }

    /// How distances find their rows in the table of relative positions, in a model with so many positions.
    pub fn distances(&self, max_position_embeddings: usize) -> Distances {
        let positive = |value: i64| usize::try_from(value).ok().filter(|&value| value > 0);
        let farthest = positive(self.max_relative_positions).unwrap_or(max_position_embeddings);
        Distances {
            buckets: positive(self.position_buckets),
            farthest,
        }
    }

    /// Checks what an encoder of this configuration relies on.
    pub(crate) fn validate(&self, config: &EncoderConfig) -> Result<(), EncoderError> {
        let out_of_range = |key, value: f64, expected| {
            Err(EncoderError::OutOfRange {
                key,
                value,
                expected,
            })
        };
        let (hidden, kernel) = (config.hidden_size, self.conv_kernel_size);
        if kernel > 0 && kernel.is_multiple_of(2) {
            return out_of_range("conv_kernel_size", kernel as f64, "odd, or 0");
        }
        if !hidden.is_multiple_of(self.conv_groups) {
            let groups = self.conv_groups as f64;
            return out_of_range("conv_groups", groups, "a divisor of `hidden_size`");
        }
        if let Some(width) = self
            .attention_head_size
            .filter(|&width| width != config.head_size())
        {
            let expected = "`hidden_size` / `num_attention_heads`";
            return out_of_range("attention_head_size", width as f64, expected);
        }
        if let Some(width) = self.pooler_hidden_size.filter(|&width| width != hidden) {
            return out_of_range("pooler_hidden_size", width as f64, "`hidden_size`");
        }
        let dropout = self.pooler_dropout;
        if !(0.0..1.0).contains(&dropout) {
            return out_of_range("pooler_dropout", dropout, "at least 0 and below 1");
        }
        let distances = self.distances(config.max_position_embeddings);
        if self.relative_attention && !distances.have_steps() {
            let expected = "at least 2 and below 2 · (`max_relative_positions` − 1), or below 1 for no buckets";
            return out_of_range("position_buckets", self.position_buckets as f64, expected);
        }
        Ok(())
    }
}

/// How the distance of a query from a key finds its row in the table of relative positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distances {
    buckets: Option<usize>,
    farthest: usize,
}

impl Distances {
    /// Rows for distances of one sign, `pos_ebd_size` of transformers.
    pub fn span(self) -> usize {
        self.buckets.unwrap_or(self.farthest)
    }

    /// A row below 2 · span, for the number of tokens by which a query stands behind a key. It does not fall as the distance
    /// grows.
    pub fn row(self, distance: i64) -> usize {
        let bucket = match self.buckets {
            Some(buckets) => log_bucket(distance, buckets, self.farthest),
            None => distance,
        };
        let span = self.span() as i64;
        (bucket + span).clamp(0, 2 * span - 1) as usize
    }

    /// Whether the logarithmic steps of the buckets lead anywhere.
    fn have_steps(self) -> bool {
        self.buckets
            .is_none_or(|buckets| buckets >= 2 && buckets / 2 + 1 < self.farthest)
    }
}

impl PosAttType {
    /// What products of queries and keys are multiplied by: one over the square root of the head's width for each kind of
    /// score.
    pub fn score_scale(self, head_size: usize) -> f64 {
        let kinds = 1 + usize::from(self.c2p) + usize::from(self.p2c);
        ((head_size * kinds) as f64).powf(-0.5)
    }

    fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        words.fold(Self::default(), |found, word| Self {
            c2p: found.c2p || word == "c2p",
            p2c: found.p2c || word == "p2c",
        })
    }
}

impl Serialize for PosAttType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = [("p2c", self.p2c), ("c2p", self.c2p)];
        serializer.collect_seq(
            words
                .iter()
                .filter(|(_, is_there)| *is_there)
                .map(|(word, _)| word),
        )
    }
}

impl<'de> Deserialize<'de> for PosAttType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a list of words, or words with `|` between them"
        )]
        enum Words {
            None(()),
            Joined(String),
            List(Vec<String>),
        }
        Ok(match Words::deserialize(deserializer)? {
            Words::None(()) => Self::default(),
            Words::Joined(words) => Self::of_words(words.to_lowercase().split('|').map(str::trim)),
            Words::List(words) => Self::of_words(words.iter().map(String::as_str)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> DisentangledConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_empty_config_has_no_relative_attention() {
        let config = read("{}");
        assert_eq!(config, DisentangledConfig::default());
        assert!(!config.relative_attention && !config.normalizes_table());
    }

    #[test]
    fn the_kinds_of_scores_are_words_or_a_list_of_them() {
        let both = PosAttType {
            c2p: true,
            p2c: true,
        };
        for json in [
            r#"{"pos_att_type": "p2c|c2p"}"#,
            r#"{"pos_att_type": "C2P | p2c"}"#,
            r#"{"pos_att_type": ["p2c", "c2p", "p2p"]}"#,
        ] {
            assert_eq!(read(json).pos_att_type, both, "{json}");
        }
        let none = read(r#"{"pos_att_type": null}"#).pos_att_type;
        assert_eq!(none, PosAttType::default());
        let written = serde_json::to_value(both).unwrap();
        assert_eq!(written, serde_json::json!(["p2c", "c2p"]));
        let wrong = serde_json::from_str::<DisentangledConfig>(r#"{"pos_att_type": 2}"#);
        assert!(wrong.unwrap_err().to_string().contains("list of words"));
    }

    #[test]
    fn rows_of_the_table_grow_with_the_distance_and_end_at_its_ends() {
        let config = read(r#"{"relative_attention": true, "position_buckets": 8}"#);
        let buckets = config.distances(40);
        assert_eq!(buckets.span(), 8);
        assert_eq!([-3, 0, 3].map(|distance| buckets.row(distance)), [5, 8, 11]);
        assert_eq!([-900, 900].map(|distance| buckets.row(distance)), [0, 15]);
        let plain = read(r#"{"max_relative_positions": 5}"#).distances(40);
        assert_eq!(
            [-9, -5, 4, 5].map(|distance| plain.row(distance)),
            [0, 0, 9, 9]
        );
        assert_eq!(read("{}").distances(40).span(), 40);
    }

    #[test]
    fn a_table_is_normalised_if_a_word_says_so() {
        let json = |words: &str| {
            let json = serde_json::json!({"relative_attention": true, "norm_rel_ebd": words});
            serde_json::from_value::<DisentangledConfig>(json).unwrap()
        };
        assert!(json("layer_norm").normalizes_table());
        assert!(json("none | LAYER_NORM").normalizes_table());
        assert!(!json("none").normalizes_table());
    }

    #[test]
    fn every_impossible_value_is_refused_by_its_key() {
        let encoder = EncoderConfig::default();
        for (key, value) in [
            ("conv_kernel_size", 4.into()),
            ("conv_groups", 5.into()),
            ("conv_groups", 0.into()),
            ("attention_head_size", 63.into()),
            ("pooler_hidden_size", 767.into()),
            ("pooler_dropout", serde_json::json!(1.0)),
            ("position_buckets", 1.into()),
            ("position_buckets", 1022.into()),
        ] {
            let json = serde_json::json!({"relative_attention": true, key: value});
            let config: DisentangledConfig = serde_json::from_value(json).unwrap();
            let error = config.validate(&encoder).unwrap_err().to_string();
            assert!(error.contains(key), "{error} does not name {key}");
        }
    }
}
