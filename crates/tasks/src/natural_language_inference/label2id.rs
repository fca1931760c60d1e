//! The ids and meanings of the labels as `config.json` gives them.

use bert_nli::{RoleError, Roles};
use bert_text::LabelSet;
use serde_json::{Map, Value};

use crate::{Pretrained, TaskError};

/// The pairs of `label2id` in the order of the file; `None` unless they are one name for each id below `num_labels`.
pub(super) fn pairs(
    config: &Map<String, Value>,
    num_labels: usize,
) -> Option<Vec<(String, usize)>> {
    let object = config.get("label2id")?.as_object()?;
    let pair =
        |(name, id): (&String, &Value)| Some((name.clone(), usize::try_from(id.as_u64()?).ok()?));
    let pairs: Vec<(String, usize)> = object.iter().map(pair).collect::<Option<_>>()?;
    let mut ids: Vec<usize> = pairs.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.into_iter().eq(0..num_labels).then_some(pairs)
}

/// The names of a checkpoint's labels in id order, and what they mean. They are read from `label2id`, or from
/// `id2label` if that alone has names.
///
/// # Errors
/// Neither has names of natural-language inference, or they contradict each other.
pub(super) fn roles(
    pretrained: &Pretrained,
    id2label: &LabelSet,
) -> Result<(LabelSet, Roles), TaskError> {
    roles_of(pretrained.checkpoint().config(), id2label).map_err(|reason| pretrained.unfit(reason))
}

fn roles_of(config: &Map<String, Value>, id2label: &LabelSet) -> Result<(LabelSet, Roles), String> {
    let by_id = Roles::of(id2label.names());
    let label2id = pairs(config, id2label.len()).map(names);
    match (label2id.as_deref().map(Roles::of), by_id) {
        (Some(Ok(roles)), Ok(by_id)) if roles != by_id => Err(format!(
            "config keys `label2id` and `id2label` contradict each other: in the order of their ids the labels are {} by \
             one and {} by the other; correct config.json",
            told(&roles),
            told(&by_id)
        )),
        (Some(Ok(roles)), _) => LabelSet::new(label2id.unwrap_or_default())
            .map(|names| (names, roles))
            .map_err(|error| error.to_string()),
        (_, Ok(roles)) => Ok((id2label.clone(), roles)),
        (_, Err(error)) => Err(unnamed(&error)),
    }
}

fn names(mut pairs: Vec<(String, usize)>) -> Vec<String> {
    pairs.sort_by_key(|(_, id)| *id);
    pairs.into_iter().map(|(name, _)| name).collect()
}

fn told(roles: &Roles) -> String {
    let names: Vec<&str> = roles.by_id().iter().map(|role| role.name()).collect();
    names.join(", ")
}

fn unnamed(error: &RoleError) -> String {
    format!(
        "this is no checkpoint of natural-language inference: {error}; name the labels in config.json (`id2label`, \
         `label2id`), or train with `bert train natural-language-inference`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(names: &[&str]) -> LabelSet {
        LabelSet::new(names.iter().map(|&name| name.to_owned()).collect()).expect("distinct")
    }

    fn config(label2id: Value) -> Map<String, Value> {
        Map::from_iter([("label2id".to_owned(), label2id)])
    }

    #[test]
    fn either_key_may_name_the_labels() {
        let label2id = config(json!({"Entailment": 2, "NEUTRAL": 0, "contradiction": 1}));
        let (names, roles) =
            roles_of(&label2id, &set(&["LABEL_0", "LABEL_1", "LABEL_2"])).expect("names");
        assert_eq!(names.names(), ["NEUTRAL", "contradiction", "Entailment"]);
        assert_eq!(told(&roles), "neutral, contradiction, entailment");
        for other in [
            json!({"LABEL_0": 0, "LABEL_1": 1}),
            json!({}),
            json!(null),
            json!({"a": 0, "b": 5}),
        ] {
            let (names, _) =
                roles_of(&config(other), &set(&["not_entailment", "entailment"])).expect("names");
            assert_eq!(names.names(), ["not_entailment", "entailment"]);
        }
    }

    #[test]
    fn keys_that_contradict_each_other_are_refused() {
        let label2id = config(json!({"entailment": 0, "not_entailment": 1}));
        let error = roles_of(&label2id, &set(&["not_entailment", "entailment"]))
            .expect_err("contradiction");
        assert!(
            error.contains("entailment, not_entailment by one"),
            "{error}"
        );
    }

    #[test]
    fn labels_without_names_are_never_taken_by_number() {
        let label2id = config(json!({"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}));
        let error =
            roles_of(&label2id, &set(&["LABEL_0", "LABEL_1", "LABEL_2"])).expect_err("no names");
        assert!(
            error.contains("\"LABEL_0\" is none of entailment"),
            "{error}"
        );
    }
}
