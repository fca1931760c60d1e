//! Files that contradict themselves, where the library that reads them would panic or allocate what they say.

use std::fs;
use std::path::Path;

use bert_text::{ColumnOptions, Dataset, Tokenizer};
use serde_json::{Value, json};

use crate::{assert_words, chain, write};

/// What an Arrow file is refused with that a fuzzer has found.
fn refusal(name: &str) -> String {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzzing/corpus/columnar");
    let input = fs::read(corpus.join(name)).expect("an input");
    let folder = tempfile::tempdir().expect("a folder");
    let content = input
        .strip_prefix(b">>> data.arrow\n")
        .expect("an Arrow file");
    write(folder.path(), "data.arrow", content);
    let path = folder.path().join("data.arrow");
    let refused = Dataset::read(&path, &ColumnOptions::default()).err();
    chain(&refused.expect("the file is refused"))
}

#[test]
fn an_arrow_buffer_beyond_its_file_is_an_error_that_names_the_file() {
    for name in ["buffer_beyond_1", "buffer_beyond_2", "buffer_beyond_3"] {
        assert_words(
            &refusal(name),
            &["data.arrow", "its buffer", "and its body has"],
        );
    }
}

/// Where no column is wanted, its reader gives as many empty rows as the message says.
#[test]
fn an_arrow_message_with_other_rows_than_its_columns_have_is_refused() {
    let words = [
        "data.arrow",
        "has 390842023938 rows, and its first column 2",
    ];
    assert_words(&refusal("rows_beyond"), &words);
}

#[test]
fn an_arrow_frame_beyond_its_file_is_refused_before_it_is_allocated() {
    assert_words(
        &refusal("body_beyond"),
        &["data.arrow", "more than there are"],
    );
}

fn tokenizer(changes: &[(&str, Value)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "a": 1},
        },
    });
    for (key, value) in changes {
        tokenizer[*key] = value.clone();
    }
    let config = json!({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"});
    write(folder.path(), "tokenizer.json", tokenizer.to_string());
    write(folder.path(), "tokenizer_config.json", config.to_string());
    let refused = match Tokenizer::from_dir(folder.path()) {
        Ok(tokenizer) => tokenizer.encode("a", None, 16).err(),
        Err(error) => Some(error),
    };
    chain(&refused.expect("the tokenizer or the text is refused"))
}

/// The table has two entries, and every text but an empty one looks beyond them.
#[test]
fn a_table_of_characters_that_leads_beyond_itself_is_an_error() {
    let table = json!({"type": "Precompiled", "precompiled_charsmap": "CAAAAP8BAAAHAAAAYQA="});
    let message = tokenizer(&[("normalizer", table)]);
    assert_words(
        &message,
        &["text starting with \"a\"", "contradicts itself"],
    );
}

#[test]
fn a_table_of_characters_that_says_it_is_longer_than_it_is_is_refused() {
    let table = json!({"type": "Precompiled", "precompiled_charsmap": "/////wEC"});
    let message = tokenizer(&[("normalizer", table)]);
    assert_words(&message, &["tokenizer.json", "4294967295 bytes"]);
}

#[test]
fn a_merge_that_is_shorter_than_the_prefix_of_its_model_is_an_error() {
    let model = json!({
        "type": "BPE", "dropout": null, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
        "vocab": {"[UNK]": 0, "a": 1, "b": 2, "ab": 3}, "merges": [["a", "b"]],
    });
    assert_words(
        &tokenizer(&[("model", model)]),
        &["tokenizer.json", "contradicts itself"],
    );
}
