use std::path::Path;

use bert_text::{Encoding, Tokenizer, TokenizerError};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures;

const CLS: u32 = 2;
const SEP: u32 = 3;

fn tiny() -> Tokenizer {
    Tokenizer::from_dir(&fixtures().join("tiny")).expect("the tiny tokenizer")
}

/// The tiny vocabulary in a directory of its own, with more files beside it.
fn dir_with(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let vocab = fixtures().join("tiny/vocab.txt");
    std::fs::copy(vocab, dir.path().join("vocab.txt")).expect("a copy");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("the file is written");
    }
    dir
}

/// A `tokenizer.json` of the tiny vocabulary that truncates and pads to 4 tokens and has no post-processor.
fn tokenizer_json(lowercase: bool) -> String {
    let vocab = std::fs::read_to_string(fixtures().join("tiny/vocab.txt")).expect("the vocabulary");
    let vocab: serde_json::Map<String, Value> = vocab
        .lines()
        .enumerate()
        .map(|(id, token)| (token.to_owned(), id.into()))
        .collect();
    serde_json::json!({
        "version": "1.0",
        "truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 4}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"
        },
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": lowercase
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab
        }
    })
    .to_string()
}

fn error_of(dir: &Path) -> TokenizerError {
    Tokenizer::from_dir(dir).expect_err("an error")
}

fn golden_encoding(case: &Value) -> Encoding {
    let list = |key: &str| case[key].as_array().expect("a list").clone();
    let number = |value: &Value| value.as_u64().expect("a number");
    let small = |value: &Value| u32::try_from(number(value)).expect("a u32");
    let size = |value: &Value| usize::try_from(number(value)).expect("a usize");
    Encoding {
        input_ids: list("input_ids").iter().map(small).collect(),
        token_type_ids: list("token_type_ids").iter().map(small).collect(),
        offsets: list("offsets")
            .iter()
            .map(|pair| (size(&pair[0]), size(&pair[1])))
            .collect(),
        word_ids: list("word_ids")
            .iter()
            .map(|id| (!id.is_null()).then(|| small(id)))
            .collect(),
        sequence_ids: list("sequence_ids")
            .iter()
            .map(|id| (!id.is_null()).then(|| size(id)))
            .collect(),
        truncated_tokens: size(&case["truncated_tokens"]),
    }
}

#[test]
fn encodings_equal_those_of_transformers() {
    let goldens = std::fs::read_to_string(fixtures().join("tokenizer_goldens.json"))
        .expect("the golden file");
    let goldens: Value = serde_json::from_str(&goldens).expect("JSON");
    let mut compared = 0;
    for golden in goldens["goldens"].as_array().expect("a list") {
        let settings = golden["settings"].to_string();
        let dir = dir_with(&[("tokenizer_config.json", &settings)]);
        let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
        for case in golden["cases"].as_array().expect("a list") {
            let text = case["text"].as_str().expect("a text");
            let max_length = case["max_length"].as_u64().expect("a length") as usize;
            let encoding = tokenizer
                .encode(text, case["text_pair"].as_str(), max_length)
                .expect("an encoding");
            assert_eq!(encoding, golden_encoding(case), "{settings} {case}");
            compared += 1;
        }
    }
    assert!(compared > 300, "only {compared} cases");
}

