//! Texts that are longer than the model's sequence: which tokens a classifier reads, and what becomes of several windows.

mod config;
mod documents;
mod pool;

use bert_text::{Encoding, TokenizerError};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

pub(crate) use config::{KEY, Saved};
pub use documents::Documents;

use crate::{Pretrained, TaskError};

/// What a classifier reads of a text that is longer than [`Pretrained::max_length`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case")]
pub enum LongText {
    /// Its beginning, or its end where the tokenizer truncates on the left.
    #[default]
    Truncate,
    /// Its beginning and its end, a quarter and three quarters of the tokens.
    HeadTail,
    /// All of it, in windows. What the model says of each becomes one answer.
    Windows {
        /// Tokens that neighbouring windows share; `None` for a quarter of a window.
        stride: Option<usize>,
        /// How the windows' logits become those of the text.
        pool: WindowPool,
    },
}

/// How the logits of a text's windows become those of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowPool {
    /// The mean of each logit.
    #[default]
    Mean,
    /// The highest value of each logit.
    Max,
}

impl LongText {
    /// How windows become one answer. The other strategies have one window a text, of which either pool makes the same.
    pub(crate) fn pool(self) -> WindowPool {
        match self {
            Self::Windows { pool, .. } => pool,
            Self::Truncate | Self::HeadTail => WindowPool::Mean,
        }
    }

    /// The same with a stride that is a number.
    pub(crate) fn resolved(self, max_length: usize) -> Self {
        match self {
            Self::Windows { stride: None, pool } => Self::Windows {
                stride: Some(default_stride(max_length)),
                pool,
            },
            other => other,
        }
    }
}

/// A quarter of a window: the 50 tokens of 200 of Pappagari et al. (2019), "Hierarchical Transformers for Long Document
/// Classification".
fn default_stride(max_length: usize) -> usize {
    max_length / 4
}

impl Pretrained {
    /// Tokenizes texts and pairs of any length.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or windows would share all that they have of a text.
    pub fn encode_long(
        &self,
        texts: &[(&str, Option<&str>)],
        long_text: LongText,
    ) -> Result<Documents, TaskError> {
        let (tokenizer, max_length) = (&self.tokenizer, self.max_length);
        match long_text {
            LongText::Truncate => Ok(self.encode(texts)?.into()),
            LongText::HeadTail => {
                let encode = |(text, pair): &(&str, Option<&str>)| {
                    tokenizer.encode_head_tail(text, *pair, max_length)
                };
                let encodings: Result<Vec<Encoding>, TokenizerError> =
                    texts.par_iter().map(encode).collect();
                Ok(encodings?.into())
            }
            LongText::Windows { stride, .. } => {
                let stride = stride.unwrap_or_else(|| default_stride(max_length));
                let encode = |(text, pair): &(&str, Option<&str>)| {
                    tokenizer.encode_document(text, *pair, max_length, stride)
                };
                let windows: Result<Vec<Vec<Encoding>>, TokenizerError> =
                    texts.par_iter().map(encode).collect();
                Ok(Documents::of_windows(windows?))
            }
        }
    }
}
