//! `BertForQuestionAnswering`, its answers and SQuAD's figures against transformers and the official scripts.

use std::collections::BTreeMap;
use std::fs;
use std::num::ParseFloatError;

use bert_encoder::EncoderInput;
use bert_question_answering::metrics::{
    SquadMetrics, SquadVersion, best_thresholds, evaluate, normalize_answer, score_answer,
};
use bert_question_answering::{
    DecodeOptions, KEY_MAP, ModelForQuestionAnswering, QuestionAnsweringConfig, SpanLogits, Window,
    decode, loss,
};
use bert_testing::head::check_loss_and_gradients;
use bert_testing::named::head_keys;
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number, assert_equal_bits,
    golden, with_and_without_kernels,
};
use bert_weights::checkpoint::{LoadOptions, load, read_config};
use burn::tensor::{Device, Int, Tensor};
use serde::Deserialize;
use serde::de::DeserializeOwned;

with_and_without_kernels!(
    question_answering,
    a_batch_without_an_answer_to_learn_has_no_loss,
    within_its_length_a_window_loses_what_it_loses_alone,
);

fn load_model(golden: &Golden, device: &Device) -> anyhow::Result<ModelForQuestionAnswering> {
    let checkpoint = golden.checkpoint()?;
    let model = QuestionAnsweringConfig {
        encoder: read_config(&checkpoint)?,
    }
    .init(device)?;
    let keys = head_keys(KEY_MAP)?;
    Ok(load(model, &checkpoint, &keys, &LoadOptions::default())?.0)
}

fn question_answering(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("question_answering")?;
    let on = device.autodiff();
    let model = load_model(&golden, &on)?;
    let logits = model.forward(golden.input("", &on)?)?;
    let hidden = model.bert.forward(golden.input("", &on)?)?;
    let shared = model.forward_hidden(hidden.last_hidden_state);
    let sides = [
        ("start_logits", &logits.start_logits, shared.start_logits),
        ("end_logits", &logits.end_logits, shared.end_logits),
    ];
    for (name, found, shared) in sides {
        let found = Values::of(found.clone());
        assert_close(
            device,
            Quantity::Output,
            name,
            &found,
            &golden.floats(name)?,
        );
        assert_equal_bits(device, "on a shared encoder", &Values::of(shared), &found);
    }
    let positions = |name: &str| golden.ints::<1>(name, &on);
    let loss = loss(
        logits,
        positions("start_positions")?,
        positions("end_positions")?,
    );
    check_loss_and_gradients(device, &golden, &model, loss, &head_keys(KEY_MAP)?)?;
    Ok(())
}

fn within_its_length_a_window_loses_what_it_loses_alone(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("question_answering")?;
    let on = device.plain();
    let model = load_model(&golden, on)?;
    let ids = golden.input("", on)?.input_ids.narrow(0, 0, 2);
    let [_, sequence] = ids.dims();
    let lengths = [sequence, sequence - 3];
    let class = |value: i64| Tensor::<1, Int>::from_data([value], on);
    let of = |rows: std::ops::Range<usize>, sequence: usize| -> anyhow::Result<_> {
        let ids = ids.clone().slice([rows.clone(), 0..sequence]);
        let input = EncoderInput {
            lengths: Some(lengths[rows.clone()].to_vec()),
            ..EncoderInput::new(ids)
        };
        Ok(model.forward(input)?.within(&lengths[rows]))
    };
    let both = of(0..2, sequence)?;
    let second = SpanLogits {
        start_logits: both.start_logits.narrow(0, 1, 1),
        end_logits: both.end_logits.narrow(0, 1, 1),
    };
    let found = Values::of(loss(second, class(1), class(2)));
    let alone = Values::of(loss(of(1..2, lengths[1])?, class(1), class(2)));
    assert_close(
        device,
        Quantity::Loss,
        "beside a longer window",
        &found,
        &alone,
    );
    Ok(())
}

fn a_batch_without_an_answer_to_learn_has_no_loss(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("question_answering")?;
    let on = device.plain();
    let logits = load_model(&golden, on)?.forward(golden.input("", on)?)?;
    let [rows, sequence] = logits.start_logits.dims();
    let beyond = Tensor::<1, Int>::full([rows], sequence as i64, on);
    let found = loss(logits, beyond.clone(), beyond).into_scalar::<f32>();
    assert_close_number(device, Quantity::Loss, "no labels", found.into(), 0.0);
    Ok(())
}

fn read<T: DeserializeOwned>(path: &str) -> anyhow::Result<T> {
    Ok(serde_json::from_slice(&fs::read(
        golden::folder().join(path),
    )?)?)
}

#[derive(Deserialize)]
struct Answers {
    context: String,
    rows: Vec<AnswerRow>,
}

/// Characters, start logit, end logit, probability.
type NBest = (Option<(usize, usize)>, f32, f32, f64);

#[derive(Deserialize)]
struct AnswerRow {
    n_best: usize,
    max_answer_length: usize,
    with_null: bool,
    null_threshold: f32,
    windows: Vec<AnswerWindow>,
    n_best_list: Vec<NBest>,
    answer: String,
    null_difference: Option<f32>,
}

#[derive(Deserialize)]
struct AnswerWindow {
    context_tokens: (usize, usize),
    offsets: Vec<(usize, usize)>,
    start_logits: Vec<f32>,
    end_logits: Vec<f32>,
}