#[test]
fn settings_win_over_tokenizer_json() {
    let json = tokenizer_json(true);
    let cased = dir_with(&[
        ("tokenizer.json", &json),
        ("tokenizer_config.json", r#"{"do_lower_case": false}"#),
    ]);
    let uncased = dir_with(&[("tokenizer.json", &json)]);
    let ids = |dir: &TempDir| {
        let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
        tokenizer.encode("Good", None, 8).expect("ids").input_ids
    };
    assert_ne!(ids(&cased), ids(&uncased));
    assert_eq!(
        ids(&uncased),
        tiny().encode("good", None, 8).expect("ids").input_ids
    );
}

#[test]
fn baked_in_truncation_and_padding_are_ignored() {
    let dir = dir_with(&[("tokenizer.json", &tokenizer_json(true))]);
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    let long = tokenizer
        .encode("the film is very good", None, 16)
        .expect("ids");
    assert_eq!(long.len(), 7);
    assert_eq!(long.truncated_tokens, 0);
    assert_eq!(tokenizer.encode("the", None, 16).expect("ids").len(), 3);
}

#[test]
fn tokenizer_json_without_post_processor_gets_berts() {
    let dir = dir_with(&[("tokenizer.json", &tokenizer_json(true))]);
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    for pair in [None, Some("is good"), Some("")] {
        assert_eq!(
            tokenizer.encode("the film", pair, 16).expect("ids"),
            tiny().encode("the film", pair, 16).expect("ids")
        );
    }
}

#[test]
fn special_token_names_come_from_either_settings_file() {
    let vocab = "<pad>\n[UNK]\n<s>\n</s>\nfilm\n";
    let dir = dir_with(&[
        ("vocab.txt", vocab),
        (
            "tokenizer_config.json",
            r#"{"cls_token": {"content": "<s>", "lstrip": false}, "pad_token": "<pad>"}"#,
        ),
        (
            "special_tokens_map.json",
            r#"{"sep_token": "</s>", "pad_token": "[UNK]"}"#,
        ),
    ]);
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    assert_eq!(
        tokenizer.encode("film", None, 8).expect("ids").input_ids,
        [2, 4, 3]
    );
    let ids = [tokenizer.pad_token_id(), tokenizer.unk_token_id()];
    assert_eq!(ids, [Some(1), Some(1)], "the map wins");
    let ids = [tokenizer.cls_token_id(), tokenizer.sep_token_id()];
    assert_eq!(ids, [Some(2), Some(3)]);
    assert_eq!(tokenizer.mask_token_id(), None);
}

#[test]
fn added_tokens_keep_their_ids() {
    let dir = dir_with(&[("added_tokens.json", r#"{"<two>": 61, "<one>": 60}"#)]);
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    let ids = tokenizer
        .encode("<one><two>", None, 8)
        .expect("ids")
        .input_ids;
    assert_eq!(ids, [CLS, 60, 61, SEP]);
    assert_eq!(tokenizer.vocab_size(), 62);

    let gap = dir_with(&[("added_tokens.json", r#"{"<one>": 70}"#)]);
    assert!(matches!(
        error_of(gap.path()),
        TokenizerError::AddedTokenId { id: 70, .. }
    ));
}

#[test]
fn vocabulary_with_crlf_line_ends_is_the_same_vocabulary() {
    let vocab = std::fs::read_to_string(fixtures().join("tiny/vocab.txt")).expect("the vocabulary");
    let dir = dir_with(&[("vocab.txt", &vocab.replace('\n', "\r\n"))]);
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    let text = "the film was unaffable";
    assert_eq!(
        tokenizer.encode(text, None, 16).expect("ids"),
        tiny().encode(text, None, 16).expect("ids")
    );
}

#[test]
fn every_special_token_id_is_the_vocabularys() {
    let tokenizer = tiny();
    assert_eq!(tokenizer.vocab_size(), 60);
    let ids = [tokenizer.pad_token_id(), tokenizer.unk_token_id()];
    assert_eq!(ids, [Some(0), Some(1)]);
    let ids = [tokenizer.cls_token_id(), tokenizer.sep_token_id()];
    assert_eq!(ids, [Some(CLS), Some(SEP)]);
    assert_eq!(tokenizer.mask_token_id(), Some(4));
}

#[test]
fn a_model_with_too_few_embeddings_is_refused() {
    let tokenizer = tiny();
    tokenizer.check_vocab(60).expect("as many rows as ids");
    tokenizer.check_vocab(64).expect("a padded table");
    let error = tokenizer.check_vocab(59).expect_err("one row short");
    for part in ["vocab.txt", "59", "`vocab_size`", "config.json"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert!(matches!(
        error,
        TokenizerError::VocabMismatch { largest_id: 59, .. }
    ));
}

#[test]
fn export_files_are_those_of_the_directory() {
    let dir = dir_with(&[("special_tokens_map.json", "{}"), ("model.safetensors", "")]);
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    let expected = ["special_tokens_map.json", "vocab.txt"].map(|name| dir.path().join(name));
    assert_eq!(tokenizer.files(), expected);
}

#[test]
fn max_length_below_the_special_tokens_is_an_error() {
    let tokenizer = tiny();
    assert_eq!(
        tokenizer
            .encode("the film", None, 2)
            .expect("ids")
            .input_ids,
        [CLS, SEP]
    );
    for (pair, max_length) in [(None, 1), (None, 0), (Some("good"), 2)] {
        let error = tokenizer
            .encode("the film", pair, max_length)
            .expect_err("too small");
        assert!(
            matches!(error, TokenizerError::MaxLengthTooSmall { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_second_text_that_must_not_be_cut_is_whole() {
    let tokenizer = tiny();
    let whole = tokenizer
        .encode("the movie is good", Some("the film"), 64)
        .expect("tokens");
    let cut = tokenizer
        .encode_cutting_first("the movie is good", "the film", 7)
        .expect("tokens");
    assert_eq!(cut.len(), 7);
    assert_eq!(cut.truncated_tokens, whole.len() - 7);
    assert_eq!(cut.input_ids[..3], whole.input_ids[..3]);
    assert_eq!(cut.input_ids[3..], whole.input_ids[whole.len() - 4..]);
    let longest = tokenizer
        .encode("film", Some("the movie is good"), 6)
        .expect("tokens");
    assert!(longest.truncated_tokens > 0);
    let error = tokenizer
        .encode_cutting_first("film", "the movie is good", 6)
        .expect_err("no room");
    assert!(
        matches!(
            error,
            TokenizerError::SecondTextTooLong {
                tokens: 4,
                max_length: 6,
                ..
            }
        ),
        "{error}"
    );
    let none = tokenizer
        .encode_cutting_first("", "the movie is good", 7)
        .expect("it fits");
    assert_eq!(none.truncated_tokens, 0);
}

#[test]
fn tokenizers_are_the_same_when_they_give_the_same_ids() {
    let cased = dir_with(&[("tokenizer_config.json", "{\"do_lower_case\": false}")]);
    let cased = Tokenizer::from_dir(cased.path()).expect("a tokenizer");
    assert!(tiny().is_same_as(&tiny()));
    assert!(!tiny().is_same_as(&cased));
    assert!(!cased.is_same_as(&tiny()));
}

#[test]
fn texts_of_100_000_words_are_truncated() {
    let tokenizer = tiny();
    let text = "unaffable film ".repeat(50_000);
    let one = tokenizer.encode(&text, None, 128).expect("ids");
    assert_eq!((one.len(), one.truncated_tokens), (128, 200_000 - 126));
    // With both parts kept, the cut-off windows of a pair would be combined each with each.
    let two = tokenizer.encode(&text, Some(&text), 128).expect("ids");
    assert_eq!((two.len(), two.truncated_tokens), (128, 400_000 - 125));
    let word = "a".repeat(500_000);
    let word = tokenizer.encode(&word, None, 128).expect("ids");
    let unknown = tokenizer.unk_token_id().expect("an unknown token");
    assert_eq!(word.input_ids, [CLS, unknown, SEP]);
}

#[test]
fn damaged_files_are_errors_that_name_the_file() {
    let cases = [
        ("tokenizer.json", "{\"version\": \"1.0\", \"trunc"),
        ("tokenizer.json", ""),
        ("tokenizer_config.json", "[1]"),
        ("special_tokens_map.json", "{\"cls_token\": 7}"),
        ("added_tokens.json", "{\"a\": \"b\"}"),
    ];
    for (name, content) in cases {
        let dir = dir_with(&[(name, content)]);
        let message = error_of(dir.path()).to_string();
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn broken_vocabularies_are_errors_that_name_the_line() {
    let repeated = dir_with(&[("vocab.txt", "[PAD]\n[UNK]\n[PAD]\n")]);
    let error = error_of(repeated.path());
    assert!(matches!(
        error,
        TokenizerError::DuplicateToken {
            line: 3,
            first_line: 1,
            ..
        }
    ));

    let latin1 = dir_with(&[]);
    std::fs::write(latin1.path().join("vocab.txt"), b"[PAD]\ncaf\xe9\n").expect("written");
    assert!(matches!(
        error_of(latin1.path()),
        TokenizerError::VocabUtf8 { line: 2, .. }
    ));

    let no_sep = dir_with(&[("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n")]);
    let error = error_of(no_sep.path());
    assert!(matches!(
        error,
        TokenizerError::MissingSpecialToken {
            role: "sep_token",
            ..
        }
    ));
}

#[test]
fn a_directory_without_tokenizer_says_what_was_expected() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let error = error_of(dir.path());
    assert!(matches!(error, TokenizerError::NoTokenizerFile { .. }));
    assert!(error.to_string().contains("vocab.txt"), "{error}");
    let file = fixtures().join("tiny/vocab.txt");
    assert!(matches!(error_of(&file), TokenizerError::Io { .. }));
}

#[test]
fn a_batch_is_its_texts_one_by_one() {
    let tokenizer = tiny();
    let texts: Vec<String> = (0..100).map(|n| "the film ".repeat(n)).collect();
    let rows: Vec<(&str, Option<&str>)> = texts
        .iter()
        .map(|text| (text.as_str(), (text.len() % 4 == 0).then_some("is good")))
        .collect();
    let batch = tokenizer.encode_batch(&rows, 32).expect("encodings");
    assert_eq!(batch.len(), rows.len());
    for ((text, pair), encoding) in rows.iter().zip(&batch) {
        assert_eq!(*encoding, tokenizer.encode(text, *pair, 32).expect("ids"));
    }
    assert!(tokenizer.encode_batch(&rows, 2).is_err());
}

proptest! {
    #[test]
    fn offsets_slice_the_original_text(text in "\\PC{0,40}", pair in proptest::option::of("\\PC{0,40}"), max_length in 3_usize..40) {
        let encoding = tiny().encode(&text, pair.as_deref(), max_length).expect("an encoding");
        prop_assert!(encoding.len() <= max_length);
        for (&(start, end), sequence) in encoding.offsets.iter().zip(&encoding.sequence_ids) {
            let characters = match sequence {
                Some(0) => text.chars().count(),
                Some(_) => pair.as_deref().unwrap_or_default().chars().count(),
                None => 0,
            };
            prop_assert!(start <= end && end <= characters);
        }
        let lengths = [
            encoding.input_ids.len(), encoding.token_type_ids.len(), encoding.offsets.len(),
            encoding.word_ids.len(), encoding.sequence_ids.len(),
        ];
        prop_assert_eq!(lengths, [encoding.len(); 5]);
    }
}
