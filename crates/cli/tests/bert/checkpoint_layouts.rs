//! Checkpoints laid out as people's real ones are: the number that transformers gives, or a refusal that names file and
//! setting.
//!
//! `tests/goldens/layouts` holds the cases: a base directory, the files in which a case differs, and the right answer.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::{Room, Run};

/// Largest difference of a logit, or of a number made of logits.
const TOLERANCE: f64 = 2e-5;

/// A test for each group of cases, and their names.
macro_rules! groups {
    ($($group:ident)*) => {
        const GROUPS: &[&str] = &[$(stringify!($group)),*];

        $(
            #[test]
            fn $group() {
                check_group(stringify!($group));
            }
        )*
    };
}

groups! {
    tokenizer_classes
    special_tokens
    segments
    labels
    scores
    settings
    activations
    weights
    wrappers
    truncation
    masked_lm
    entities
}

#[test]
fn every_case_is_in_a_group_that_is_tested() {
    for case in cases() {
        let group = text(&case, "group");
        assert!(GROUPS.contains(&group), "{group} is not tested");
    }
}

#[test]
fn a_flag_chooses_what_makes_scores_of_logits() {
    let room = Room::new();
    for (base, sigmoid, softmax) in [
        ("base_one_label", vec![0.739_458_92], vec![1.0]),
        (
            "base_three_labels",
            vec![0.288_210_7, 0.659_163_6, 0.233_035],
            vec![0.153_217_8, 0.731_809_1, 0.114_973_1],
        ),
    ] {
        copy_files(&layouts().join(base), &room.path(base));
        let answer = |function: &str| {
            let line = format!(
                "predict text-classification --model {base} --input - --all-scores --logits --activation {function}"
            );
            let input = b"{\"text\": \"the film\", \"text_pair\": \"was great\"}\n";
            room.bert_with(&line, &[], input).succeeded().json()
        };
        for (function, expected) in [("sigmoid", &sigmoid), ("softmax", &softmax)] {
            let found = numbers(&answer(function)["scores"]);
            assert_close(&format!("{base}, {function}"), &found, expected);
        }
        let raw = answer("none");
        assert_eq!(raw["scores"], raw["logits"], "{base}");
    }
}

#[test]
fn the_function_of_one_label_is_said_with_its_score() {
    let room = Room::new();
    copy_files(&layouts().join("base_one_label"), &room.path("model"));
    for (flag, name) in [
        ("", "sigmoid"),
        (" --activation none", "none"),
        (" --activation softmax", "softmax"),
    ] {
        let line = format!("predict text-classification --model model --input -{flag}");
        let run = room.bert_with(&line, &[], b"the film\n").succeeded();
        assert_eq!(run.json()["activation"], name);
    }
}

#[test]
fn a_head_whose_problem_type_is_not_known_is_replaced_by_training() {
    let room = Room::new();
    let case = case_named("unknown-problem-type");
    build(&case, &room.path("model"));
    let line = "train text-classification --model model --train train.tsv --output trained --epochs 1 --max-length 8";
    let run = room.bert(line).succeeded();
    assert!(run.stderr.contains("new"), "{}", run.stderr);
    let config: Value = serde_json::from_str(&room.read("trained/config.json")).unwrap();
    assert_eq!(config["problem_type"], "single_label_classification");
}

fn check_group(group: &str) {
    let room = Room::new();
    let all = cases();
    let members: Vec<&Value> = all
        .iter()
        .filter(|case| text(case, "group") == group)
        .collect();
    assert!(!members.is_empty(), "no case of {group}");
    for (index, case) in members.into_iter().enumerate() {
        let directory = format!("model{index}");
        build(case, &room.path(&directory));
        check(case, &answer(&room, case, &directory));
    }
}

/// The base directory of a case with its own files in the place of the base's.
fn build(case: &Value, directory: &Path) {
    copy_files(&layouts().join(text(case, "base")), directory);
    for file in case["remove"].as_array().unwrap() {
        std::fs::remove_file(directory.join(file.as_str().unwrap())).unwrap();
    }
    let overlay = layouts().join("overlays").join(text(case, "case"));
    if overlay.is_dir() {
        copy_files(&overlay, directory);
    }
}

fn answer(room: &Room, case: &Value, directory: &str) -> Run {
    let task = text(case, "task");
    let aggregation = match case["aggregation"].as_str() {
        Some(strategy) => format!("--aggregation {strategy}"),
        None => String::new(),
    };
    let line = format!("predict {task} --model {directory} --input - --logits {aggregation}");
    room.bert_with(&line, &[], case["input"].to_string().as_bytes())
}

fn check(case: &Value, run: &Run) {
    let name = text(case, "case");
    if let Some(words) = case["refuse"].as_array() {
        assert_eq!(run.code, Some(1), "{name} is not refused: {}", run.stdout);
        assert_eq!(run.stdout, "", "{name}");
        assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
        return assert_says(name, &run.stderr, words);
    }
    assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
    let found = run.json();
    for key in ["logits", "score", "label", "entities"] {
        if let Some(expected) = case.get(key) {
            assert_alike(&format!("{name}: {key}"), &found[key], expected);
        }
    }
    if let Some(words) = case["says"].as_array() {
        assert_says(name, &run.stderr, words);
    }
}

fn assert_says(name: &str, stderr: &str, words: &[Value]) {
    for word in words.iter().map(|word| word.as_str().unwrap()) {
        assert!(stderr.contains(word), "{name}: no {word:?} in {stderr}");
    }
}

/// Equal up to the rounding of numbers. What is found may have further keys.
fn assert_alike(what: &str, found: &Value, expected: &Value) {
    match expected {
        Value::Array(items) => {
            let count = found.as_array().map(Vec::len);
            assert_eq!(count, Some(items.len()), "{what}: {found}");
            for (index, item) in items.iter().enumerate() {
                assert_alike(&format!("{what}[{index}]"), &found[index], item);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                assert_alike(&format!("{what}.{key}"), &found[key], value);
            }
        }
        Value::Number(number) => {
            let found = found.as_f64();
            let found = found.unwrap_or_else(|| panic!("{what} is no number"));
            assert_close(what, &[found], &[number.as_f64().unwrap()]);
        }
        other => assert_eq!(found, other, "{what}"),
    }
}

fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(difference <= TOLERANCE, "{what}: {found}, not {expected}");
    }
}

fn cases() -> Vec<Value> {
    let json = std::fs::read_to_string(layouts().join("cases.json")).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn case_named(name: &str) -> Value {
    let mut all = cases().into_iter();
    all.find(|case| text(case, "case") == name).unwrap()
}

fn layouts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/layouts")
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap().iter();
    list.map(|number| number.as_f64().unwrap()).collect()
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
