use bert_encoder::EncoderConfig;
use bert_text::LabelSet;
use serde_json::{Map, Value, json};

/// Keys of a checkpoint's configuration that are not true of what we write.
const OUTDATED: [&str; 5] = [
    "_name_or_path",
    "num_labels",
    "torch_dtype",
    "_num_labels",
    "finetuning_task",
];
/// Keys of another head's configuration, which the new head decides if it has them.
const OF_THE_HEAD: [&str; 7] = [
    "id2label",
    "label2id",
    "problem_type",
    "function_to_apply",
    "sentence_transformers",
    "sbert_ce_default_activation_function",
    crate::long_text::KEY,
];
/// Keys that keep transformers from opening what we write, or from running it as it is.
const HARMFUL: [&str; 14] = [
    // The weights are plain float32, and none of them was removed.
    "quantization_config",
    "compression_config",
    "pruned_heads",
    // Code that does not lie beside the weights.
    "auto_map",
    "custom_pipelines",
    // A layer that an encoder does not have: transformers refuses to build it.
    "add_cross_attention",
    "tie_encoder_decoder",
    "is_encoder_decoder",
    // Ways to run it that another machine need not have, or that other programs do not expect.
    "attn_implementation",
    "_attn_implementation",
    "_attn_implementation_internal",
    "torchscript",
    "return_dict",
    // Lengths that are no multiple of it are refused.
    "chunk_size_feed_forward",
];

/// The configuration of an exported model: the checkpoint's own keys, with those that training has decided.
pub(crate) fn exported(
    checkpoint: &Map<String, Value>,
    encoder: &EncoderConfig,
    head: &str,
    decided: Map<String, Value>,
) -> Map<String, Value> {
    let mut config = checkpoint.clone();
    for key in OUTDATED.iter().chain(&OF_THE_HEAD).chain(&HARMFUL) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn export(extra: &[&str], decided: Map<String, Value>) -> Map<String, Value> {
        let mut checkpoint = Map::new();
        checkpoint.insert("hidden_size".to_owned(), json!(16));
        for key in extra {
            checkpoint.insert((*key).to_owned(), json!("old"));
        }
        exported(
            &checkpoint,
            &EncoderConfig::default(),
            "ForMaskedLM",
            decided,
        )
    }

    #[test]
    fn keys_that_break_transformers_or_lie_are_left_out() {
        for key in OUTDATED.iter().chain(&OF_THE_HEAD).chain(&HARMFUL) {
            let config = export(&[key], Map::new());
            assert!(!config.contains_key(*key), "{key} is carried along");
            assert_eq!(config["hidden_size"], 16);
        }
    }

    #[test]
    fn what_nobody_knows_is_carried_along() {
        assert_eq!(export(&["gating"], Map::new())["gating"], "old");
    }

    #[test]
    fn what_training_decides_is_written() {
        let decided = Map::from_iter([("problem_type".to_owned(), json!("regression"))]);
        let config = export(&["problem_type"], decided);
        assert_eq!(config["problem_type"], "regression");
        assert_eq!(config["architectures"], json!(["BertForMaskedLM"]));
    }
}
