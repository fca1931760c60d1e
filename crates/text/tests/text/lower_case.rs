//! The step that makes texts lower-case, in front of what a checkpoint's tokenizer does.

use bert_text::Tokenizer;

use crate::fixtures;

/// A tokenizer with the tiny vocabulary that keeps case.
fn cased() -> Tokenizer {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let vocab = fixtures().join("tiny/vocab.txt");
    std::fs::copy(vocab, dir.path().join("vocab.txt")).expect("a copy");
    let settings = r#"{"do_lower_case": false}"#;
    std::fs::write(dir.path().join("tokenizer_config.json"), settings).expect("the settings");
    Tokenizer::from_dir(dir.path()).expect("a tokenizer")
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text, None, 64).expect("tokens").input_ids
}

#[test]
fn texts_become_lower_case_and_special_tokens_stay() {
    let cased = cased();
    let lower = cased.clone().lower_casing().expect("a step more");
    let (text, shouted) = ("the movie [MASK] good", "The MOVIE [MASK] gOOd");
    assert_eq!(ids(&lower, shouted), ids(&cased, text));
    assert_ne!(ids(&cased, shouted), ids(&cased, text));
    assert!(ids(&lower, shouted).contains(&lower.mask_token_id().expect("[MASK]")));
}

#[test]
fn the_step_is_there_once() {
    let once = cased().lower_casing().expect("a step more");
    let twice = once.clone().lower_casing().expect("the same");
    assert!(twice.is_same_as(&once));
    assert!(!once.is_same_as(&cased()));
}
