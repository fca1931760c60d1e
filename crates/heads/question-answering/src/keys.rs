use bert_encoder::{EncoderError, HeadKeys, HeadPart, ModelType};

/// What the names of this head's classes in transformers end in, such as `BertForQuestionAnswering`.
pub const HEAD: &str = "ForQuestionAnswering";

/// The names of the head's tensors in the checkpoints of a family.
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
        ModelType::Bert
        | ModelType::Roberta
        | ModelType::XlmRoberta
        | ModelType::Camembert
        | ModelType::Distilbert
        | ModelType::Electra
        | ModelType::Albert
        | ModelType::Mpnet
        | ModelType::DebertaV2 => keys(
            include_str!("keys/bert.tsv"),
            &[HeadPart {
                path: "qa_outputs",
                names: &["qa_outputs"],
                output: "qa_outputs.weight",
            }],
        ),
        ModelType::Modernbert => keys(
            include_str!("keys/modernbert.tsv"),
            &[HeadPart {
                path: "qa_outputs",
                names: &["classifier"],
                output: "classifier.weight",
            }],
        ),
        _ => None,
    };
    HeadKeys::require(keys, model_type, HEAD)
}
