use bert_encoder::EncoderConfig;
use bert_text::LabelSet;
use serde_json::{Map, Value, json};

/// Keys of a checkpoint's configuration that are not true of what we write.
const OUTDATED: [&str; 4] = ["_name_or_path", "num_labels", "torch_dtype", "_num_labels"];
/// Keys of another head's configuration, which the new head decides if it has them.
const OF_THE_HEAD: [&str; 3] = ["id2label", "label2id", "problem_type"];

/// The configuration of an exported model: the checkpoint's own keys, with those that training has decided.
pub(crate) fn exported(
    checkpoint: &Map<String, Value>,
    encoder: &EncoderConfig,
    head: &str,
    decided: Map<String, Value>,
) -> Map<String, Value> {
    let mut config = checkpoint.clone();
    for key in OUTDATED.iter().chain(&OF_THE_HEAD) {
        if !decided.contains_key(*key) {
            config.shift_remove(*key);
        }
    }
    let family = encoder.model_type.family();
    // A family with a default of its own takes no null.
    let classifier_dropout = match (family.defaults)().classifier_dropout {
        Some(_) => Some(encoder.classifier_dropout_prob()),
        None => encoder.classifier_dropout,
    };
    let always = [
        (
            "architectures",
            json!([encoder.model_type.architecture(head)]),
        ),
        ("model_type", json!(encoder.model_type)),
        ("hidden_dropout_prob", json!(encoder.hidden_dropout_prob)),
        (
            "attention_probs_dropout_prob",
            json!(encoder.attention_probs_dropout_prob),
        ),
        ("classifier_dropout", json!(classifier_dropout)),
        ("dtype", json!("float32")),
    ];
    if let Some(probability) = encoder.qa_dropout {
        config.insert("qa_dropout".to_owned(), json!(probability));
    }
    if let Some(modernbert) = &encoder.modernbert {
        config.insert("mlp_dropout".to_owned(), json!(modernbert.mlp_dropout));
    }
    for (key, value) in always {
        config.insert(family.config_key(key).to_owned(), value);
    }
    config.extend(decided);
    config
}

/// `id2label` and `label2id`.
pub(crate) fn label_keys(labels: &LabelSet) -> Map<String, Value> {
    let ids = labels.names().iter().enumerate();
    let id2label: Map<String, Value> = ids
        .clone()
        .map(|(id, name)| (id.to_string(), json!(name)))
        .collect();
    let label2id: Map<String, Value> = ids.map(|(id, name)| (name.clone(), json!(id))).collect();
    Map::from_iter([
        ("id2label".to_owned(), Value::Object(id2label)),
        ("label2id".to_owned(), Value::Object(label2id)),
    ])
}
