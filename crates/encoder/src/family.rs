use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    DisentangledConfig, EncoderConfig, HiddenAct, ModernBertConfig, PoolerConfig, Pooling,
};

/// Family of a model: `model_type` of config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModelType {
    /// BERT (Devlin et al., <https://arxiv.org/abs/1810.04805>).
    #[default]
    Bert,
    /// RoBERTa (Liu et al., <https://arxiv.org/abs/1907.11692>).
    Roberta,
    /// XLM-RoBERTa (Conneau et al., <https://arxiv.org/abs/1911.02116>).
    XlmRoberta,
    /// CamemBERT (Martin et al., <https://arxiv.org/abs/1911.03894>).
    Camembert,
    /// DistilBERT (Sanh et al., <https://arxiv.org/abs/1910.01108>).
    Distilbert,
    /// ELECTRA (Clark et al., <https://arxiv.org/abs/2003.10555>).
    Electra,
    /// ALBERT (Lan et al., <https://arxiv.org/abs/1909.11942>).
    Albert,
    /// MPNet (Song et al., <https://arxiv.org/abs/2004.09297>).
    Mpnet,
    /// DeBERTa-v2 and -v3 (He et al., <https://arxiv.org/abs/2111.09543>).
    DebertaV2,
    /// ModernBERT (Warner et al., <https://arxiv.org/abs/2412.13663>).
    Modernbert,
}

/// Number of the first token's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPosition {
    /// Positions count from 0.
    Zero,
    /// Positions count from `pad_token_id` + 1, and padding itself has the position `pad_token_id`: RoBERTa and its kin.
    AfterPadding,
}

/// Where embeddings are projected to the width of the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingProjection {
    /// Where the widths differ.
    WhereWidthsDiffer,
    /// In every model.
    Always,
    /// Where the widths differ, without a bias and in front of the LayerNorm.
    BeforeNorm,
}

/// The arithmetic of a family's layers: the variant of [`Layer`](crate::Layer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// [`PostNormLayer`](crate::PostNormLayer).
    PostNorm,
    /// [`PreNormLayer`](crate::PreNormLayer).
    PreNorm,
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
    /// What the names of the base model's pooler begin with. Heads that have this pooler map them; others leave them out.
    pub pooler: &'static str,
    /// What the names of the heads' tensors begin with. A model with another head leaves them out.
    pub heads: &'static [&'static str],
    /// What the names of tensors begin with that some checkpoints hold and no model uses.
    pub unused: &'static [&'static str],
    /// Where positions begin.
    pub first_position: FirstPosition,
    /// Where embeddings are projected to the width of the layers.
    pub embedding_projection: EmbeddingProjection,
    /// What its layers compute.
    pub layer: LayerKind,
    /// Whether there is dropout on the output of the feed-forward network.
    pub feed_forward_dropout: bool,
    /// What the [`Pooler`](crate::Pooler) of its sequence classifier computes.
    pub pooling: fn(&EncoderConfig) -> PoolerConfig,
    /// Whether heads for tokens have a [`Pooler`](crate::Pooler) of each token before their outputs.
    pub pools_tokens: bool,
    /// Whether token classifiers have the dropout of sequence classifiers; else they have `hidden_dropout_prob`.
    pub classifier_dropout_on_tokens: bool,
    /// The activation in the head for masked tokens; `None` means `hidden_act`.
    pub prediction_act: Option<HiddenAct>,
    /// Keys of config.json that the family spells otherwise: the field of [`EncoderConfig`], and the family's key.
    pub config_keys: &'static [(&'static str, &'static str)],
    /// The configuration of an empty config.json, as the family's class in transformers has it. `embedding_size`,
    /// `num_hidden_groups` and `qa_dropout` are read from a file only where they are present here, and `type_vocab_size`
    /// may be 0 only where it is 0 here.
    pub defaults: fn() -> EncoderConfig,
}

const BERT: Family = Family {
    class_prefix: "Bert",
    base_model_prefix: "bert.",
    keys: include_str!("keys/bert.tsv"),
    pooler: "bert.pooler",
    heads: &["classifier", "cls", "qa_outputs"],
    unused: &[],
    first_position: FirstPosition::Zero,
    embedding_projection: EmbeddingProjection::WhereWidthsDiffer,
    layer: LayerKind::PostNorm,
    feed_forward_dropout: true,
    pooling: |_| PoolerConfig::dense(HiddenAct::Tanh),
    pools_tokens: false,
    classifier_dropout_on_tokens: true,
    prediction_act: None,
    config_keys: &[],
    defaults: EncoderConfig::bert_base,
};

