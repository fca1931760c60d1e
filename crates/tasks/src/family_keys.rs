//! What config.json says of the model's family, checked before the encoder's configuration is read.

use bert_encoder::ModelType;
use serde_json::{Map, Value};

/// Other families of transformers whose classes are told apart from a name that somebody made up.
const OTHER_PREFIXES: [&str; 30] = [
    "Albert",
    "Bart",
    "BigBird",
    "Camembert",
    "ConvBert",
    "Deberta",
    "DebertaV2",
    "DistilBert",
    "Electra",
    "Ernie",
    "Flaubert",
    "Funnel",
    "GPT2",
    "IBert",
    "LayoutLM",
    "Longformer",
    "Luke",
    "MPNet",
    "MegatronBert",
    "MobileBert",
    "ModernBert",
    "NomicBert",
    "RemBert",
    "RoFormer",
    "Roberta",
    "RobertaPreLayerNorm",
    "SqueezeBert",
    "T5",
    "XLMRoberta",
    "XLNet",
];
/// Families whose checkpoints are often saved under each other's names: they differ in these alone.
const KIN: [&str; 3] = ["Roberta", "XLMRoberta", "Camembert"];

/// Fails with the reason unless `model_type` is a family that is known here and `architectures` names no other.
pub(crate) fn check(config: &Map<String, Value>) -> Result<(), String> {
    let model_type = match config.get("model_type") {
        None => ModelType::default(),
        Some(Value::String(word)) => known(word)?,
        // The reader of the encoder's configuration says what is wrong with it.
        Some(_) => return Ok(()),
    };
    let Some(Value::Array(architectures)) = config.get("architectures") else {
        return Ok(());
    };
    let own = model_type.family().class_prefix;
    let other = architectures
        .iter()
        .filter_map(Value::as_str)
        .find(|name| is_other_family(name, own));
    match other {
        None => Ok(()),
        Some(name) => Err(disagree(config.get("model_type"), model_type, name)),
    }
}

fn known(word: &str) -> Result<ModelType, String> {
    ModelType::from_name(word).ok_or_else(|| {
        let names = ModelType::ALL.map(ModelType::name);
        format!(
            "config key `model_type` is \"{word}\", a family that is not known here; known are {}; the nearest is \
             \"{}\"",
            names.join(", "),
            nearest(word, &names)
        )
    })
}

/// Between the parts of a name.
const SEPARATORS: [char; 2] = ['-', '_'];

/// The longest name that is a part of the word, as in "my-bert", or else the one that is most like it.
fn nearest<'a>(word: &str, names: &[&'a str]) -> &'a str {
    let is_part = |name: &&&str| {
        let rest = word
            .strip_suffix(**name)
            .map(|rest| rest.ends_with(SEPARATORS));
        let rest = rest.or_else(|| Some(word.strip_prefix(**name)?.starts_with(SEPARATORS)));
        rest.unwrap_or(false)
    };
    let parts = names.iter().filter(is_part);
    let likeness = |name: &str| strsim::jaro_winkler(name, word);
    let alike = || {
        let names = names.iter();
        names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
    };
    parts
        .max_by_key(|name| name.len())
        .or_else(alike)
        .unwrap_or(&"")
}

/// Whether `class` is a class of transformers that belongs to another family than the one with this prefix.
fn is_other_family(class: &str, own: &str) -> bool {
    let prefix = class
        .rsplit_once("For")
        .map(|(prefix, _)| prefix)
        .or_else(|| class.strip_suffix("Model"));
    let Some(prefix) = prefix else { return false };
    let are_kin = KIN.contains(&prefix) && KIN.contains(&own);
    let mut prefixes = ModelType::ALL
        .iter()
        .map(|model_type| model_type.family().class_prefix)
        .chain(OTHER_PREFIXES);
    prefix != own && !are_kin && prefixes.any(|other| other == prefix)
}

fn disagree(stated: Option<&Value>, model_type: ModelType, class: &str) -> String {
    let stated = match stated {
        Some(_) => format!("\"{}\"", model_type.name()),
        None => format!("missing, which means \"{}\"", model_type.name()),
    };
    format!(
        "config keys `model_type` and `architectures` disagree: the first is {stated}, the second names \"{class}\", a \
         class of another family; correct the one that is wrong"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(config: Value) -> Result<(), String> {
        check(config.as_object().expect("an object"))
    }

    #[test]
    fn the_class_of_the_family_and_names_of_no_family_pass() {
        for architectures in [
            json!(["BertForMaskedLM"]),
            json!(["BertModel", "HF_ColBERT"]),
            json!(["MyBertForSequenceClassification"]),
            json!(null),
        ] {
            let config = json!({"model_type": "bert", "architectures": architectures});
            assert_eq!(checked(config), Ok(()));
        }
        assert_eq!(checked(json!({})), Ok(()));
    }

    #[test]
    fn an_unknown_family_is_refused_with_the_known_ones_and_the_nearest() {
        for (word, nearest) in [
            ("bertt", "bert"),
            ("my-bert", "bert"),
            ("robertta", "roberta"),
            ("my-roberta", "roberta"),
        ] {
            let error = checked(json!({"model_type": word})).unwrap_err();
            for words in [
                format!("`model_type` is \"{word}\""),
                "known are bert".to_owned(),
                format!("the nearest is \"{nearest}\""),
            ] {
                assert!(error.contains(&words), "no {words} in {error}");
            }
        }
    }

    #[test]
    fn a_class_of_another_family_is_refused_by_both_keys() {
        for (class, model_type) in [
            ("XLNetForSequenceClassification", Some("bert")),
            ("T5Model", Some("bert")),
            ("RoFormerForMaskedLM", None),
        ] {
            let mut config = json!({"architectures": [class]});
            if let Some(model_type) = model_type {
                config["model_type"] = json!(model_type);
            }
            let error = checked(config).unwrap_err();
            for words in ["`model_type`", "`architectures`", class] {
                assert!(error.contains(words), "no {words} in {error}");
            }
        }
    }

    #[test]
    fn kin_may_have_each_others_classes() {
        assert!(!is_other_family("RobertaForMaskedLM", "XLMRoberta"));
        assert!(is_other_family("RobertaForMaskedLM", "Bert"));
    }
}
