//! What a question-answering model is asked, one question a line.

use serde::Deserialize;

use crate::predict_input::{InputColumns, PredictLine, Texts};

/// A question and the text, or texts, that may hold its answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QuestionInput {
    /// The question.
    pub question: String,
    /// Where to look.
    pub context: Contexts,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "`context` must be a string or a list of strings"
)]
pub enum Contexts {
    /// One.
    One(String),
    /// Several, of which one holds the answer.
    Several(Vec<String>),
}

impl Contexts {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(context) => std::slice::from_ref(context),
            Self::Several(contexts) => contexts,
        }
    }
}

impl PredictLine for QuestionInput {
    const KEYS: &'static str = "\"question\" and \"context\", a string or a list of strings";
    const COLUMNS: InputColumns = InputColumns {
        own: &["question", "context"],
        texts: Texts::None,
    };

    fn plain(_line: String) -> Option<Self> {
        None
    }
}