const ROBERTA: Family = Family {
    class_prefix: "Roberta",
    base_model_prefix: "roberta.",
    pooler: "roberta.pooler",
    heads: &["classifier", "lm_head", "qa_outputs"],
    first_position: FirstPosition::AfterPadding,
    pooling: |config| PoolerConfig {
        input_dropout: config.classifier_dropout_prob(),
        ..PoolerConfig::dense(HiddenAct::Tanh)
    },
    prediction_act: Some(HiddenAct::Gelu),
    defaults: || EncoderConfig {
        model_type: ModelType::Roberta,
        vocab_size: 50265,
        pad_token_id: Some(1),
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

const XLM_ROBERTA: Family = Family {
    class_prefix: "XLMRoberta",
    defaults: || EncoderConfig {
        model_type: ModelType::XlmRoberta,
        pad_token_id: Some(1),
        ..EncoderConfig::bert_base()
    },
    ..ROBERTA
};

const CAMEMBERT: Family = Family {
    class_prefix: "Camembert",
    defaults: || EncoderConfig {
        model_type: ModelType::Camembert,
        pad_token_id: Some(1),
        ..EncoderConfig::bert_base()
    },
    ..ROBERTA
};

const DISTILBERT: Family = Family {
    class_prefix: "DistilBert",
    base_model_prefix: "distilbert.",
    keys: include_str!("keys/distilbert.tsv"),
    pooler: "distilbert.pooler",
    heads: &[
        "pre_classifier",
        "classifier",
        "vocab_transform",
        "vocab_layer_norm",
        "vocab_projector",
        "qa_outputs",
    ],
    pooling: |_| PoolerConfig::dense(HiddenAct::Relu),
    classifier_dropout_on_tokens: false,
    config_keys: &[
        ("hidden_size", "dim"),
        ("num_hidden_layers", "n_layers"),
        ("num_attention_heads", "n_heads"),
        ("intermediate_size", "hidden_dim"),
        ("hidden_act", "activation"),
        ("hidden_dropout_prob", "dropout"),
        ("attention_probs_dropout_prob", "attention_dropout"),
        ("classifier_dropout", "seq_classif_dropout"),
    ],
    defaults: || EncoderConfig {
        model_type: ModelType::Distilbert,
        num_hidden_layers: 6,
        classifier_dropout: Some(0.2),
        qa_dropout: Some(0.1),
        type_vocab_size: 0,
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

const ELECTRA: Family = Family {
    class_prefix: "Electra",
    base_model_prefix: "electra.",
    keys: concat!(
        include_str!("keys/bert.tsv"),
        include_str!("keys/electra.tsv")
    ),
    pooler: "electra.pooler",
    heads: &[
        "classifier",
        "discriminator_predictions",
        "generator_predictions",
        "generator_lm_head",
        "qa_outputs",
    ],
    pooling: |config| PoolerConfig {
        input_dropout: config.classifier_dropout_prob(),
        ..PoolerConfig::dense(HiddenAct::Gelu)
    },
    prediction_act: Some(HiddenAct::Gelu),
    defaults: || EncoderConfig {
        model_type: ModelType::Electra,
        embedding_size: Some(128),
        hidden_size: 256,
        num_attention_heads: 4,
        intermediate_size: 1024,
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

const ALBERT: Family = Family {
    class_prefix: "Albert",
    base_model_prefix: "albert.",
    keys: include_str!("keys/albert.tsv"),
    pooler: "albert.pooler",
    heads: &["classifier", "predictions", "sop_classifier", "qa_outputs"],
    embedding_projection: EmbeddingProjection::Always,
    feed_forward_dropout: false,
    config_keys: &[("classifier_dropout", "classifier_dropout_prob")],
    defaults: || EncoderConfig {
        model_type: ModelType::Albert,
        vocab_size: 30000,
        embedding_size: Some(128),
        hidden_size: 4096,
        num_hidden_groups: Some(1),
        num_attention_heads: 64,
        intermediate_size: 16384,
        hidden_act: HiddenAct::GeluNew,
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        classifier_dropout: Some(0.1),
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

const MPNET: Family = Family {
    class_prefix: "MPNet",
    base_model_prefix: "mpnet.",
    keys: include_str!("keys/mpnet.tsv"),
    pooler: "mpnet.pooler",
    heads: &["classifier", "lm_head", "qa_outputs"],
    first_position: FirstPosition::AfterPadding,
    pooling: |config| PoolerConfig {
        input_dropout: config.hidden_dropout_prob,
        ..PoolerConfig::dense(HiddenAct::Tanh)
    },
    classifier_dropout_on_tokens: false,
    prediction_act: Some(HiddenAct::Gelu),
    defaults: || EncoderConfig {
        model_type: ModelType::Mpnet,
        vocab_size: 30527,
        type_vocab_size: 0,
        pad_token_id: Some(1),
        relative_attention_num_buckets: Some(32),
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

const DEBERTA_V2: Family = Family {
    class_prefix: "DebertaV2",
    base_model_prefix: "deberta.",
    keys: include_str!("keys/deberta-v2.tsv"),
    pooler: "pooler",
    heads: &["classifier", "cls", "lm_predictions", "qa_outputs"],
    unused: &["deberta.embeddings.position_embeddings", "mask_predictions"],
    embedding_projection: EmbeddingProjection::BeforeNorm,
    pooling: |config| match &config.disentangled {
        Some(disentangled) => PoolerConfig {
            input_dropout: disentangled.pooler_dropout,
            ..PoolerConfig::dense(disentangled.pooler_hidden_act)
        },
        None => PoolerConfig::dense(HiddenAct::Gelu),
    },
    classifier_dropout_on_tokens: false,
    config_keys: &[("classifier_dropout", "cls_dropout")],
    defaults: || EncoderConfig {
        model_type: ModelType::DebertaV2,
        vocab_size: 128_100,
        hidden_size: 1536,
        num_hidden_layers: 24,
        num_attention_heads: 24,
        intermediate_size: 6144,
        type_vocab_size: 0,
        layer_norm_eps: 1e-7,
        disentangled: Some(DisentangledConfig::default()),
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

const MODERNBERT: Family = Family {
    class_prefix: "ModernBert",
    base_model_prefix: "model.",
    keys: include_str!("keys/modernbert.tsv"),
    pooler: "model.pooler",
    heads: &["head", "classifier", "decoder"],
    layer: LayerKind::PreNorm,
    pooling: |config| PoolerConfig {
        bias: config.head_bias(),
        norm_eps: Some(config.layer_norm_eps),
        norm_bias: config.norm_bias(),
        pooling: match &config.modernbert {
            Some(modernbert) => modernbert.classifier_pooling,
            None => Pooling::default(),
        },
        ..PoolerConfig::dense(config.prediction_act())
    },
    pools_tokens: true,
    config_keys: &[
        ("hidden_act", "hidden_activation"),
        ("hidden_dropout_prob", "embedding_dropout"),
        ("attention_probs_dropout_prob", "attention_dropout"),
        ("layer_norm_eps", "norm_eps"),
    ],
    defaults: || EncoderConfig {
        model_type: ModelType::Modernbert,
        vocab_size: 50368,
        num_hidden_layers: 22,
        intermediate_size: 1152,
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        classifier_dropout: Some(0.0),
        max_position_embeddings: 8192,
        type_vocab_size: 0,
        layer_norm_eps: 1e-5,
        pad_token_id: Some(50283),
        modernbert: Some(ModernBertConfig::default()),
        ..EncoderConfig::bert_base()
    },
    ..BERT
};

impl ModelType {
    /// Every family.
    pub const ALL: [Self; 10] = [
        Self::Bert,
        Self::Roberta,
        Self::XlmRoberta,
        Self::Camembert,
        Self::Distilbert,
        Self::Electra,
        Self::Albert,
        Self::Mpnet,
        Self::DebertaV2,
        Self::Modernbert,
    ];

    /// What the family is.
    pub fn family(self) -> &'static Family {
        match self {
            Self::Bert => &BERT,
            Self::Roberta => &ROBERTA,
            Self::XlmRoberta => &XLM_ROBERTA,
            Self::Camembert => &CAMEMBERT,
            Self::Distilbert => &DISTILBERT,
            Self::Electra => &ELECTRA,
            Self::Albert => &ALBERT,
            Self::Mpnet => &MPNET,
            Self::DebertaV2 => &DEBERTA_V2,
            Self::Modernbert => &MODERNBERT,
        }
    }

    /// `model_type` of config.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
            Self::XlmRoberta => "xlm-roberta",
            Self::Camembert => "camembert",
            Self::Distilbert => "distilbert",
            Self::Electra => "electra",
            Self::Albert => "albert",
            Self::Mpnet => "mpnet",
            Self::DebertaV2 => "deberta-v2",
            Self::Modernbert => "modernbert",
        }
    }

    /// The family of a `model_type`; `None` for one that is not known here.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|model_type| model_type.name() == name)
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
    fn families_go_by_the_names_of_transformers() {
        for model_type in ModelType::ALL {
            let name = model_type.name();
            assert_eq!(serde_json::to_value(model_type).unwrap(), name);
            assert_eq!(ModelType::from_name(name), Some(model_type));
        }
        assert_eq!(ModelType::from_name("gpt2"), None);
    }

    #[test]
    fn families_spell_keys_that_config_json_reads() {
        for model_type in ModelType::ALL {
            for (ours, theirs) in model_type.family().config_keys {
                let filler = match *ours {
                    "hidden_act" => serde_json::json!("relu"),
                    _ => serde_json::json!(0),
                };
                let value = |key: &str| serde_json::json!({"model_type": model_type, key: filler});
                let read = |key: &str| serde_json::from_value::<EncoderConfig>(value(key)).unwrap();
                assert_eq!(read(ours), read(theirs), "{ours} is not read as {theirs}");
            }
        }
    }
}
