//! Which tokens are masked, how, and that it can be repeated.

use std::path::Path;

use bert_text::{
    MaskedBlock, Masker, MaskingError, MaskingOptions, TextBlocks, TextLayout, TextPieces,
    TokenBlock, Tokenizer,
};

use crate::{file, fixtures};

const IGNORED: i32 = -100;

fn tiny() -> Tokenizer {
    Tokenizer::from_dir(&fixtures().join("tiny")).expect("the tiny tokenizer")
}

fn masker(probability: f64, whole_word: bool) -> Masker {
    let options = MaskingOptions {
        probability,
        whole_word,
    };
    Masker::new(&tiny(), options).expect("a masker")
}

/// One block of this text, many times over.
fn block(text: &str, times: usize) -> TokenBlock {
    let text = text.repeat(times);
    let pieces = TextPieces::new(text.as_bytes(), Path::new("a text"));
    let mut read =
        TextBlocks::read(pieces, &tiny(), TextLayout::Grouped, usize::MAX).expect("a text");
    read.blocks.remove(0)
}

/// Whether a share of so many throws is within four standard deviations of what is expected.
fn is_near(found: usize, throws: usize, share: f64) -> bool {
    let throws = throws as f64;
    let deviation = (throws * share * (1.0 - share)).sqrt();
    (found as f64 - throws * share).abs() < 4.0 * deviation
}

#[test]
fn fifteen_percent_are_chosen_of_which_eighty_ten_and_ten_percent_are_masked_drawn_and_kept() {
    let block = block("the film was not very good . ", 10_000);
    let tokens = block.len() - 2;
    let found = masker(0.15, false).mask(&block, 1, 2, 3);
    let mask = tiny().mask_token_id().expect("a mask token");
    let (mut masked, mut kept, mut drawn) = (0, 0, 0);
    for ((&label, &seen), &id) in found
        .labels
        .iter()
        .zip(&found.input_ids)
        .zip(&block.input_ids)
    {
        if label == IGNORED {
            assert_eq!(seen, id, "a token that is not chosen has changed");
            continue;
        }
        assert_eq!(label, id.cast_signed(), "the label is not the true id");
        match seen {
            seen if seen == mask => masked += 1,
            seen if seen == id => kept += 1,
            _ => drawn += 1,
        }
    }
    let chosen = found.count();
    assert_eq!(chosen, masked + kept + drawn);
    assert!(is_near(chosen, tokens, 0.15), "{chosen} of {tokens}");
    // A token drawn from the vocabulary may be the mask token or the true one: one time in its size each.
    let vocabulary = tiny().vocab_size() as f64;
    assert!(
        is_near(masked, chosen, 0.8 + 0.1 / vocabulary),
        "{masked} of {chosen}"
    );
    assert!(
        is_near(kept, chosen, 0.1 + 0.1 / vocabulary),
        "{kept} of {chosen}"
    );
    assert!(
        is_near(drawn, chosen, 0.1 - 0.2 / vocabulary),
        "{drawn} of {chosen}"
    );
}

#[test]
fn drawn_tokens_are_of_the_whole_vocabulary() {
    let block = block("good ", 50_000);
    let found = masker(1.0, false).mask(&block, 1, 0, 0);
    let seen: std::collections::BTreeSet<u32> = found.input_ids.into_iter().collect();
    let all: std::collections::BTreeSet<u32> = (0..tiny().vocab_size() as u32).collect();
    assert_eq!(seen, all);
}

#[test]
fn special_tokens_are_never_chosen() {
    let block = block("good [MASK] zzz [SEP] bad [PAD] [CLS] film ", 3);
    let found = masker(1.0, false).mask(&block, 0, 0, 0);
    let special = tiny().special_token_ids();
    assert!(special.contains(&tiny().unk_token_id().expect("an unknown token")));
    for (label, id) in found.labels.iter().zip(&block.input_ids) {
        assert_eq!(*label == IGNORED, special.contains(id), "id {id}");
    }
    assert_eq!(found.count(), 9);
}

#[test]
fn whole_words_are_chosen_with_all_their_pieces() {
    let block = block("unaffable good playing ", 4_000);
    let found = masker(0.15, true).mask(&block, 5, 0, 0);
    let mut words: Vec<(Option<u32>, Vec<bool>)> = Vec::new();
    for (word, label) in block.word_ids.iter().zip(&found.labels) {
        let is_chosen = *label != IGNORED;
        match words.last_mut() {
            Some((last, chosen)) if last == word && word.is_some() => chosen.push(is_chosen),
            _ => words.push((*word, vec![is_chosen])),
        }
    }
    let words: Vec<Vec<bool>> = words
        .into_iter()
        .filter(|(word, _)| word.is_some())
        .map(|(_, chosen)| chosen)
        .collect();
    assert_eq!(words.len(), 12_000);
    for chosen in &words {
        assert!(chosen.iter().all(|one| one == &chosen[0]), "{chosen:?}");
    }
    let chosen = words.iter().filter(|chosen| chosen[0]).count();
    assert!(is_near(chosen, words.len(), 0.15), "{chosen}");
}

#[test]
fn without_the_option_the_pieces_of_a_word_are_chosen_each_for_itself() {
    let block = block("unaffable ", 1_000);
    let found = masker(0.5, false).mask(&block, 5, 0, 0);
    let words = found.labels[1..found.labels.len() - 1].chunks(3);
    let is_part = |word: &&[i32]| {
        let chosen = word.iter().filter(|label| **label != IGNORED).count();
        (1..3).contains(&chosen)
    };
    assert!(words.filter(is_part).count() > 500);
}

#[test]
fn a_mask_depends_on_seed_epoch_and_row_and_on_nothing_else() {
    let block = block("the film was not very good . ", 20);
    let masker = masker(0.15, false);
    let mask = |seed, epoch, row| masker.mask(&block, seed, epoch, row);
    let first: MaskedBlock = mask(1, 2, 3);
    assert_eq!(mask(1, 2, 3), first);
    for other in [
        mask(2, 2, 3),
        mask(1, 3, 3),
        mask(1, 2, 4),
        mask(3, 2, 1),
        mask(2, 1, 3),
    ] {
        assert_ne!(other, first);
    }
}

#[test]
fn a_vocabulary_without_mask_token_and_an_impossible_share_are_errors() {
    let (dir, _) = file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\ngood\n");
    let tokenizer = Tokenizer::from_dir(dir.path()).expect("a tokenizer");
    let error = Masker::new(&tokenizer, MaskingOptions::default()).unwrap_err();
    assert_eq!(error, MaskingError::NoMaskToken);
    for probability in [0.0, -0.1, 1.1, f64::NAN] {
        let options = MaskingOptions {
            probability,
            whole_word: false,
        };
        let error = Masker::new(&tiny(), options).unwrap_err();
        assert!(matches!(error, MaskingError::Probability { .. }), "{error}");
    }
}
