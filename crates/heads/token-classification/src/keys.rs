use bert_encoder::{EncoderError, HeadKeys, HeadPart, ModelType};

/// What the names of this head's classes in transformers end in, such as `BertForTokenClassification`.
pub const HEAD: &str = "ForTokenClassification";

/// The names of the head's tensors in the checkpoints of a family.
///
/// # Errors
///
/// The family has no such head here.
pub fn head_keys(model_type: ModelType) -> Result<HeadKeys, EncoderError> {
    const PARTS: &[HeadPart] = &[HeadPart {
        path: "classifier",
        names: &["classifier"],
        output: "classifier.weight",
    }];
    let keys = |map| {
        Some(HeadKeys {
            map,
            parts: PARTS,
            tied: &[],
        })
    };
    let keys = match model_type {
        ModelType::Bert
        | ModelType::Roberta
        | ModelType::XlmRoberta
        | ModelType::Camembert
        | ModelType::Distilbert
        | ModelType::Electra
        | ModelType::Albert
        | ModelType::Mpnet
        | ModelType::DebertaV2 => keys(include_str!("keys/bert.tsv")),
        ModelType::Modernbert => keys(include_str!("keys/modernbert.tsv")),
        _ => None,
    };
    HeadKeys::require(keys, model_type, HEAD)
}
