//! What a model is asked about, one input a line.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{InputColumns, Texts};

/// One input of a prediction, read from a line of its own: a JSON object, or for some tasks plain text.
pub trait PredictLine: DeserializeOwned {
    /// The object's keys, for messages.
    const KEYS: &'static str;

    /// The columns that it is read from in a file of rows.
    const COLUMNS: InputColumns;

    /// What a line means that is no JSON object; `None` when the task needs an object.
    fn plain(line: String) -> Option<Self>;
}

/// A text or pair of texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PredictInput {
    /// The text, or the first of a pair.
    pub text: String,
    /// The second text of a pair.
    #[serde(default)]
    pub text_pair: Option<String>,
}

impl PredictLine for PredictInput {
    const KEYS: &'static str = "\"text\" and optionally \"text_pair\"";
    const COLUMNS: InputColumns = InputColumns::texts(Texts::OneOrTwo);

    fn plain(text: String) -> Option<Self> {
        Some(Self {
            text,
            text_pair: None,
        })
    }
}

/// A text, or a text that somebody has split into words already.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TextOrTokens")]
pub enum TokensInput {
    /// A text.
    Text(String),
    /// Its words.
    Tokens(Vec<String>),
}

#[derive(Deserialize)]
struct TextOrTokens {
    text: Option<String>,
    tokens: Option<Vec<String>>,
}

impl TryFrom<TextOrTokens> for TokensInput {
    type Error = &'static str;

    fn try_from(input: TextOrTokens) -> Result<Self, Self::Error> {
        match (input.text, input.tokens) {
            (Some(text), None) => Ok(Self::Text(text)),
            (None, Some(tokens)) => Ok(Self::Tokens(tokens)),
            (Some(_), Some(_)) => Err("both \"text\" and \"tokens\" are given; give one of them"),
            (None, None) => Err("neither \"text\" nor \"tokens\" is given"),
        }
    }
}

impl PredictLine for TokensInput {
    const KEYS: &'static str = "\"text\", or \"tokens\", a list of strings";
    const COLUMNS: InputColumns = InputColumns {
        own: &["tokens"],
        texts: Texts::One,
    };

    fn plain(text: String) -> Option<Self> {
        Some(Self::Text(text))
    }
}

/// A pair of texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PairInput {
    /// The first text.
    pub text: String,
    /// The second.
    pub text_pair: String,
}

impl PredictLine for PairInput {
    const KEYS: &'static str = "\"text\" and \"text_pair\"";
    const COLUMNS: InputColumns = InputColumns::texts(Texts::Two);

    fn plain(_line: String) -> Option<Self> {
        None
    }
}
