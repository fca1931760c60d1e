//! From the scores of sub-tokens to entities: what transformers' `TokenClassificationPipeline` does after its model.
//!
//! Results are those of the pipeline, entry by entry, for BIO labels. Labels of IOBES and BILOU, which the pipeline does
//! not know, are grouped as the BIO tags that they stand for.

use serde::Serialize;

use crate::tags::{parse, plain};
use crate::transitions::{Transitions, best_label};

/// How sub-tokens become entities; the words are the pipeline's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Every sub-token that is not `O` is a result of its own.
    None,
    /// Neighbouring sub-tokens of one type are an entity.
    Simple,
    /// As simple, over words: a word has the label of its first sub-token.
    First,
    /// As simple, over words: the scores of a word are the mean of its sub-tokens'.
    Average,
    /// As simple, over words: a word has the label of its sub-token with the highest score.
    Max,
}

/// A sub-token with its scores.
#[derive(Debug, Clone, PartialEq)]
pub struct SubToken {
    /// As the vocabulary has it (`##ing`), or the text itself where the vocabulary has no token for it.
    pub word: String,
    /// The probability of each label, in id order.
    pub scores: Vec<f32>,
    /// First character in the text.
    pub start: usize,
    /// Character after the last.
    pub end: usize,
    /// Position in the sequence, the special token before the first counted.
    pub index: usize,
    /// Whether it continues the word of the one before it.
    pub is_subword: bool,
}

/// A result, with the field names of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entity {
    /// The label; [`Aggregation::None`] alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// The type; all strategies but [`Aggregation::None`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_group: Option<String>,
    /// The probability of the label; of several tokens, their mean.
    pub score: f32,
    /// Position of the sub-token in the sequence; [`Aggregation::None`] alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its tokens as the tokenizer joins them.
    pub word: String,
    /// First character in the text.
    pub start: usize,
    /// Character after the last.
    pub end: usize,
}

/// What gets one label: a sub-token or a word.
struct Unit {
    scores: Vec<f32>,
    word: String,
    start: usize,
    end: usize,
    index: usize,
}

/// A unit with its label.
struct Labelled<'a> {
    unit: &'a Unit,
    label: &'a str,
    score: f32,
}

/// The entities of a text whose sub-tokens are given in order, special tokens left out. What is labelled `O` is left out.
///
/// With `transitions` the labels are the best allowed sequence instead of the best label of each token or word. `join`
/// turns tokens into text, as the tokenizer's decoder does.
///
/// # Panics
///
/// Rows of scores that have not one entry for each label.
pub fn entities(
    sub_tokens: Vec<SubToken>,
    labels: &[String],
    aggregation: Aggregation,
    transitions: Option<&Transitions>,
    join: &dyn Fn(&[&str]) -> String,
) -> Vec<Entity> {
    let units: Vec<Unit> = match aggregation {
        Aggregation::None | Aggregation::Simple => sub_tokens.into_iter().map(Unit::of).collect(),
        _ => words(&sub_tokens)
            .map(|word| Unit::of_word(word, aggregation, join))
            .collect(),
    };
    let rows: Vec<&[f32]> = units.iter().map(|unit| unit.scores.as_slice()).collect();
    let ids: Vec<usize> = match transitions {
        Some(transitions) => transitions.decode(&rows),
        None => rows.iter().map(|row| best_label(row)).collect(),
    };
    let labelled: Vec<Labelled<'_>> = units
        .iter()
        .zip(ids)
        .map(|(unit, id)| Labelled {
            unit,
            label: &labels[id],
            score: unit.scores[id],
        })
        .collect();
    let found = match aggregation {
        Aggregation::None => labelled.iter().map(Labelled::alone).collect(),
        _ => groups(&labelled, join),
    };
    let is_kept = |entity: &Entity| {
        entity.entity.as_deref() != Some("O") && entity.entity_group.as_deref() != Some("O")
    };
    found.into_iter().filter(is_kept).collect()
}

/// Runs of sub-tokens of one word.
fn words(sub_tokens: &[SubToken]) -> impl Iterator<Item = &[SubToken]> {
    sub_tokens.chunk_by(|_, next| next.is_subword)
}

impl Unit {
    fn of(token: SubToken) -> Self {
        Self {
            scores: token.scores,
            word: token.word,
            start: token.start,
            end: token.end,
            index: token.index,
        }
    }

    fn of_word(
        tokens: &[SubToken],
        aggregation: Aggregation,
        join: &dyn Fn(&[&str]) -> String,
    ) -> Self {
        let (first, last) = (&tokens[0], &tokens[tokens.len() - 1]);
        let scores = match aggregation {
            Aggregation::Average => mean_scores(tokens),
            Aggregation::Max => highest_scores(tokens).to_vec(),
            Aggregation::First | Aggregation::None | Aggregation::Simple => first.scores.clone(),
        };
        let pieces: Vec<&str> = tokens.iter().map(|token| token.word.as_str()).collect();
        Self {
            scores,
            word: join(&pieces),
            start: first.start,
            end: last.end,
            index: first.index,
        }
    }
}

fn mean_scores(tokens: &[SubToken]) -> Vec<f32> {
    let column = |label: usize| tokens.iter().map(move |token| token.scores[label]);
    (0..tokens[0].scores.len())
        .map(|label| mean(column(label)))
        .collect()
}

/// The scores of the first sub-token that has the highest score of all.
fn highest_scores(tokens: &[SubToken]) -> &[f32] {
    let highest = |token: &SubToken| token.scores.iter().copied().fold(f32::MIN, f32::max);
    let best = tokens.iter().reduce(|best, token| {
        if highest(token) > highest(best) {
            token
        } else {
            best
        }
    });
    best.map_or(&[], |token| &token.scores)
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| {
        (sum + f64::from(value), count + 1.0)
    });
    (sum / count) as f32
}

impl Labelled<'_> {
    fn alone(&self) -> Entity {
        Entity {
            entity: Some(self.label.to_owned()),
            entity_group: None,
            score: self.score,
            index: Some(self.unit.index),
            word: self.unit.word.clone(),
            start: self.unit.start,
            end: self.unit.end,
        }
    }

    /// Whether it begins an entity, and the type; a label that is no entity tag continues its like (`get_tag`).
    fn place(&self) -> (bool, &str) {
        match parse(self.label) {
            Some((prefix, kind)) if !kind.is_empty() => (matches!(plain(prefix), 'B' | 'S'), kind),
            _ => (false, self.label),
        }
    }
}

/// Neighbours of one type (`group_entities`).
fn groups(labelled: &[Labelled<'_>], join: &dyn Fn(&[&str]) -> String) -> Vec<Entity> {
    labelled
        .chunk_by(|one, next| {
            let (begins, kind) = next.place();
            !begins && kind == one.place().1
        })
        .map(|group| {
            let words: Vec<&str> = group.iter().map(|one| one.unit.word.as_str()).collect();
            let label = group[0].label;
            Entity {
                entity: None,
                entity_group: Some(
                    label
                        .split_once('-')
                        .map_or(label, |(_, kind)| kind)
                        .to_owned(),
                ),
                score: mean(group.iter().map(|one| one.score)),
                index: None,
                word: join(&words),
                start: group[0].unit.start,
                end: group[group.len() - 1].unit.end,
            }
        })
        .collect()
}
