//! Entities from logits against transformers' pipeline.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use bert_tasks::token_classification::Prediction;
use bert_testing::golden::folder;
use bert_text::{Pieces, Tokenizer, TokensInput};
use bert_token_classification::aggregation::{Aggregation, Entity, entities};
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
    #[serde(flatten)]
    scored: Scored,
}

/// Random logits of sub-tokens, and the entities of each strategy.
#[derive(Deserialize)]
struct Scored {
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
    let mut compared = 0;
    for row in file.rows {
        let pieces = pieces(&tokenizer, &row.input)?;
        assert_eq!(pieces.input_ids, row.input_ids, "{:?}", row.input);
        compared += assert_same_entities(&tokenizer, &file.labels, pieces, &row.scored)?;
    }
    assert!(compared > 500, "{compared} entities compared");
    Ok(())
}

#[derive(Deserialize)]
struct TokenizersFile {
    labels: Vec<String>,
    shared: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<String, Value>,
    pieces: Vec<PiecesRow>,
}

#[derive(Deserialize)]
struct PiecesRow {
    #[serde(flatten)]
    input: TokensInput,
    #[serde(flatten)]
    scored: Option<Scored>,
}

/// The bytes of a file: its text, the name of a shared file, or hexadecimal digits.
fn bytes(content: &Value, shared: &BTreeMap<String, Value>) -> anyhow::Result<Vec<u8>> {
    if let Some(text) = content.as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    if let Some(name) = content["shared"].as_str() {
        return bytes(&shared[name], shared);
    }
    let hex = content["hex"].as_str().unwrap_or_default();
    let pairs = (0..hex.len()).step_by(2);
    Ok(pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16))
        .collect::<Result<_, _>>()?)
}

#[test]
fn entities_are_those_of_the_pipeline_wherever_words_begin() -> anyhow::Result<()> {
    let file: TokenizersFile = read(&folder().join("tokenizers/tokenizers.json"))?;
    let (mut compared, mut tokenizers) = (0, 0);
    for case in &file.cases {
        let scored = case
            .pieces
            .iter()
            .filter_map(|row| Some((&row.input, row.scored.as_ref()?)));
        let scored: Vec<_> = scored.collect();
        if scored.is_empty() {
            continue;
        }
        let dir = tempfile::tempdir()?;
        for (name, content) in &case.files {
            std::fs::write(dir.path().join(name), bytes(content, &file.shared)?)?;
        }
        let tokenizer = Tokenizer::from_dir(dir.path()).with_context(|| case.name.clone())?;
        tokenizers += 1;
        for (input, scored) in scored {
            let pieces = pieces(&tokenizer, input)?;
            compared += assert_same_entities(&tokenizer, &file.labels, pieces, scored)
                .with_context(|| case.name.clone())?;
        }
    }
    assert!(tokenizers >= 9, "{tokenizers} tokenizers");
    assert!(compared > 500, "{compared} entities compared");
    Ok(())
}

fn pieces(tokenizer: &Tokenizer, input: &TokensInput) -> anyhow::Result<Pieces> {
    Ok(match input {
        TokensInput::Text(text) => tokenizer.pieces(text)?,
        TokensInput::Tokens(words) => tokenizer.word_pieces(words)?,
    })
}

/// Returns how many entities were compared.
fn assert_same_entities(
    tokenizer: &Tokenizer,
    labels: &[String],
    pieces: Pieces,
    scored: &Scored,
) -> anyhow::Result<usize> {
    let join = |tokens: &[&str]| tokenizer.convert_tokens_to_string(tokens);
    let logits = scored.logits.clone();
    let prediction = Prediction { pieces, logits };
    let mut compared = 0;
    for (name, strategy) in STRATEGIES {
        let sub_tokens = prediction.sub_tokens();
        let found = entities(sub_tokens, labels, strategy, None, &join);
        let expected = &scored.entities[name];
        let place = format!("{name} of {:?}", prediction.pieces.text);
        assert_eq!(found.len(), expected.len(), "{place}");
        for (found, expected) in found.iter().zip(expected) {
            assert_same_entity(found, expected, &place)?;
            compared += 1;
        }
    }
    Ok(compared)
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
