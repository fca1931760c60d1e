use bert_encoder::{EncoderConfig, EncoderError, HeadKeys, HeadPart, ModelType};

use crate::{ModelForMaskedLM, PretrainingModel};

/// The module path of the word embeddings, which the decoder is tied to.
const WORDS: &str = "encoder.embeddings.word_embeddings.weight";

/// The heads of BERT, of which each model has some.
const BERT: HeadKeys = HeadKeys {
    map: include_str!("keys/bert.tsv"),
    parts: &[
        HeadPart {
            path: "predictions",
            names: &["cls.predictions"],
            output: "cls.predictions.bias",
        },
        HeadPart {
            path: "seq_relationship",
            names: &["cls.seq_relationship"],
            output: "cls.seq_relationship.weight",
        },
    ],
    tied: &[
        ("cls.predictions.decoder.weight", WORDS),
        ("cls.predictions.decoder.bias", "predictions.bias"),
    ],
};

const ROBERTA: HeadKeys = HeadKeys {
    map: include_str!("keys/roberta.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["lm_head"],
        output: "lm_head.bias",
    }],
    tied: &[
        ("lm_head.decoder.weight", WORDS),
        ("lm_head.decoder.bias", "predictions.bias"),
    ],
};

const DISTILBERT: HeadKeys = HeadKeys {
    map: include_str!("keys/distilbert.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["vocab_transform", "vocab_layer_norm", "vocab_projector"],
        output: "vocab_projector.bias",
    }],
    tied: &[("vocab_projector.weight", WORDS)],
};

const ELECTRA: HeadKeys = HeadKeys {
    map: include_str!("keys/electra.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["generator_predictions", "generator_lm_head"],
        output: "generator_lm_head.bias",
    }],
    tied: &[("generator_lm_head.weight", WORDS)],
};

const ALBERT: HeadKeys = HeadKeys {
    map: include_str!("keys/albert.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["predictions"],
        output: "predictions.bias",
    }],
    tied: &[
        ("predictions.decoder.weight", WORDS),
        ("predictions.decoder.bias", "predictions.bias"),
    ],
};

/// DeBERTa's, named and tied as BERT's.
const DEBERTA_V2: HeadKeys = HeadKeys {
    map: include_str!("keys/deberta-v2.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["cls.predictions"],
        output: "cls.predictions.bias",
    }],
    tied: BERT.tied,
};

/// DeBERTa's where config key `legacy` is false. It has no decoder of its own.
const DEBERTA_V2_LM_PREDICTIONS: HeadKeys = HeadKeys {
    map: include_str!("keys/deberta-v2-lm-predictions.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["lm_predictions"],
        output: "lm_predictions.lm_head.bias",
    }],
    tied: &[],
};

const MODERNBERT: HeadKeys = HeadKeys {
    map: include_str!("keys/modernbert.tsv"),
    parts: &[HeadPart {
        path: "predictions",
        names: &["head", "decoder"],
        output: "decoder.bias",
    }],
    tied: &[("decoder.weight", WORDS)],
};

/// The names of the heads' tensors in the checkpoints of a model's family. Each model has some of the parts. `head` is what
/// the name of the model's class in transformers ends in, such as `ForMaskedLM`.
///
/// # Errors
///
/// The family has no such head here.
pub fn head_keys(config: &EncoderConfig, head: &'static str) -> Result<HeadKeys, EncoderError> {
    let model_type = config.model_type;
    let disentangled = config.disentangled.as_ref();
    let is_legacy = disentangled.is_none_or(|disentangled| disentangled.legacy);
    let predicts_tokens_alone = head == ModelForMaskedLM::HEAD;
    let keys = match model_type {
        ModelType::Bert => Some(BERT),
        _ if !predicts_tokens_alone => None,
        ModelType::Roberta | ModelType::XlmRoberta | ModelType::Camembert | ModelType::Mpnet => {
            Some(ROBERTA)
        }
        ModelType::Distilbert => Some(DISTILBERT),
        ModelType::Electra => Some(ELECTRA),
        ModelType::Albert => Some(ALBERT),
        ModelType::DebertaV2 if is_legacy => Some(DEBERTA_V2),
        ModelType::DebertaV2 => Some(DEBERTA_V2_LM_PREDICTIONS),
        ModelType::Modernbert => Some(MODERNBERT),
        _ => None,
    };
    HeadKeys::require(keys, model_type, head)
}
