use bert_encoder::{EncoderError, HeadKeys, HeadPart, ModelType};

/// The head for masked tokens.
const PREDICTIONS: HeadPart = HeadPart {
    path: "predictions",
    name: "cls.predictions",
    output: "cls.predictions.bias",
};

/// The head for next sentences.
const SEQ_RELATIONSHIP: HeadPart = HeadPart {
    path: "seq_relationship",
    name: "cls.seq_relationship",
    output: "cls.seq_relationship.weight",
};

/// Where the tied decoder stands in a checkpoint, and what it is a copy of.
const TIED: [(&str, &str); 2] = [
    (
        "cls.predictions.decoder.weight",
        "encoder.embeddings.word_embeddings.weight",
    ),
    ("cls.predictions.decoder.bias", "predictions.bias"),
];

/// The names of the heads' tensors in the checkpoints of a family. Each model has some of the parts. `head` is what the name
/// of the model's class in transformers ends in, such as `ForMaskedLM`.
///
/// # Errors
///
/// The family has no such head here.
pub fn head_keys(model_type: ModelType, head: &'static str) -> Result<HeadKeys, EncoderError> {
    let keys = match model_type {
        ModelType::Bert => Some(HeadKeys {
            map: include_str!("keys/bert.tsv"),
            parts: &[PREDICTIONS, SEQ_RELATIONSHIP],
            tied: &TIED,
        }),
        _ => None,
    };
    HeadKeys::require(keys, model_type, head)
}
