use bert_encoder::{EncoderError, HeadKeys, HeadPart, ModelType};

/// What the names of this head's classes in transformers end in, such as `BertForSequenceClassification`.
pub const HEAD: &str = "ForSequenceClassification";

/// A linear layer to the labels, after a pooler that the base model has.
const CLASSIFIER: HeadPart = HeadPart {
    path: "classifier",
    names: &["classifier"],
    output: "classifier.weight",
};

/// A head of two layers, of which the first is the pooler of this crate.
const TWO_LAYERS: [HeadPart; 2] = [
    HeadPart {
        path: "classifier",
        names: &["classifier.out_proj"],
        output: "classifier.out_proj.weight",
    },
    HeadPart {
        path: "pooler",
        names: &["classifier.dense"],
        output: "classifier.dense.weight",
    },
];

/// DistilBERT's, which names its layers otherwise.
const PRE_CLASSIFIER: HeadPart = HeadPart {
    path: "pooler",
    names: &["pre_classifier"],
    output: "pre_classifier.weight",
};

/// The names of the head's tensors in the checkpoints of a family. The first part is the one with an output for each label.
///
/// # Errors
///
/// The family has no such head here.
pub fn head_keys(model_type: ModelType) -> Result<HeadKeys, EncoderError> {
    let keys = |map, parts| {
        Some(HeadKeys {
            map,
            parts,
            tied: &[],
        })
    };
    let keys = match model_type {
        ModelType::Bert => keys(include_str!("keys/bert.tsv"), &[CLASSIFIER][..]),
        ModelType::Albert => keys(include_str!("keys/albert.tsv"), &[CLASSIFIER]),
        ModelType::Modernbert => keys(include_str!("keys/modernbert.tsv"), &[CLASSIFIER]),
        ModelType::Distilbert => keys(
            include_str!("keys/distilbert.tsv"),
            &[CLASSIFIER, PRE_CLASSIFIER],
        ),
        ModelType::DebertaV2 => keys(include_str!("keys/deberta-v2.tsv"), &[CLASSIFIER]),
        ModelType::Roberta
        | ModelType::XlmRoberta
        | ModelType::Camembert
        | ModelType::Mpnet
        | ModelType::Electra => keys(include_str!("keys/roberta.tsv"), &TWO_LAYERS),
        _ => None,
    };
    HeadKeys::require(keys, model_type, HEAD)
}
