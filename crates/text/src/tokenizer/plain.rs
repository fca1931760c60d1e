//! Text to tokens without special ones, and tokens back to text.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::{Tokenizer, TokenizerError, refused};
use crate::guard::guarded;

/// The tokens of a text without special ones. Both vectors have one entry a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    pub(crate) ids: Vec<u32>,
    /// Index of the word that the token is a piece of.
    pub(crate) word_ids: Vec<u32>,
}

impl Tokenizer {
    /// The ids as text: pieces joined, and the spaces before punctuation taken out where the tokenizer's decoder or
    /// `clean_up_tokenization_spaces` does so. `skip_special_tokens` leaves special tokens out.
    ///
    /// # Errors
    /// The tokenizer's decoder fails.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, TokenizerError> {
        let text = guarded(|| self.inner.decode(ids, skip_special_tokens))
            .unwrap_or_else(|panicked| Err(panicked.into()))
            .map_err(|source| TokenizerError::Decode { source })?;
        Ok(if self.cleans_up_spaces {
            cleaned_up(&text)
        } else {
            text
        })
    }

    /// The ids of all special tokens, those of no role included.
    pub fn special_token_ids(&self) -> Vec<u32> {
        self.ids.all.clone()
    }

    /// The tokens of many texts, on all cores; the order is kept.
    pub(crate) fn tokens_batch(&self, texts: &[&str]) -> Result<Vec<Tokens>, TokenizerError> {
        texts.par_iter().map(|text| self.tokens(text)).collect()
    }

    fn tokens(&self, text: &str) -> Result<Tokens, TokenizerError> {
        let encoding = guarded(|| {
            self.patterns.check(&self.inner, text)?;
            self.inner.encode(text, false)
        });
        let encoding = encoding
            .unwrap_or_else(|panicked| Err(panicked.into()))
            .map_err(|source| refused(text, source))?;
        Ok(Tokens {
            word_ids: numbered_words(encoding.get_word_ids()),
            ids: encoding.get_ids().to_vec(),
        })
    }
}

/// Without the spaces before punctuation and English contractions (`clean_up_tokenization`).
fn cleaned_up(text: &str) -> String {
    let replacements = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    replacements
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Numbers the words from 0. A token that is of no word, such as a special one that the text spells out, is one of its own.
fn numbered_words(words: &[Option<u32>]) -> Vec<u32> {
    let mut number = 0;
    let mut previous = None;
    let number_of = |word: &Option<u32>| {
        let continues = word.is_some() && previous == Some(*word);
        if previous.is_some() && !continues {
            number += 1;
        }
        previous = Some(*word);
        number
    };
    words.iter().map(number_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_share_a_number_and_tokens_of_no_word_have_their_own() {
        let words = [Some(0), Some(0), None, None, Some(1), Some(0), Some(0)];
        assert_eq!(numbered_words(&words), [0, 0, 1, 2, 3, 4, 4]);
        assert!(numbered_words(&[]).is_empty());
    }
}
