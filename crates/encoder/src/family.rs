use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::EncoderConfig;

/// Family of a model: `model_type` of config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ModelType {
    /// BERT (Devlin et al., <https://arxiv.org/abs/1810.04805>).
    #[default]
    #[serde(rename = "bert")]
    Bert,
}

/// Number of the first token's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPosition {
    /// Positions count from 0.
    Zero,
    /// Positions count from `pad_token_id` + 1, and padding itself has the position `pad_token_id`: RoBERTa and its kin.
    AfterPadding,
}

/// The arithmetic of a family's layers: the variant of [`Layer`](crate::Layer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// [`PostNormLayer`](crate::PostNormLayer).
    PostNorm,
}

/// What a family of models is, as far as it is data.
///
/// A new family is a variant of [`ModelType`], an entry here and a key map in `keys/`.
#[derive(Debug)]
pub struct Family {
    /// What the names of its classes in transformers begin with, such as `Bert` of `BertForMaskedLM`.
    pub class_prefix: &'static str,
    /// `base_model_prefix` of transformers, with its dot: what the encoder's tensors are called after in the checkpoint of
    /// a model with a head.
    pub base_model_prefix: &'static str,
    /// Checkpoint name and module path of every parameter of [`Encoder`](crate::Encoder), one pair a line, `{n}` for the
    /// number of a layer.
    pub keys: &'static str,
    /// What the names of the pooler's tensors begin with. Heads that have a pooler map them; others leave them out.
    pub pooler: &'static str,
    /// What the names of the heads' tensors begin with. A model with another head leaves them out.
    pub heads: &'static [&'static str],
    /// Where positions begin.
    pub first_position: FirstPosition,
    /// What its layers compute.
    pub layer: LayerKind,
    /// Keys of config.json that the family spells otherwise: the field of [`EncoderConfig`], and the family's key.
    pub config_keys: &'static [(&'static str, &'static str)],
    /// The configuration of an empty config.json, as the family's class in transformers has it. `embedding_size` and
    /// `num_hidden_groups` are read from a file only where they are present here, and `type_vocab_size` may be 0 only where
    /// it is 0 here.
    pub defaults: fn() -> EncoderConfig,
}

const BERT: Family = Family {
    class_prefix: "Bert",
    base_model_prefix: "bert.",
    keys: include_str!("keys/bert.tsv"),
    pooler: "bert.pooler",
    heads: &["classifier", "cls", "qa_outputs"],
    first_position: FirstPosition::Zero,
    layer: LayerKind::PostNorm,
    config_keys: &[],
    defaults: EncoderConfig::bert_base,
};

impl ModelType {
    /// Every family.
    pub const ALL: [Self; 1] = [Self::Bert];

    /// What the family is.
    pub fn family(self) -> &'static Family {
        match self {
            Self::Bert => &BERT,
        }
    }

    /// The class of transformers with this head, such as `BertForMaskedLM` for `ForMaskedLM`.
    pub fn architecture(self, head: &str) -> String {
        format!("{}{head}", self.family().class_prefix)
    }
}

impl Family {
    /// What the names of the encoder's tensors begin with in the checkpoint of a model with a head.
    pub fn encoder_prefixes(&self) -> BTreeSet<String> {
        let names = self.keys.lines().filter(|line| !line.starts_with('#'));
        names
            .filter_map(|line| line.split('.').next())
            .map(|segment| format!("{}{segment}", self.base_model_prefix))
            .collect()
    }

    /// The family's spelling of a field of [`EncoderConfig`] in config.json.
    pub fn config_key(&self, field: &'static str) -> &'static str {
        let theirs = self.config_keys.iter().find(|(ours, _)| *ours == field);
        theirs.map_or(field, |(_, theirs)| theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_of_their_own_family_and_valid() {
        for model_type in ModelType::ALL {
            let defaults = (model_type.family().defaults)();
            assert_eq!(defaults.model_type, model_type);
            defaults.validate().unwrap();
        }
    }

    #[test]
    fn the_tensors_of_berts_encoder_begin_with_two_names() {
        let prefixes: Vec<String> = BERT.encoder_prefixes().into_iter().collect();
        assert_eq!(prefixes, ["bert.embeddings", "bert.encoder"]);
    }

    #[test]
    fn families_spell_keys_that_config_json_reads() {
        for model_type in ModelType::ALL {
            for (ours, theirs) in model_type.family().config_keys {
                let value = |key: &str| serde_json::json!({"model_type": model_type, key: 0});
                let read = |key: &str| serde_json::from_value::<EncoderConfig>(value(key)).unwrap();
                assert_eq!(read(ours), read(theirs), "{ours} is not read as {theirs}");
            }
        }
    }
}
