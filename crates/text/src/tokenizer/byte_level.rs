//! RoBERTa's tokenizer: byte pairs.

use std::collections::HashMap;

use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{Result, Tokenizer};

use super::settings::Settings;

/// Of the bytes of `vocab.json` and `merges.txt`.
pub(super) fn from_vocab(vocab: &[u8], merges: &[u8], settings: &Settings) -> Result<Tokenizer> {
    let vocab: HashMap<String, u32> = serde_json::from_slice(vocab)?;
    let merges = str::from_utf8(merges)?
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with("#version") && !line.is_empty())
        .map(|(index, line)| pair(line).ok_or_else(|| bad_line(index, line)))
        .collect::<Result<Vec<_>>>()?;
    let vocab = vocab.into_iter().collect::<Vocab>();
    let model = BPE::builder().vocab_and_merges(vocab, merges).build()?;
    of_model(model, settings)
}

/// The map that the library's models take.
type Vocab = tokenizers::models::bpe::Vocab;

fn pair(line: &str) -> Option<(String, String)> {
    let (left, right) = line.split_once(' ')?;
    let is_pair = !left.is_empty() && !right.is_empty() && !right.contains(' ');
    is_pair.then(|| (left.to_owned(), right.to_owned()))
}

fn bad_line(index: usize, line: &str) -> tokenizers::Error {
    let number = index + 1;
    format!("merges.txt, line {number}: {line:?} is not two tokens with a space between").into()
}

/// Of a model, of which the vocabulary and the merges count.
pub(super) fn of_model(mut model: BPE, settings: &Settings) -> Result<Tokenizer> {
    model.dropout = None;
    model.unk_token = None;
    model.fuse_unk = false;
    model.byte_fallback = false;
    model.ignore_merges = false;
    let add_prefix_space = settings.add_prefix_space.unwrap_or(false);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_pre_tokenizer(Some(
            ByteLevel::default().add_prefix_space(add_prefix_space),
        ))
        .with_decoder(Some(ByteLevel::default()));
    Ok(tokenizer)
}
