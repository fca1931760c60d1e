//! One name for what checkpoints of different ages call the same tensor.

use crate::KeyMap;

const BASE_MODEL_PREFIX: &str = "bert.";
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

/// The current name with the prefix `bert.`, whether it has it or not.
pub(crate) fn with_base_prefix(name: &str) -> String {
    let name = current_name(name);
    match name.starts_with(BASE_MODEL_PREFIX) {
        true => name,
        false => format!("{BASE_MODEL_PREFIX}{name}"),
    }
}

/// Whether the tensor is the buffer `embeddings.position_ids`, which holds 0, 1, 2 … and no weight.
pub(crate) fn is_position_ids(name: &str) -> bool {
    strip_segments(name, POSITION_IDS).is_some()
}

/// Whether `name` lies under one of the prefixes, with or without `bert.` before it.
pub(crate) fn is_under_any(name: &str, prefixes: &[String]) -> bool {
    spellings(name)
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
    spellings(&current_name(name))
        .iter()
        .filter_map(|spelling| keys.module_path(spelling))
        .find(|path| has_parameter(path))
}

fn spellings(name: &str) -> [String; 2] {
    let other = match name.strip_prefix(BASE_MODEL_PREFIX) {
        Some(bare) => bare.to_owned(),
        None => format!("{BASE_MODEL_PREFIX}{name}"),
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
        assert!(is_position_ids("embeddings.position_ids"));
        assert!(is_position_ids("bert.embeddings.position_ids"));
        assert!(!is_position_ids("embeddings.position_ids.weight"));
    }

    #[test]
    fn prefixes_end_at_a_segment() {
        assert!(is_under("classifier.weight", "classifier"));
        assert!(is_under("classifier.weight", "classifier."));
        assert!(!is_under("classifier_2.weight", "classifier"));
        assert!(is_under_any(
            "bert.pooler.dense.weight",
            &["pooler".to_owned()]
        ));
        assert!(is_under_any(
            "pooler.dense.weight",
            &["bert.pooler".to_owned()]
        ));
    }
}
