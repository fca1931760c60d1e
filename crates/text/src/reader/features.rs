//! The names of classes that hub data sets keep beside the ids: `ClassLabel` features.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file that `datasets` writes beside the data of a data set.
const DATASET_INFO: &str = "dataset_info.json";

/// The names of a column's classes, where its feature is a `ClassLabel` or a list of them. `features` is the object of all
/// columns, as in `{"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}`.
pub(super) fn class_names(features: &Value, column: &str) -> Option<Vec<String>> {
    let mut feature = features.get(column)?;
    while let Some(inner) = feature.get("feature").or_else(|| feature.get(0)) {
        feature = inner;
    }
    let names = feature.get("names")?.as_array()?;
    let names = names.iter().map(|name| Some(name.as_str()?.to_owned()));
    names.collect()
}

/// The names of a column's classes in the `dataset_info.json` beside a file.
pub(super) fn beside(path: &Path, column: &str) -> Option<(PathBuf, Vec<String>)> {
    let path = path.with_file_name(DATASET_INFO);
    // A link to a device has no end.
    if !path.is_file() {
        return None;
    }
    let text = std::fs::read_to_string(&path).ok()?;
    let info: Value = serde_json::from_str(&text).ok()?;
    let names = class_names(info.get("features")?, column)?;
    Some((path, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn class_labels_have_names_however_deep_they_are() {
        let label = json!({"names": ["O", "B-x"], "_type": "ClassLabel"});
        let features = json!({
            "label": label,
            "ner_tags": {"feature": label, "_type": "Sequence"},
            "old": [label],
            "text": {"dtype": "string", "_type": "Value"},
        });
        let names = Some(vec!["O".to_owned(), "B-x".to_owned()]);
        for column in ["label", "ner_tags", "old"] {
            assert_eq!(class_names(&features, column), names, "{column}");
        }
        assert_eq!(class_names(&features, "text"), None);
        assert_eq!(class_names(&features, "none"), None);
    }
}
