//! Entities from logits against transformers' pipeline, and their scores against seqeval.

use std::collections::BTreeMap;
use std::path::Path;

use bert_tasks::token_classification::Prediction;
use bert_tests::golden::folder;
use bert_text::{Pieces, Tokenizer, TokensInput};
use bert_token_classification::aggregation::{Aggregation, Entity, entities};
use bert_token_classification::metrics::{EntityScores, evaluate};
use bert_token_classification::tags::Scheme;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

#[derive(Deserialize)]
struct AggregationFile {
    labels: Vec<String>,
    rows: Vec<AggregationRow>,
}

#[derive(Deserialize)]
struct AggregationRow {
    #[serde(flatten)]
    input: TokensInput,
    input_ids: Vec<u32>,
    logits: Vec<Vec<f32>>,
    entities: BTreeMap<String, Vec<Value>>,
}

const STRATEGIES: [(&str, Aggregation); 5] = [
    ("none", Aggregation::None),
    ("simple", Aggregation::Simple),
    ("first", Aggregation::First),
    ("average", Aggregation::Average),
    ("max", Aggregation::Max),
];

/// The largest difference of a score: the pipeline computes in single precision, and the file has eight digits.
const SCORE: f64 = 1e-6;

#[test]
fn entities_are_those_of_the_pipeline_for_every_strategy() -> anyhow::Result<()> {
    let folder = folder().join("aggregation");
    let tokenizer = Tokenizer::from_dir(&folder)?;
    let file: AggregationFile = read(&folder.join("aggregation.json"))?;
    let join = |tokens: &[&str]| tokenizer.convert_tokens_to_string(tokens);
    let mut compared = 0;
    for row in file.rows {
        let pieces = match &row.input {
            TokensInput::Text(text) => tokenizer.pieces(text)?,
            TokensInput::Tokens(words) => tokenizer.word_pieces(words)?,
        };
        assert_eq!(pieces.input_ids, row.input_ids, "{:?}", row.input);
        let logits = row.logits;
        let prediction = Prediction { pieces, logits };
        for (name, strategy) in STRATEGIES {
            let sub_tokens = prediction.sub_tokens();
            let found = entities(sub_tokens, &file.labels, strategy, None, &join);
            let expected = &row.entities[name];
            let place = format!("{name} of {:?}", row.input);
            assert_eq!(found.len(), expected.len(), "{place}");
            for (found, expected) in found.iter().zip(expected) {
                assert_same_entity(found, expected, &place)?;
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared} entities compared");
    Ok(())
}

fn assert_same_entity(found: &Entity, expected: &Value, place: &str) -> anyhow::Result<()> {
    let mut found = serde_json::to_value(found)?;
    let mut expected = expected.clone();
    let score = |value: &mut Value| value["score"].take().as_f64().expect("a score");
    let (found_score, expected_score) = (score(&mut found), score(&mut expected));
    assert_eq!(found, expected, "{place}");
    let difference = (found_score - expected_score).abs();
    assert!(
        difference < SCORE,
        "{place}: {found_score} is not {expected_score}"
    );
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
    let rows: Vec<MetricsRow> = read(&folder().join("entity_metrics/entity_metrics.json"))?;
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

#[test]
fn offsets_of_words_are_into_the_words_joined_by_spaces() -> anyhow::Result<()> {
    let tokenizer = Tokenizer::from_dir(&folder().join("aggregation"))?;
    let words = [
        "caf\u{e9}",
        "\u{200b}",
        "\u{1f642}good",
        "cafe\u{301}s",
        "films",
    ];
    let pieces: Pieces = tokenizer.word_pieces(&words)?;
    let characters: Vec<char> = pieces.text.chars().collect();
    let surfaces: Vec<String> = pieces
        .offsets
        .iter()
        .map(|&(start, end)| characters[start..end].iter().collect())
        .collect();
    let expected = "caf\u{e9} \u{1f642} g o o d cafe s film s";
    assert_eq!(surfaces.join(" "), expected);
    let ids: Vec<u32> = pieces.word_ids.iter().flatten().copied().collect();
    assert_eq!(
        ids,
        [0, 2, 2, 2, 2, 2, 3, 3, 4, 4],
        "the zero-width word has no token"
    );
    Ok(())
}
