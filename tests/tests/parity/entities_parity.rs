//! Entities from logits against transformers' pipeline.

use std::collections::BTreeMap;
use std::path::Path;

use bert_testing::golden::folder;
use bert_text::{Tokenizer, TokensInput};
use bert_token_classification::aggregation::{Aggregation, Entity, entities};
use bert_train::token_classification::Prediction;
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
