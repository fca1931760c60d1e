//! Regular expressions of tokenizer.json that take exponential time.

use bert_text::{Tokenizer, TokenizerError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{assert_words, chain, write};

/// A tokenizer whose normalisers and pre-tokenizers are given.
fn tokenizer(normalizer: Value, pre_tokenizer: Value) -> (TempDir, Tokenizer) {
    let (folder, tokenizer) = read(normalizer, pre_tokenizer);
    (folder, tokenizer.expect("a tokenizer"))
}

fn read(normalizer: Value, pre_tokenizer: Value) -> (TempDir, Result<Tokenizer, TokenizerError>) {
    let folder = tempfile::tempdir().expect("a folder");
    let vocab = json!({"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "##a": 5, "b": 6});
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab,
        },
    });
    let config = json!({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"});
    write(folder.path(), "tokenizer.json", tokenizer.to_string());
    write(folder.path(), "tokenizer_config.json", config.to_string());
    let tokenizer = Tokenizer::from_dir(folder.path());
    (folder, tokenizer)
}

/// Every `a` is matched in two ways, and none of the 2⁴⁰ together is followed by `c`.
const EXPONENTIAL: &str = "(?:a|a)*(?!a)c";

fn split(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
}

#[test]
fn an_expression_that_gives_up_in_a_text_is_an_error_by_every_way_to_tokens() {
    let sequence = json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, split(EXPONENTIAL)]});
    let replace = json!({"type": "Replace", "pattern": {"Regex": EXPONENTIAL}, "content": "b"});
    let normalizers = json!({"type": "Sequence", "normalizers": [{"type": "Lowercase"}, replace]});
    let text = "A".repeat(40);
    let small = text.to_lowercase();
    for (normalizer, pre_tokenizer, text) in [
        (json!(null), split(EXPONENTIAL), &small),
        (json!(null), sequence, &small),
        (normalizers, json!({"type": "WhitespaceSplit"}), &text),
    ] {
        let (_folder, tokenizer) = tokenizer(normalizer, pre_tokenizer);
        let context = format!("b {text}");
        let failures = [
            tokenizer.encode(text, None, 16).err(),
            tokenizer.encode("b", Some(&context), 16).err(),
            tokenizer.encode_windows("b", &context, 16, 2).err(),
            tokenizer.pieces(text).err(),
            tokenizer.word_pieces(&["b", text]).err(),
        ];
        for failure in failures {
            let message = chain(&failure.expect("the text is refused"));
            assert_words(&message, &["tokenizer.json", EXPONENTIAL, "steps back"]);
        }
        // Where no expression gives up, nothing changes.
        let encoding = tokenizer.encode("b", None, 16).expect("tokens");
        assert_eq!(encoding.input_ids, [6]);
    }
}

#[test]
fn replacements_that_multiply_are_refused_when_the_tokenizer_is_read() {
    let replace = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
    let steps = json!({"type": "Sequence", "normalizers": vec![replace; 40]});
    let (_folder, refused) = read(steps, json!(null));
    let message = chain(&refused.expect_err("2⁴⁰ times the text"));
    assert_words(&message, &["tokenizer.json", "1099511627776 times as long"]);
}

#[test]
fn an_expression_without_steps_back_matches_texts_of_any_length() {
    let (_folder, tokenizer) = tokenizer(json!(null), split("(?:a|a)*b"));
    let text = "a".repeat(100_000);
    tokenizer.encode(&text, None, 16).expect("tokens");
}
