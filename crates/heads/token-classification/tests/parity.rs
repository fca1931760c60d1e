//! Logits, loss and the gradient of every parameter of `BertForTokenClassification` against transformers, and the scores of
//! entities against seqeval.

use std::collections::BTreeMap;

use bert_encoder::EncoderConfig;
use bert_testing::golden::folder;
use bert_testing::head::check_loss_and_gradients;
use bert_testing::named::{gradients, head_keys, parameters};
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_equal_bits, with_and_without_kernels,
};
use bert_token_classification::metrics::{EntityScores, evaluate};
use bert_token_classification::tags::Scheme;
use bert_token_classification::{
    KEY_MAP, ModelForTokenClassification, TokenClassificationConfig, loss,
};
use bert_weights::checkpoint::{LoadOptions, load, read_config};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use serde::Deserialize;

with_and_without_kernels!(
    logits_loss_and_gradients,
    a_batch_without_a_label_has_loss_zero_and_no_nan,
);

fn classifier(golden: &Golden, device: &Device) -> anyhow::Result<ModelForTokenClassification> {
    let checkpoint = golden.checkpoint()?;
    let encoder: EncoderConfig = read_config(&checkpoint)?;
    let config = TokenClassificationConfig {
        encoder,
        num_labels: 7,
    };
    let options = LoadOptions::default();
    let model = config.init(device)?;
    Ok(load(model, &checkpoint, &head_keys(KEY_MAP)?, &options)?.0)
}

fn logits_loss_and_gradients(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("token_classification")?;
    let on = device.autodiff();
    let model = classifier(&golden, &on)?;
    let logits = model.forward(golden.input("", &on)?)?;
    let found = Values::of(logits.clone());
    let expected = golden.floats("logits")?;
    assert_close(device, Quantity::Output, golden.case(), &found, &expected);

    let hidden = model.bert.forward(golden.input("", &on)?)?;
    let shared = Values::of(model.forward_hidden(hidden.last_hidden_state));
    assert_equal_bits(device, "on a shared encoder", &shared, &found);

    let loss = loss(logits, golden.ints("labels", &on)?);
    check_loss_and_gradients(device, &golden, &model, loss, &head_keys(KEY_MAP)?)?;
    Ok(())
}

fn a_batch_without_a_label_has_loss_zero_and_no_nan(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("token_classification")?;
    let on = device.autodiff();
    let model = classifier(&golden, &on)?;
    let logits = model.forward(golden.input("", &on)?)?;
    let labels = Tensor::full([6, 8], bert_kernels::IGNORE_INDEX, &on);
    let loss = loss(logits, labels);
    assert_eq!(loss.clone().into_scalar::<f32>(), 0.0);
    let keys = head_keys(KEY_MAP)?;
    let found = GradientsParams::from_grads(loss.backward(), &model);
    let found = gradients(&model, &found, &keys)?;
    assert_eq!(found.len(), parameters(&model, &keys)?.len());
    for (name, gradient) in &found {
        assert!(gradient.are_finite(), "{name}");
        assert_eq!(gradient.largest(), 0.0, "{name} has a gradient");
    }
    Ok(())
}

#[derive(Deserialize)]
struct MetricsRow {
    scheme: Scheme,
    references: Vec<String>,
    predictions: Vec<String>,
    accuracy: String,
    default: Figures,
    strict: Figures,
}

/// Precision, recall and F1, as texts that bring every digit back.
#[derive(Deserialize)]
struct Figures {
    micro: [String; 3],
    #[serde(rename = "macro")]
    by_type: [String; 3],
    weighted: [String; 3],
    support: u64,
    per_type: BTreeMap<String, (String, String, String, u64)>,
}

#[test]
fn figures_are_those_of_seqeval_to_the_last_digit() -> anyhow::Result<()> {
    let rows = std::fs::read_to_string(folder().join("entity_metrics/entity_metrics.json"))?;
    let rows: Vec<MetricsRow> = serde_json::from_str(&rows)?;
    assert!(rows.len() > 200);
    for (index, row) in rows.iter().enumerate() {
        let (references, predictions) = (split(&row.references), split(&row.predictions));
        let found = evaluate(&predictions, &references, Some(row.scheme))?;
        assert_eq!(text(found.accuracy), row.accuracy, "row {index}");
        let strict = found.strict.expect("a scheme was given");
        assert_same_figures(
            &found.default,
            &row.default,
            &format!("row {index}, default"),
        );
        assert_same_figures(&strict.scores, &row.strict, &format!("row {index}, strict"));
    }
    Ok(())
}

fn split(sentences: &[String]) -> Vec<Vec<&str>> {
    let tags = sentences.iter().map(|tags| tags.split(' ').collect());
    tags.collect()
}

fn text(value: f64) -> String {
    format!("{value:?}")
}

#[track_caller]
fn assert_same_figures(found: &EntityScores, expected: &Figures, place: &str) {
    let micro = [found.precision, found.recall, found.f1];
    let by_type = [found.precision_macro, found.recall_macro, found.f1_macro];
    let weighted = [
        found.precision_weighted,
        found.recall_weighted,
        found.f1_weighted,
    ];
    assert_eq!(micro.map(text), expected.micro, "{place}, micro");
    assert_eq!(by_type.map(text), expected.by_type, "{place}, macro");
    assert_eq!(weighted.map(text), expected.weighted, "{place}, weighted");
    assert_eq!(found.support, expected.support, "{place}, support");
    let types: BTreeMap<String, (String, String, String, u64)> = found
        .per_type
        .iter()
        .map(|(kind, scores)| {
            let figures = [scores.precision, scores.recall, scores.f1].map(text);
            let [precision, recall, f1] = figures;
            (kind.clone(), (precision, recall, f1, scores.support))
        })
        .collect();
    assert_eq!(types, expected.per_type, "{place}, types");
}
