//! The names of a head's outputs, as config.json gives them.

use bert_text::LabelSet;
use serde_json::{Map, Value};

/// The names of the rows of the tensor `output`, in id order, or the reason why config.json does not name exactly these.
///
/// `id2label` alone counts, as in transformers' pipelines; `label2id` is not read. Without it a name is `LABEL_i`. A number
/// or a truth value is a name as Python prints it.
pub(crate) fn label_names(
    config: &Map<String, Value>,
    output: &str,
    num_labels: usize,
) -> Result<LabelSet, String> {
    let names = match config.get("id2label") {
        None | Some(Value::Null) => {
            check_num_labels(config, output, num_labels)?;
            (0..num_labels).map(|id| format!("LABEL_{id}")).collect()
        }
        Some(Value::Object(id2label)) => names_by_id(id2label, output, num_labels)?,
        Some(other) => {
            return Err(format!(
                "config key `id2label` is {other}; it must be an object with a name for each id"
            ));
        }
    };
    LabelSet::new(names).map_err(|error| format!("config key `id2label`: {error}"))
}

fn check_num_labels(
    config: &Map<String, Value>,
    output: &str,
    num_labels: usize,
) -> Result<(), String> {
    match config.get("num_labels") {
        None | Some(Value::Null) => Ok(()),
        Some(stated) if stated.as_u64() == Some(num_labels as u64) => Ok(()),
        Some(stated) => Err(format!(
            "config key `num_labels` is {stated}, but `{output}` has {num_labels} rows; correct it, or name the labels in \
             `id2label`"
        )),
    }
}

fn names_by_id(
    id2label: &Map<String, Value>,
    output: &str,
    num_labels: usize,
) -> Result<Vec<String>, String> {
    let mut names = vec![None; num_labels];
    for (key, name) in id2label {
        let slot = key.trim().parse::<usize>().ok();
        let slot = slot.and_then(|id| names.get_mut(id)).ok_or_else(|| {
            format!(
                "config key `id2label` has the id \"{key}\", but `{output}` has {num_labels} rows; the ids must be {}",
                ids(num_labels)
            )
        })?;
        *slot = Some(name_of(key, name)?);
    }
    let missing = names.iter().position(Option::is_none);
    names.into_iter().collect::<Option<_>>().ok_or_else(|| {
        format!(
            "config key `id2label` has no id \"{}\": `{output}` has {num_labels} rows, so the ids must be {}",
            missing.unwrap_or_default(),
            ids(num_labels)
        )
    })
}

fn ids(num_labels: usize) -> String {
    format!("0 to {}", num_labels.saturating_sub(1))
}

fn name_of(id: &str, name: &Value) -> Result<String, String> {
    match name {
        Value::String(name) => Ok(name.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        other => Err(format!(
            "config key `id2label.{id}` is {other}; it must be the name of a label"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(config: Value) -> Result<Vec<String>, String> {
        let config = config.as_object().expect("an object");
        label_names(config, "classifier.weight", 2).map(|labels| labels.names().to_vec())
    }

    #[test]
    fn numbers_and_truth_values_are_names() {
        let integers = json!({"id2label": {"1": 1, "0": 0}, "label2id": {"0": 0, "1": 1}});
        assert_eq!(names(integers).unwrap(), ["0", "1"]);
        let truth = json!({"id2label": {"0": false, "1": true}});
        assert_eq!(names(truth).unwrap(), ["False", "True"]);
    }

    #[test]
    fn labels_without_names_are_numbered() {
        for config in [
            json!({}),
            json!({"num_labels": 2}),
            json!({"id2label": null}),
        ] {
            assert_eq!(names(config).unwrap(), ["LABEL_0", "LABEL_1"]);
        }
    }

    #[test]
    fn label2id_is_not_read() {
        let config =
            json!({"id2label": {"0": "bad", "1": "good"}, "label2id": {"good": 0, "bad": 1}});
        assert_eq!(names(config).unwrap(), ["bad", "good"]);
    }

    #[test]
    fn what_does_not_name_every_row_is_refused_by_its_key() {
        for (config, words) in [
            (
                json!({"id2label": {"0": "a", "2": "b"}}),
                "`id2label` has the id \"2\"",
            ),
            (
                json!({"id2label": {"0": "a"}}),
                "`id2label` has no id \"1\"",
            ),
            (json!({"id2label": {"0": "a", "1": null}}), "`id2label.1`"),
            (
                json!({"id2label": {"0": "a", "1": "a"}}),
                "`id2label`: label \"a\" has two ids",
            ),
            (
                json!({"id2label": ["a", "b"]}),
                "`id2label` is [\"a\",\"b\"]",
            ),
            (json!({"num_labels": 5}), "`num_labels` is 5"),
        ] {
            let error = names(config).unwrap_err();
            assert!(error.contains(words), "no {words} in {error}");
        }
    }
}
