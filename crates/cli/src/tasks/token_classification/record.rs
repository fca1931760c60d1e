//! The JSON object of one prediction, and how its entities are made.

use bert_tasks::token_classification::Prediction;
use bert_tasks::token_classification::head::aggregation::{Aggregation, Entity};
use clap::ValueEnum;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AggregationWord {
    /// Every sub-token that is not O is listed, with its "entity" and "index"
    None,
    /// Neighbouring sub-tokens of one type are an entity
    Simple,
    /// As simple, but a word has the tag of its first sub-token
    First,
    /// As simple, but the scores of a word are the mean of those of its sub-tokens
    Average,
    /// As simple, but a word has the tag of its sub-token with the highest score
    Max,
}

impl AggregationWord {
    pub(crate) fn aggregation(self) -> Aggregation {
        match self {
            Self::None => Aggregation::None,
            Self::Simple => Aggregation::Simple,
            Self::First => Aggregation::First,
            Self::Average => Aggregation::Average,
            Self::Max => Aggregation::Max,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    entities: Vec<Entity>,
    /// Of each sub-token, in id order.
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'a [Vec<f32>]>,
    /// Of each sub-token, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    offsets: Option<&'a [(usize, usize)]>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(entities: Vec<Entity>) -> Self {
        Self {
            entities,
            logits: None,
            offsets: None,
        }
    }

    pub(crate) fn with_logits(self, prediction: &'a Prediction) -> Self {
        Self {
            logits: Some(&prediction.logits),
            offsets: Some(&prediction.pieces.offsets),
            ..self
        }
    }
}
