//! Token ids, types, windows and offsets against transformers' `BertTokenizerFast`.

use std::fs;
use std::path::{Path, PathBuf};

use bert_text::{Pieces, Tokenizer};
use serde::Deserialize;

/// The golden files of the workspace. `bert-testing` knows them too, but builds Burn.
fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens")
}

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
    let folder = goldens().join("tokenization");
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

#[derive(Deserialize)]
struct WindowRow {
    question: String,
    context: String,
    max_length: usize,
    stride: usize,
    windows: Vec<GoldenWindow>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct GoldenWindow {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    sequence_ids: Vec<Option<usize>>,
}

#[test]
fn windows_of_long_contexts_are_those_of_transformers() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    fs::copy(
        goldens().join("tokenization/vocab.txt"),
        dir.path().join("vocab.txt"),
    )?;
    let tokenizer = Tokenizer::from_dir(dir.path())?;
    let rows = fs::read(goldens().join("question_windows/windows.json"))?;
    let rows: Vec<WindowRow> = serde_json::from_slice(&rows)?;
    for row in &rows {
        let question = row.question.trim_start();
        let found = tokenizer.encode_windows(question, &row.context, row.max_length, row.stride)?;
        let found: Vec<GoldenWindow> = found
            .into_iter()
            .map(|window| GoldenWindow {
                input_ids: window.input_ids,
                token_type_ids: window.token_type_ids,
                offsets: window.offsets,
                sequence_ids: window.sequence_ids,
            })
            .collect();
        assert_eq!(found, row.windows, "{question:?} (found, expected)");
    }
    Ok(())
}

#[test]
fn offsets_of_words_are_into_the_words_joined_by_spaces() -> anyhow::Result<()> {
    let tokenizer = Tokenizer::from_dir(&goldens().join("aggregation"))?;
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
