//! Tokenizers that no file describes, settings that are none, and ids and types beyond the model's tables.

use std::path::Path;

use bert_text::{Tokenizer, TokenizerError};
use serde_json::{Value, json};
use tempfile::TempDir;

const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfilm\n[E1]\n";

/// A directory with a vocabulary and these files of JSON.
fn dir_with(files: &[(&str, Value)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("vocab.txt"), VOCAB).expect("written");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content.to_string()).expect("written");
    }
    dir
}

fn open(dir: &Path) -> Tokenizer {
    Tokenizer::from_dir(dir).expect("a tokenizer")
}

fn message(files: &[(&str, Value)]) -> String {
    let dir = dir_with(files);
    Tokenizer::from_dir(dir.path())
        .expect_err("a refusal")
        .to_string()
}

fn assert_says(files: &[(&str, Value)], parts: &[&str]) {
    let message = message(files);
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

#[test]
fn classes_that_run_code_or_a_dictionary_are_refused_by_name() {
    let refused = [
        json!({"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab", "do_lower_case": false}),
        json!({"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "sudachi"}),
        json!({"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "jumanpp", "subword_tokenizer_type": "sentencepiece"}),
        json!({"tokenizer_class": "BertJapaneseTokenizer", "subword_tokenizer_type": "character"}),
        json!({"tokenizer_class": "KoBertTokenizer"}),
        json!({"tokenizer_class": "PhobertTokenizer"}),
        json!({"tokenizer_class": "BertweetTokenizer"}),
        json!({"tokenizer_class": "MyTokenizerFast"}),
    ];
    for settings in refused {
        let values = settings.as_object().expect("an object");
        let values = values.iter().filter(|(_, value)| value.is_string());
        let parts: Vec<String> = values
            .map(|(key, value)| format!("`{key}` is {value}"))
            .chain(["tokenizer_config.json", "tokenizer.json"].map(str::to_owned))
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        assert_says(&[("tokenizer_config.json", settings.clone())], &parts);
    }
}

#[test]
fn a_class_that_config_json_names_is_refused_as_well() {
    let config = json!({"model_type": "bert", "tokenizer_class": "BertJapaneseTokenizer"});
    assert_says(
        &[("config.json", config)],
        &[
            "config.json",
            "`tokenizer_class` is \"BertJapaneseTokenizer\"",
        ],
    );
}

#[test]
fn a_dictionary_is_refused_where_no_class_is_named() {
    let dictionary = |key: &str, value: &str| json!({key: value});
    for (key, value) in [
        ("word_tokenizer_type", "mecab"),
        ("subword_tokenizer_type", "character"),
    ] {
        let settings = dictionary(key, value);
        let expected = format!("`{key}` is {value:?}");
        assert_says(&[("tokenizer_config.json", settings)], &[&expected]);
    }
    let plain = json!({"word_tokenizer_type": "basic", "subword_tokenizer_type": "wordpiece"});
    open(dir_with(&[("tokenizer_config.json", plain)]).path());
}

#[test]
fn custom_code_is_refused() {
    let code = [
        json!({"AutoTokenizer": ["tokenization_mine.MyTokenizer", null]}),
        json!({"AutoTokenizer": [null, "tokenization_mine.MyTokenizerFast"]}),
        json!(["tokenization_mine.MyTokenizer", null]),
    ];
    for auto_map in code {
        assert_says(
            &[("tokenizer_config.json", json!({"auto_map": auto_map}))],
            &["tokenizer_config.json", "`auto_map`", "tokenization_mine"],
        );
    }
    for harmless in [
        json!({"AutoProcessor": "x.Y"}),
        json!({"AutoTokenizer": [null, null]}),
    ] {
        open(dir_with(&[("tokenizer_config.json", json!({"auto_map": harmless}))]).path());
    }
}

#[test]
fn python_classes_are_refused_even_beside_tokenizer_json() {
    let settings = json!({"tokenizer_class": "BertJapaneseTokenizer"});
    assert_says(
        &[
            ("tokenizer_config.json", settings),
            ("tokenizer.json", json!({})),
        ],
        &["BertJapaneseTokenizer"],
    );
}

#[test]
fn a_directory_without_its_familys_files_says_which_they_are() {
    let files = [
        ("roberta", "tokenizer.json or vocab.json with merges.txt"),
        ("xlm-roberta", "tokenizer.json or sentencepiece.bpe.model"),
        ("camembert", "tokenizer.json or sentencepiece.bpe.model"),
        ("albert", "tokenizer.json or spiece.model"),
        ("deberta-v2", "tokenizer.json or spm.model"),
        ("modernbert", "expected tokenizer.json"),
    ];
    for (model_type, expected) in files {
        assert_says(
            &[("config.json", json!({"model_type": model_type}))],
            &[expected],
        );
    }
}

#[test]
fn damaged_vocabularies_of_every_kind_are_errors_that_name_the_file() {
    let damaged: [(&str, &str, &str); 5] = [
        ("roberta", "vocab.json", "{\"a\": "),
        ("roberta", "merges.txt", "a b c\n"),
        ("xlm-roberta", "sentencepiece.bpe.model", "\u{7f}\u{7f}"),
        ("albert", "spiece.model", ""),
        ("deberta-v2", "spm.model", "\u{a}\u{9}abc"),
    ];
    for (model_type, name, content) in damaged {
        let dir = dir_with(&[("config.json", json!({"model_type": model_type}))]);
        std::fs::write(
            dir.path().join("vocab.json"),
            r#"{"a": 0, "b": 1, "ab": 2}"#,
        )
        .expect("written");
        std::fs::write(dir.path().join("merges.txt"), "#version: 0.2\na b\n").expect("written");
        std::fs::write(dir.path().join(name), content).expect("written");
        let error = anyhow::Error::from(Tokenizer::from_dir(dir.path()).expect_err("a refusal"));
        let message = format!("{error:#}");
        assert!(message.contains(name), "{name} is not in {message}");
    }
}

#[test]
fn a_side_is_left_or_right() {
    for key in ["truncation_side", "padding_side"] {
        let settings = json!({key: "middle"});
        assert_says(
            &[("tokenizer_config.json", settings)],
            &["tokenizer_config.json", key, "\"middle\""],
        );
    }
}

#[test]
fn the_left_side_is_cut_of_texts_pairs_and_cut_firsts() {
    let dir = dir_with(&[("tokenizer_config.json", json!({"truncation_side": "left"}))]);
    let tokenizer = open(dir.path());
    let ids = |text, pair, length| {
        let found = tokenizer.encode(text, pair, length).expect("ids");
        (found.input_ids, found.truncated_tokens)
    };
    assert_eq!(ids("the the film", None, 4), (vec![2, 5, 6, 3], 1));
    assert_eq!(
        ids("the film", Some("film the"), 5),
        (vec![2, 6, 3, 5, 3], 2)
    );
    let first = tokenizer
        .encode_cutting_first("the film", "the", 5)
        .expect("ids");
    assert_eq!(first.input_ids, [2, 6, 3, 5, 3]);
}

#[test]
fn a_token_type_beyond_the_models_table_is_refused_where_it_is_needed() {
    let dir = dir_with(&[(
        "config.json",
        json!({"model_type": "bert", "type_vocab_size": 1}),
    )]);
    let tokenizer = open(dir.path());
    tokenizer.encode("the film", None, 8).expect("one type");
    let error = tokenizer
        .encode("the", Some("film"), 8)
        .expect_err("a refusal");
    assert!(matches!(
        error,
        TokenizerError::TokenType {
            token_type: 1,
            type_vocab_size: 1,
            ..
        }
    ));
    for part in ["config.json", "`type_vocab_size` is 1", "token type 1"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let windows = tokenizer.encode_windows("the", "film", 8, 0);
    assert!(matches!(windows, Err(TokenizerError::TokenType { .. })));
}

#[test]
fn families_without_segments_and_inputs_without_types_have_type_0_only() {
    let no_types = json!({"model_input_names": ["input_ids", "attention_mask"]});
    let dirs = [
        dir_with(&[("config.json", json!({"model_type": "distilbert"}))]),
        dir_with(&[
            (
                "config.json",
                json!({"model_type": "bert", "type_vocab_size": 1}),
            ),
            ("tokenizer_config.json", no_types),
        ]),
    ];
    for dir in dirs {
        let tokenizer = open(dir.path());
        assert!(!tokenizer.uses_token_types());
        let pair = tokenizer.encode("the", Some("film"), 8).expect("ids");
        assert_eq!(pair.token_type_ids, [0; 5]);
    }
    assert!(open(dir_with(&[]).path()).uses_token_types());
}

/// A tokenizer.json of words, whose template has ids and types of its own.
fn word_level(cls_id: u32, cls_type: u32) -> Value {
    let special = |id: u32, name: &str| json!({"id": name, "ids": [id], "tokens": [name]});
    let first = json!({"SpecialToken": {"id": "[CLS]", "type_id": cls_type}});
    let text = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
        "post_processor": {
            "type": "TemplateProcessing", "single": [first, text("A")], "pair": [first, text("A"), text("B")],
            "special_tokens": {"[CLS]": special(cls_id, "[CLS]")}
        },
        "model": {"type": "WordLevel", "vocab": {"the": 0, "film": 1, "[UNK]": 2}, "unk_token": "[UNK]"}
    })
}

fn saved(template: Value) -> TempDir {
    let settings = json!({
        "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]
    });
    dir_with(&[
        ("tokenizer.json", template),
        ("tokenizer_config.json", settings),
        (
            "config.json",
            json!({"model_type": "bert", "type_vocab_size": 2}),
        ),
    ])
}

#[test]
fn a_template_that_names_what_there_is_not_is_refused() {
    let mut no_token = word_level(2, 0);
    no_token["post_processor"]["special_tokens"] = json!({});
    let mut second_text = word_level(2, 0);
    second_text["post_processor"]["single"] = json!([{"Sequence": {"id": "B", "type_id": 0}}]);
    for template in [no_token, second_text] {
        let dir = saved(template);
        let error = Tokenizer::from_dir(dir.path()).expect_err("a refusal");
        let message = error.to_string();
        assert!(message.contains("tokenizer.json"), "{message}");
    }
}

#[test]
fn template_ids_and_types_beyond_the_tables_are_refused() {
    let dir = saved(word_level(9, 0));
    let tokenizer = open(dir.path());
    tokenizer.check_vocab(10).expect("ten rows");
    let error = tokenizer.check_vocab(9).expect_err("nine rows");
    assert!(matches!(
        error,
        TokenizerError::VocabMismatch { largest_id: 9, .. }
    ));

    let dir = saved(word_level(2, 2));
    let error = open(dir.path())
        .encode("the film", None, 8)
        .expect_err("a refusal");
    assert!(matches!(
        error,
        TokenizerError::TokenType { token_type: 2, .. }
    ));
    let dir = saved(word_level(2, 1));
    let ids = open(dir.path()).encode("the film x", None, 8).expect("ids");
    assert_eq!(
        (ids.input_ids, ids.token_type_ids),
        (vec![2, 0, 1, 2], vec![1, 0, 0, 0])
    );
}

#[test]
fn a_special_token_that_the_vocabulary_lacks_follows_it_and_needs_no_row() {
    let map = json!({"additional_special_tokens": ["[E2]"], "mask_token": "<mask>"});
    let tokenizer = open(dir_with(&[("special_tokens_map.json", map)]).path());
    tokenizer
        .check_vocab(8)
        .expect("the vocabulary alone has to fit");
    assert_eq!(tokenizer.mask_token_id(), None);
    let found = tokenizer.encode("[E2] <mask> the", None, 8).expect("ids");
    assert_eq!(found.input_ids, [2, 9, 8, 5, 3]);

    let map = json!({"mask_token": "<mask>"});
    let config = json!({"model_type": "bert", "vocab_size": 16});
    let dir = dir_with(&[("special_tokens_map.json", map), ("config.json", config)]);
    assert_eq!(
        open(dir.path()).mask_token_id(),
        Some(8),
        "a model with a row for it"
    );
}

#[test]
fn a_vocabulary_of_another_kind_than_the_class_has_stays_as_saved() {
    let config = json!({"model_type": "roberta"});
    let dir = dir_with(&[
        ("tokenizer.json", word_level(2, 0)),
        ("config.json", config),
    ]);
    let ids = open(dir.path())
        .encode("the film", Some("the"), 8)
        .expect("ids");
    assert_eq!(
        (ids.input_ids, ids.token_type_ids),
        (vec![2, 0, 1, 0], vec![0; 4])
    );
}

#[test]
fn an_added_token_needs_the_id_that_its_file_says() {
    let token = json!({"content": "[E2]", "special": true});
    let decoder = |id: &str| json!({"added_tokens_decoder": {id: token}});
    open(dir_with(&[("tokenizer_config.json", decoder("8"))]).path());
    assert_says(
        &[("tokenizer_config.json", decoder("11"))],
        &["tokenizer_config.json", "[E2]", "11"],
    );
    assert_says(
        &[("tokenizer_config.json", decoder("eight"))],
        &["tokenizer_config.json", "`eight`", "added_tokens_decoder"],
    );
    let known = json!({"added_tokens_decoder": {"3": {"content": "[E1]"}}});
    let tokenizer = open(dir_with(&[("tokenizer_config.json", known)]).path());
    let ids = tokenizer.encode("[E1]", None, 8).expect("ids").input_ids;
    assert_eq!(ids, [2, 7, 3], "the vocabulary's id wins");
}

#[test]
fn damaged_special_tokens_are_errors_that_name_the_file() {
    let damaged = [
        ("tokenizer_config.json", json!({"cls_token": 7})),
        (
            "tokenizer_config.json",
            json!({"extra_special_tokens": [7]}),
        ),
        (
            "tokenizer_config.json",
            json!({"added_tokens_decoder": {"1": "x"}}),
        ),
        (
            "special_tokens_map.json",
            json!({"additional_special_tokens": "x"}),
        ),
        (
            "special_tokens_map.json",
            json!({"mask_token": {"lstrip": true}}),
        ),
    ];
    for (name, content) in damaged {
        assert_says(&[(name, content)], &[name]);
    }
}
