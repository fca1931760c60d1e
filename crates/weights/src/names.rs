//! The names under which checkpoints hold one and the same tensor.

use crate::KeyMap;

/// A buffer of old checkpoints of every family. It holds 0, 1, 2 … and no weight.
const POSITION_IDS: &str = "embeddings.position_ids";
const LEGACY_NAMES: [(&str, &str); 2] = [
    ("LayerNorm.gamma", "LayerNorm.weight"),
    ("LayerNorm.beta", "LayerNorm.bias"),
];

/// The name as current versions of transformers write it.
pub(crate) fn current_name(name: &str) -> String {
    LEGACY_NAMES
        .iter()
        .find_map(|(legacy, current)| Some(format!("{}{current}", strip_segments(name, legacy)?)))
        .unwrap_or_else(|| name.to_owned())
}

/// The current name with the base-model prefix, whether `name` has the prefix or not.
pub(crate) fn with_base_prefix(name: &str, keys: &KeyMap) -> String {
    let name = current_name(name);
    match name.starts_with(keys.base_prefix()) {
        true => name,
        false => format!("{}{name}", keys.base_prefix()),
    }
}

/// Whether the tensor is a buffer: `embeddings.position_ids` under any prefix, or what the map declares to be one.
pub(crate) fn is_buffer(name: &str, keys: &KeyMap) -> bool {
    strip_segments(name, POSITION_IDS).is_some()
        || spellings(name, keys)
            .iter()
            .any(|spelling| keys.is_buffer(spelling))
}

/// Whether `name`, with or without the base-model prefix, lies under one of the prefixes.
pub(crate) fn is_under_any(name: &str, prefixes: &[String], keys: &KeyMap) -> bool {
    spellings(name, keys)
        .iter()
        .any(|spelling| prefixes.iter().any(|prefix| is_under(spelling, prefix)))
}

/// Whether the path lies under the prefix: `classifier` covers `classifier.weight` but not `classifier_2.weight`.
pub(crate) fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('.') || rest.starts_with('.'))
}

/// The parameter that the tensor is meant for: the first spelling of its name that the map sends to a path the module
/// has. `has_parameter` decides the latter, because a map with `{n}` knows more layers than the module.
pub(crate) fn parameter_of(
    name: &str,
    keys: &KeyMap,
    has_parameter: impl Fn(&str) -> bool,
) -> Option<String> {
    spellings(&current_name(name), keys)
        .iter()
        .filter_map(|spelling| keys.module_path(spelling))
        .find(|path| has_parameter(path))
}

/// Whether the map states the name, with or without the base-model prefix.
pub(crate) fn is_mapped(name: &str, keys: &KeyMap) -> bool {
    let name = current_name(name);
    let mut spellings = spellings(&name, keys).into_iter();
    spellings.any(|spelling| keys.module_path(&spelling).is_some())
}

/// The name, and the same with the base-model prefix taken away or added; twice the name when there is no prefix.
fn spellings(name: &str, keys: &KeyMap) -> [String; 2] {
    let prefix = keys.base_prefix();
    let other = match name.strip_prefix(prefix) {
        Some(bare) => bare.to_owned(),
        None => format!("{prefix}{name}"),
    };
    [name.to_owned(), other]
}

/// What stands before `suffix`, if the name ends in it and it begins a segment.
fn strip_segments<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    name.strip_suffix(suffix)
        .filter(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_layer_norm_names_are_legacy() {
        assert_eq!(
            current_name("embeddings.LayerNorm.gamma"),
            "embeddings.LayerNorm.weight"
        );
        assert_eq!(current_name("LayerNorm.beta"), "LayerNorm.bias");
        assert_eq!(current_name("head.gamma"), "head.gamma");
        assert_eq!(current_name("MyLayerNorm.gamma"), "MyLayerNorm.gamma");
    }

    #[test]
    fn position_ids_are_known_with_and_without_a_prefix() {
        let keys = KeyMap::default();
        assert!(is_buffer("embeddings.position_ids", &keys));
        assert!(is_buffer("base.embeddings.position_ids", &keys));
        assert!(!is_buffer("embeddings.position_ids.weight", &keys));
        assert!(!is_buffer("my_embeddings.position_ids", &keys));
    }

    #[test]
    fn prefixes_end_at_a_segment() {
        assert!(is_under("classifier.weight", "classifier"));
        assert!(is_under("classifier.weight", "classifier."));
        assert!(!is_under("classifier_2.weight", "classifier"));
    }

    #[test]
    fn a_name_lies_under_a_prefix_with_and_without_the_base_model_prefix() {
        let keys = KeyMap::default().with_base_prefix("base");
        let is_under_one = |name, prefix: &str| is_under_any(name, &[prefix.to_owned()], &keys);
        assert!(is_under_one("base.pooler.dense.weight", "pooler"));
        assert!(is_under_one("pooler.dense.weight", "base.pooler"));
        assert!(!is_under_one("other.pooler.dense.weight", "pooler"));
        assert!(!is_under_one("database.pooler.dense.weight", "pooler"));
    }
}
