//! Zero-shot classification against transformers.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use bert_nli::Role;
use bert_nli::zero_shot::HypothesisTemplate;
use bert_tasks::natural_language_inference::{NliClassifier, ZeroShotClassifier, ZeroShotQuestion};
use bert_tasks::{HeadOrigin, RunOptions};
use bert_testing::{Golden, Quantity, TestDevice, assert_close_number, with_and_without_kernels};
use serde_json::{Map, Value, json};

with_and_without_kernels!(zero_shot_answers_are_those_of_the_pipeline);

const CASE: &str = "nli";

fn zero_shot_answers_are_those_of_the_pipeline(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open(CASE)?;
    let questions = golden
        .scalar("/zero_shot")?
        .as_array()
        .context("an array")?;
    assert!(questions.len() > 10);
    for question in questions {
        let folder = tempfile::tempdir()?;
        with_label_order(golden.path(), folder.path(), &question["label_order"])?;
        check_answer(device, folder.path(), question)?;
    }
    Ok(())
}

fn check_answer(device: &TestDevice, checkpoint: &Path, question: &Value) -> anyhow::Result<()> {
    let zero_shot = ZeroShotClassifier::open(checkpoint, None)?;
    let on = device.plain();
    let (model, _) = zero_shot.classifier.load(HeadOrigin::Checkpoint, on)?;
    let text = |key: &str| question[key].as_str().context("a string");
    let labels = text("candidate_labels")?.split(',').map(str::trim);
    let labels: Vec<String> = labels
        .filter(|label| !label.is_empty())
        .map(str::to_owned)
        .collect();
    let asked = ZeroShotQuestion {
        labels: labels.clone(),
        template: HypothesisTemplate::parse(text("hypothesis_template")?)?,
        multi_label: question["multi_label"].as_bool().context("a boolean")?,
    };
    let batch_size = NonZeroUsize::new(2).context("not zero")?;
    let answers = zero_shot.predict(
        &model,
        &[text("text")?],
        &asked,
        RunOptions {
            batch_size,
            device: on,
            progress: &mut |_| {},
            peers: None,
        },
    )?;
    let answer = &answers[0];

    let found: Vec<&str> = answer
        .order
        .iter()
        .map(|&label| labels[label].as_str())
        .collect();
    assert_eq!(json!(found), question["answer"]["labels"], "{question}");
    let expected = question["answer"]["scores"]
        .as_array()
        .context("an array")?;
    assert_eq!(answer.scores.len(), expected.len());
    for (label, (score, expected)) in found.iter().zip(answer.scores.iter().zip(expected)) {
        let expected = expected.as_f64().context("a number")?;
        assert_close_number(device, Quantity::Output, label, f64::from(*score), expected);
    }
    let is_named = question["label_order"]
        .to_string()
        .to_lowercase()
        .contains("\"entail");
    assert_eq!(zero_shot.ids.is_named, is_named);
    Ok(())
}

/// A copy of a checkpoint whose labels have other names.
fn with_label_order(from: &Path, to: &Path, names: &Value) -> anyhow::Result<()> {
    for file in ["model.safetensors", "vocab.txt"] {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    let config = std::fs::read_to_string(from.join("config.json"))?;
    let mut config: Map<String, Value> = serde_json::from_str(&config)?;
    let names: Vec<&str> = names
        .as_array()
        .context("names")?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let ids = names.iter().enumerate();
    let id2label: Map<String, Value> = ids
        .clone()
        .map(|(id, name)| (id.to_string(), json!(name)))
        .collect();
    let label2id: Map<String, Value> = ids
        .map(|(id, name)| ((*name).to_owned(), json!(id)))
        .collect();
    config.insert("id2label".to_owned(), Value::Object(id2label));
    config.insert("label2id".to_owned(), Value::Object(label2id));
    Ok(std::fs::write(
        to.join("config.json"),
        serde_json::to_string(&config)?,
    )?)
}

#[test]
fn the_labels_of_a_checkpoint_are_known_by_name() -> anyhow::Result<()> {
    let nli = NliClassifier::open(Golden::open(CASE)?.path(), None)?;
    assert_eq!(
        nli.roles.by_id(),
        [Role::Neutral, Role::Contradiction, Role::Entailment]
    );
    let folder = tempfile::tempdir()?;
    with_label_order(
        Golden::open(CASE)?.path(),
        folder.path(),
        &json!(["LABEL_0", "LABEL_1", "LABEL_2"]),
    )?;
    let error = NliClassifier::open(folder.path(), None).expect_err("no names");
    assert!(
        error.to_string().contains("name the labels in config.json"),
        "{error}"
    );
    Ok(())
}
