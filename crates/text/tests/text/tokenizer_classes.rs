//! Tokenizers of every class against transformers: ids, types, places, words, windows, special tokens.

use std::collections::BTreeMap;
use std::path::Path;

use bert_text::{Pieces, Tokenizer, TokensInput};
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Deserialize)]
struct File {
    shared: BTreeMap<String, Content>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<String, Content>,
    encodings: Vec<Row>,
    windows: Windows,
    pieces: Vec<GoldenPieces>,
    special_ids: Vec<u32>,
}

/// What a file holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Shared { shared: String },
    Bytes { hex: String },
}

#[derive(Deserialize)]
struct Row {
    text: String,
    text_pair: Option<String>,
    max_length: usize,
    #[serde(flatten)]
    expected: Tokens,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Tokens {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    word_ids: Vec<Option<u32>>,
}

#[derive(Deserialize)]
struct Windows {
    question: String,
    context: String,
    max_length: usize,
    stride: usize,
    input_ids: Vec<Vec<u32>>,
    offsets: Vec<Vec<(usize, usize)>>,
}

#[derive(Deserialize)]
struct GoldenPieces {
    #[serde(flatten)]
    input: TokensInput,
    words: Vec<String>,
    offsets: Vec<(usize, usize)>,
    is_subword: Vec<bool>,
}

impl Content {
    fn bytes(&self, shared: &BTreeMap<String, Self>) -> Vec<u8> {
        let byte = |at: usize, hex: &str| u8::from_str_radix(&hex[at..at + 2], 16);
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Shared { shared: name } => shared[name].bytes(shared),
            Self::Bytes { hex } => (0..hex.len())
                .step_by(2)
                .map(|at| byte(at, hex).expect("hexadecimal"))
                .collect(),
        }
    }
}

fn file() -> File {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/goldens/tokenizers/tokenizers.json");
    let json = std::fs::read(path).expect("the golden file");
    serde_json::from_slice(&json).expect("JSON")
}

fn directory(case: &Case, shared: &BTreeMap<String, Content>) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, content) in &case.files {
        std::fs::write(dir.path().join(name), content.bytes(shared)).expect("written");
    }
    dir
}

/// Has every case checked, and says all that fail.
fn for_every_case(check: impl Fn(&Case, &Tokenizer) -> Result<(), String>) {
    let File { shared, cases } = file();
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let dir = directory(case, &shared);
        let found = Tokenizer::from_dir(dir.path()).map_err(|error| error.to_string());
        if let Err(failure) = found.and_then(|tokenizer| check(case, &tokenizer)) {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T, of: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{of}\n found    {found:?}\n expected {expected:?}"))
}

#[test]
fn every_class_gives_the_ids_types_and_places_of_transformers() {
    for_every_case(|case, tokenizer| {
        case.encodings.iter().try_for_each(|row| {
            let found = tokenizer
                .encode(&row.text, row.text_pair.as_deref(), row.max_length)
                .map_err(|error| error.to_string())?;
            let found = Tokens {
                input_ids: found.input_ids,
                token_type_ids: found.token_type_ids,
                offsets: found.offsets,
                word_ids: found.word_ids,
            };
            same(&found, &row.expected, &format!("{:?}", row.text))
        })
    });
}

#[test]
fn windows_beside_a_question_are_those_of_transformers_for_every_class_and_side() {
    for_every_case(|case, tokenizer| {
        let row = &case.windows;
        let found = tokenizer
            .encode_windows(&row.question, &row.context, row.max_length, row.stride)
            .map_err(|error| error.to_string())?;
        let (ids, offsets): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|window| (window.input_ids, window.offsets))
            .unzip();
        same(&ids, &row.input_ids, "ids")?;
        same(&offsets, &row.offsets, "offsets")
    });
}

fn pieces(tokenizer: &Tokenizer, input: &TokensInput) -> Result<Pieces, String> {
    let pieces = match input {
        TokensInput::Text(text) => tokenizer.pieces(text),
        TokensInput::Tokens(words) => tokenizer.word_pieces(words),
    };
    pieces.map_err(|error| error.to_string())
}

#[test]
fn words_continue_where_the_pipeline_of_transformers_says_for_every_class() {
    for_every_case(|case, tokenizer| {
        case.pieces.iter().try_for_each(|row| {
            let found = pieces(tokenizer, &row.input)?;
            let of = format!("{:?}", row.input);
            same(&found.shown(), &row.words, &of)?;
            same(&found.offsets, &row.offsets, &of)?;
            same(&found.continues_word, &row.is_subword, &of)
        })
    });
}

#[test]
fn parts_of_a_text_with_special_tokens_around_are_what_the_whole_is() {
    for_every_case(|case, tokenizer| {
        for row in case.encodings.iter().filter(|row| row.text_pair.is_none()) {
            let pieces = tokenizer
                .pieces(&row.text)
                .map_err(|error| error.to_string())?;
            let whole = tokenizer.encode(&row.text, None, 512);
            let part = tokenizer.encode_pieces(&pieces, 0..pieces.len());
            same(
                &part.map_err(|error| error.to_string())?,
                &whole.map_err(|error| error.to_string())?,
                &row.text,
            )?;
        }
        Ok(())
    });
}

#[test]
fn special_tokens_are_those_of_transformers() {
    for_every_case(|case, tokenizer| {
        same(
            &tokenizer.special_token_ids(),
            &case.special_ids,
            "special ids",
        )
    });
}
