//! Which tokens a masked language model has to predict, and what it sees in their place.

use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

use crate::{TokenBlock, Tokenizer};

/// The label of a token that is not to be predicted.
const IGNORED: i32 = -100;
/// Of the tokens to be predicted, the share that is seen as `[MASK]`, and the share that is seen as any token.
const MASKED_SHARE: f64 = 0.8;
const RANDOM_SHARE: f64 = 0.1;
/// Parts the random numbers of masking from others with the same seed.
const PURPOSE: u64 = u64::from_be_bytes(*b"masking ");

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskingOptions {
    /// Share of the tokens to be predicted, above 0 and at most 1.
    pub probability: f64,
    /// Choose whole words, all pieces of each.
    pub whole_word: bool,
}

/// BERT's own: 15 % of the tokens, each for itself.
impl Default for MaskingOptions {
    fn default() -> Self {
        Self {
            probability: 0.15,
            whole_word: false,
        }
    }
}

/// Why tokens cannot be masked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MaskingError {
    /// The vocabulary lacks the token that stands for a hidden one.
    #[error(
        "the vocabulary has no mask token, which masked language modelling needs; name the right one as `mask_token` in \
         tokenizer_config.json"
    )]
    NoMaskToken,
    /// A share that is none.
    #[error("the masking probability is {probability}; it must be above 0 and at most 1")]
    Probability {
        /// The value found.
        probability: f64,
    },
}

/// Masks tokens as transformers' `DataCollatorForLanguageModeling` does: each is chosen with the probability of the
/// options; of the chosen ones eight in ten are seen as `[MASK]`, one as a token drawn from the whole vocabulary, and one
/// as it is. Special tokens, `[UNK]` among them, are never chosen.
///
/// With whole words the pieces of a word are chosen together, and each is then seen as one of the three, as in Google's
/// code (recent versions of transformers show `[MASK]` for all of them).
#[derive(Debug, Clone, PartialEq)]
pub struct Masker {
    options: MaskingOptions,
    mask_token_id: u32,
    special_token_ids: Vec<u32>,
    vocab_size: u32,
}

/// A row as the model sees it, and what it should predict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedBlock {
    /// The ids, masked.
    pub input_ids: Vec<u32>,
    /// The true id of each token that is to be predicted, −100 for the others.
    pub labels: Vec<i32>,
}

impl MaskedBlock {
    /// Number of tokens to be predicted.
    pub fn count(&self) -> usize {
        self.labelled().count()
    }

    /// Place and true id of each token that is to be predicted.
    pub fn labelled(&self) -> impl Iterator<Item = (usize, u32)> {
        let labels = self.labels.iter().enumerate();
        labels
            .filter(|(_, label)| **label != IGNORED)
            .map(|(place, label)| (place, label.cast_unsigned()))
    }
}

impl Masker {
    /// For the vocabulary of a tokenizer.
    ///
    /// # Errors
    /// It has no mask token, or the probability is none.
    pub fn new(tokenizer: &Tokenizer, options: MaskingOptions) -> Result<Self, MaskingError> {
        let probability = options.probability;
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(MaskingError::Probability { probability });
        }
        Ok(Self {
            options,
            mask_token_id: tokenizer.mask_token_id().ok_or(MaskingError::NoMaskToken)?,
            special_token_ids: tokenizer.special_token_ids(),
            vocab_size: u32::try_from(tokenizer.vocab_size()).unwrap_or(u32::MAX),
        })
    }

    /// The options.
    pub fn options(&self) -> MaskingOptions {
        self.options
    }

    /// Whether a row has a token that may be chosen.
    pub fn can_mask(&self, block: &TokenBlock) -> bool {
        let mut ids = block.input_ids.iter();
        ids.any(|id| !self.special_token_ids.contains(id))
    }

    /// Masks a row. What is chosen depends on the row's tokens, the seed and the two counters alone, so that it is another
    /// choice in every epoch and the same one in a run that is repeated or resumed, whatever the batches.
    pub fn mask(&self, block: &TokenBlock, seed: u64, epoch: u64, row: u64) -> MaskedBlock {
        let mut random = generator(seed, epoch, row);
        let mut masked = MaskedBlock {
            input_ids: block.input_ids.clone(),
            labels: vec![IGNORED; block.len()],
        };
        let mut is_chosen = false;
        for index in 0..block.len() {
            if !(self.options.whole_word && continues_word(block, index)) {
                is_chosen = random.random_bool(self.options.probability);
            }
            let id = block.input_ids[index];
            if is_chosen && !self.special_token_ids.contains(&id) {
                masked.labels[index] = id.cast_signed();
                masked.input_ids[index] = self.seen_as(id, &mut random);
            }
        }
        masked
    }

    fn seen_as(&self, id: u32, random: &mut ChaCha12Rng) -> u32 {
        let share: f64 = random.random();
        if share < MASKED_SHARE {
            self.mask_token_id
        } else if share < MASKED_SHARE + RANDOM_SHARE {
            random.random_range(0..self.vocab_size)
        } else {
            id
        }
    }
}

/// The counters are the key, so that no two places of a run share their numbers.
fn generator(seed: u64, epoch: u64, row: u64) -> ChaCha12Rng {
    let mut key = [0; 32];
    for (bytes, counter) in key.chunks_exact_mut(8).zip([seed, epoch, row, PURPOSE]) {
        bytes.copy_from_slice(&counter.to_le_bytes());
    }
    ChaCha12Rng::from_seed(key)
}

fn continues_word(block: &TokenBlock, index: usize) -> bool {
    let word = block.word_ids[index];
    index > 0 && word.is_some() && block.word_ids[index - 1] == word
}
