//! Prediction inputs of natural-language inference and of zero-shot classification.

use serde::Deserialize;

use super::{InputColumns, PredictLine, Texts};

/// A premise and a hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InferenceInput {
    /// What is given.
    #[serde(alias = "text")]
    pub premise: String,
    /// What may follow from it.
    #[serde(alias = "text_pair")]
    pub hypothesis: String,
}

impl PredictLine for InferenceInput {
    const KEYS: &'static str = "\"premise\" and \"hypothesis\" (or \"text\" and \"text_pair\")";
    const COLUMNS: InputColumns = InputColumns::texts(Texts::Two);

    fn plain(_: String) -> Option<Self> {
        None
    }
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SequenceInput {
    /// The text.
    #[serde(alias = "text")]
    pub sequence: String,
}

impl PredictLine for SequenceInput {
    const KEYS: &'static str = "\"sequence\" (or \"text\")";
    const COLUMNS: InputColumns = InputColumns {
        own: &["sequence"],
        texts: Texts::One,
    };

    fn plain(sequence: String) -> Option<Self> {
        Some(Self { sequence })
    }
}
