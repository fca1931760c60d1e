use std::path::Path;

use bert_encoder::BertConfig;
use bert_text::LabelSet;
use bert_text_classification::ProblemType;
use bert_weights::checkpoint::Checkpoint;
use serde_json::{Map, Value, json};

use crate::TrainError;

/// Dropout probabilities that replace those of a checkpoint's configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DropoutOverride {
    /// `hidden_dropout_prob`, and with it the classifier's where that is not given on its own.
    pub hidden: Option<f64>,
    /// `attention_probs_dropout_prob`.
    pub attention: Option<f64>,
}

impl DropoutOverride {
    pub(crate) fn apply(self, encoder: &mut BertConfig) {
        if let Some(probability) = self.hidden {
            encoder.hidden_dropout_prob = probability;
            encoder.classifier_dropout = None;
        }
        if let Some(probability) = self.attention {
            encoder.attention_probs_dropout_prob = probability;
        }
    }
}

/// The problem type a checkpoint was trained for: its `problem_type`, else what transformers concludes from the number of
/// labels.
pub(crate) fn problem_type(
    path: &Path,
    config: &Map<String, Value>,
    num_labels: usize,
) -> Result<ProblemType, TrainError> {
    match config.get("problem_type") {
        None | Some(Value::Null) if num_labels == 1 => Ok(ProblemType::Regression),
        None | Some(Value::Null) => Ok(ProblemType::SingleLabelClassification),
        Some(value) => serde_json::from_value(value.clone()).map_err(|_| TrainError::Checkpoint {
            path: path.to_owned(),
            reason: format!(
                "config key `problem_type` is {value}; it must be \"single_label_classification\", \
                 \"multi_label_classification\" or \"regression\""
            ),
        }),
    }
}

/// The label names of a checkpoint with a classifier, in id order; `None` when it has no classifier.
pub(crate) fn labels(checkpoint: &Checkpoint) -> Result<Option<LabelSet>, TrainError> {
    let head = checkpoint
        .tensors()
        .iter()
        .find(|tensor| tensor.name == "classifier.weight");
    let Some(num_labels) = head.and_then(|tensor| tensor.shape.first().copied()) else {
        return Ok(None);
    };
    let names = match checkpoint.config().get("id2label") {
        Some(Value::Object(id2label)) => named(checkpoint.path(), id2label, num_labels)?,
        _ => (0..num_labels).map(|id| format!("LABEL_{id}")).collect(),
    };
    Ok(Some(LabelSet::new(names)?))
}

fn named(
    path: &Path,
    id2label: &Map<String, Value>,
    num_labels: usize,
) -> Result<Vec<String>, TrainError> {
    let name = |id: usize| {
        let value = id2label.get(&id.to_string()).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    let names: Option<Vec<String>> = (0..num_labels).map(name).collect();
    match names {
        Some(names) if id2label.len() == num_labels => Ok(names),
        _ => Err(TrainError::Checkpoint {
            path: path.to_owned(),
            reason: format!(
                "`classifier.weight` has {num_labels} labels, so config key `id2label` must name exactly the ids 0 to {}",
                num_labels.saturating_sub(1)
            ),
        }),
    }
}

/// The configuration of an exported classifier: the checkpoint's own keys, with those that training has decided.
pub(crate) fn exported(
    checkpoint: &Map<String, Value>,
    encoder: &BertConfig,
    labels: &LabelSet,
    problem_type: ProblemType,
) -> Map<String, Value> {
    let mut config = checkpoint.clone();
    for outdated in ["_name_or_path", "num_labels", "torch_dtype", "_num_labels"] {
        config.shift_remove(outdated);
    }
    let ids = labels.names().iter().enumerate();
    let id2label: Map<String, Value> = ids
        .clone()
        .map(|(id, name)| (id.to_string(), json!(name)))
        .collect();
    let label2id: Map<String, Value> = ids.map(|(id, name)| (name.clone(), json!(id))).collect();
    let decided = [
        ("architectures", json!(["BertForSequenceClassification"])),
        ("model_type", json!("bert")),
        ("hidden_dropout_prob", json!(encoder.hidden_dropout_prob)),
        (
            "attention_probs_dropout_prob",
            json!(encoder.attention_probs_dropout_prob),
        ),
        ("classifier_dropout", json!(encoder.classifier_dropout)),
        ("id2label", Value::Object(id2label)),
        ("label2id", Value::Object(label2id)),
        ("problem_type", json!(problem_type)),
        ("dtype", json!("float32")),
    ];
    for (key, value) in decided {
        config.insert(key.to_owned(), value);
    }
    config
}
