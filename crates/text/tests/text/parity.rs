//! Token ids and types against transformers' `BertTokenizerFast`.

use std::fs;

use bert_testing::golden;
use bert_text::Tokenizer;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Row {
    text: String,
    text_pair: Option<String>,
    max_length: usize,
    uncased: Ids,
    cased: Ids,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Ids {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
}

#[test]
fn uncased_ids_are_those_of_transformers() -> anyhow::Result<()> {
    check(true, |row| &row.uncased)
}

#[test]
fn cased_ids_are_those_of_transformers() -> anyhow::Result<()> {
    check(false, |row| &row.cased)
}

fn check(do_lower_case: bool, expected: fn(&Row) -> &Ids) -> anyhow::Result<()> {
    let folder = golden::folder().join("tokenization");
    let dir = tempfile::tempdir()?;
    fs::copy(folder.join("vocab.txt"), dir.path().join("vocab.txt"))?;
    let settings = format!(r#"{{"do_lower_case": {do_lower_case}}}"#);
    fs::write(dir.path().join("tokenizer_config.json"), settings)?;
    let tokenizer = Tokenizer::from_dir(dir.path())?;

    let rows: Vec<Row> = serde_json::from_slice(&fs::read(folder.join("tokenization.json"))?)?;
    assert!(rows.len() > 70, "only {} rows", rows.len());
    for row in &rows {
        let encoding = tokenizer.encode(&row.text, row.text_pair.as_deref(), row.max_length)?;
        let found = Ids {
            input_ids: encoding.input_ids,
            token_type_ids: encoding.token_type_ids,
        };
        let (text, pair) = (&row.text, &row.text_pair);
        assert_eq!(
            found,
            *expected(row),
            "{text:?}, {pair:?} (found, expected)"
        );
    }
    Ok(())
}