#[test]
fn n_best_answers_are_those_of_transformers() -> anyhow::Result<()> {
    let Answers { context, rows } = read("squad_answers/answers.json")?;
    assert!(rows.iter().any(|row| row.answer.is_empty()));
    for (index, row) in rows.iter().enumerate() {
        let windows: Vec<Window<'_>> = row
            .windows
            .iter()
            .map(|window| Window {
                context: 0,
                context_tokens: window.context_tokens.0..window.context_tokens.1,
                offsets: &window.offsets,
                start_logits: &window.start_logits,
                end_logits: &window.end_logits,
            })
            .collect();
        let options = DecodeOptions {
            n_best: row.n_best,
            max_answer_length: row.max_answer_length,
            with_null: row.with_null,
            distinct: false,
        };
        let decoded = decode(&windows, &options);
        assert_eq!(
            decoded.candidates.len(),
            row.n_best_list.len(),
            "row {index}"
        );
        for (found, (span, start_logit, end_logit, probability)) in
            decoded.candidates.iter().zip(&row.n_best_list)
        {
            assert_eq!(found.span.map(|span| (span.start, span.end)), *span);
            assert_eq!(
                (found.start_logit, found.end_logit),
                (*start_logit, *end_logit)
            );
            let difference = (f64::from(found.probability) - probability).abs();
            assert!(difference < 1e-6, "row {index}: {difference}");
        }
        if let Some(expected) = row.null_difference {
            assert_eq!(decoded.null_difference(), expected, "row {index}");
        }
        let span = decoded.answer(row.null_threshold).and_then(|one| one.span);
        let found: String = span.map_or_else(String::new, |span| {
            let from_start = context.chars().skip(span.start);
            from_start.take(span.end - span.start).collect()
        });
        assert_eq!(found, row.answer, "row {index}");
    }
    Ok(())
}

#[derive(Deserialize)]
struct Figures {
    rows: Vec<FigureRow>,
    version_1: BTreeMap<String, Digits>,
    version_2: BTreeMap<String, Digits>,
}

/// A number whose digits stand in the file as text.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Digits(f64);

impl TryFrom<String> for Digits {
    type Error = ParseFloatError;

    fn try_from(text: String) -> Result<Self, ParseFloatError> {
        text.parse().map(Self)
    }
}

#[derive(Deserialize)]
struct FigureRow {
    prediction: String,
    references: Vec<String>,
    null_difference: f32,
    normalized: String,
    version_1: Option<(Digits, Digits)>,
    version_2: (Digits, Digits),
}

#[test]
fn answers_score_what_the_official_scripts_give_them() -> anyhow::Result<()> {
    let figures: Figures = read("squad_metrics/metrics.json")?;
    assert!(figures.rows.len() >= 300);
    for row in &figures.rows {
        assert_eq!(normalize_answer(&row.prediction), row.normalized);
        let score = |version| {
            let score = score_answer(&row.prediction, &row.references, version);
            (score.exact, score.f1)
        };
        let text = (&row.prediction, &row.references);
        let (exact, f1) = row.version_2;
        assert_eq!(score(SquadVersion::V2), (exact.0, f1.0), "{text:?}");
        if let Some((exact, f1)) = row.version_1 {
            assert_eq!(score(SquadVersion::V1), (exact.0, f1.0), "{text:?}");
        }
    }
    Ok(())
}

#[test]
fn figures_of_a_data_set_are_those_of_the_official_scripts_to_the_last_digit() -> anyhow::Result<()>
{
    let figures: Figures = read("squad_metrics/metrics.json")?;
    let score = |rows: &[&FigureRow], version| {
        let predictions: Vec<&str> = rows.iter().map(|row| row.prediction.as_str()).collect();
        let references: Vec<_> = rows.iter().map(|row| row.references.clone()).collect();
        evaluate(&predictions, &references, version)
    };
    let all: Vec<&FigureRow> = figures.rows.iter().collect();
    let answerable: Vec<&FigureRow> = all
        .iter()
        .copied()
        .filter(|row| !row.references.is_empty())
        .collect();
    let first = score(&answerable, SquadVersion::V1)?;
    check_figures(&first, &figures.version_1, 3)?;
    let second = score(&all, SquadVersion::V2)?;
    check_figures(&second, &figures.version_2, 9)?;

    let predictions: Vec<&str> = all.iter().map(|row| row.prediction.as_str()).collect();
    let differences: Vec<f32> = all.iter().map(|row| row.null_difference).collect();
    let references: Vec<_> = all.iter().map(|row| row.references.clone()).collect();
    let best = best_thresholds(&predictions, &differences, &references)?;
    let expected = |key: &str| figures.version_2[key].0;
    assert_eq!(best.best_exact, expected("best_exact"));
    assert_eq!(best.best_f1, expected("best_f1"));
    assert_eq!(best.best_exact_thresh, expected("best_exact_thresh") as f32);
    assert_eq!(best.best_f1_thresh, expected("best_f1_thresh") as f32);
    Ok(())
}

/// Every figure found is the one of its name in the file.
fn check_figures(
    found: &SquadMetrics,
    expected: &BTreeMap<String, Digits>,
    count: usize,
) -> anyhow::Result<()> {
    let found: BTreeMap<String, f64> = serde_json::from_value(serde_json::to_value(found)?)?;
    assert_eq!(found.len(), count);
    for (name, value) in found {
        assert_eq!(value, expected[&name].0, "{name}");
    }
    Ok(())
}
