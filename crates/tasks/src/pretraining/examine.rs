//! What single predictions of masked tokens and of pairs tell.

use bert_kernels::{cross_entropy, softmax};
use bert_report::{Examination, Reliability, WorstExample, worst};
use bert_text::Tokenizer;
use serde::{Deserialize, Serialize};

use super::Split;
use super::evaluate::TokenPrediction;
use super::predict::PairPrediction;
use crate::examine::{confidence, place};

/// Rows whose masked tokens are looked at. The logits of a token are a vocabulary wide, so all rows would cost as much as
/// the evaluation itself.
const ROWS: usize = 128;

/// What the logits of a masked token tell.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct TokenDetail {
    row: usize,
    loss: f64,
    confidence: f64,
}

/// Whether a row is one of those that are looked at, which are evenly spread.
pub(super) fn is_sampled(row: usize, rows: usize) -> bool {
    row.is_multiple_of(rows.div_ceil(ROWS).max(1))
}

impl TokenDetail {
    pub(super) fn new(row: usize, logits: &[f32], reference: u32) -> Self {
        Self {
            row,
            loss: cross_entropy(logits, reference as usize),
            confidence: confidence(logits),
        }
    }
}

/// Examines masked tokens: `tokens` in the order of the data, `details` those of the sampled rows in any.
pub(super) fn of_tokens(
    tokens: &[TokenPrediction],
    details: &[TokenDetail],
    split: &Split,
    tokenizer: &Tokenizer,
) -> Examination {
    let mut sums = std::collections::BTreeMap::<usize, (f64, f64)>::new();
    for detail in details {
        let (sum, count) = sums.entry(detail.row).or_default();
        *sum += detail.loss;
        *count += 1.0;
    }
    let rows: Vec<usize> = sums.keys().copied().collect();
    let losses: Vec<f64> = sums.values().map(|(sum, count)| sum / count).collect();
    let text_of = |ids: &[u32]| tokenizer.decode(ids, true).unwrap_or_default();
    let listed = |row: usize, pick: fn(&TokenPrediction) -> u32| -> String {
        let of_row = tokens.iter().filter(|one| one.row == row);
        let words: Vec<String> = of_row.map(|one| text_of(&[pick(one)])).collect();
        words.join(" · ")
    };
    Examination {
        reliability: reliability(tokens, details),
        worst: worst(&losses, |index| {
            let row = rows[index];
            WorstExample {
                place: place(&split.path, "row", row + 1),
                text: text_of(&split.rows[row].input_ids),
                reference: listed(row, |one| one.reference),
                prediction: listed(row, |one| one.token),
                ..WorstExample::default()
            }
        }),
        ..Examination::default()
    }
}

/// The details of a row are in the order of its tokens, as the predictions are.
fn reliability(tokens: &[TokenPrediction], details: &[TokenDetail]) -> Option<Reliability> {
    let mut details = details.to_vec();
    details.sort_by_key(|detail| detail.row);
    let mut details = details.into_iter().peekable();
    let sure = tokens.iter().filter_map(|token| {
        let detail = details.next_if(|detail| detail.row == token.row)?;
        Some((detail.confidence, token.token == token.reference))
    });
    Reliability::of("token", sure)
}

/// Examines pairs of sentences in the order of the data.
pub(super) fn of_pairs(
    pairs: &[PairPrediction],
    split: &Split,
    tokenizer: &Tokenizer,
) -> Examination {
    const NAMES: [&str; 2] = ["follows", "does not follow"];
    let class = |pair: &PairPrediction| usize::from(!pair.is_next());
    let references: Vec<usize> = split
        .next_sentence
        .iter()
        .map(|&one| one as usize)
        .collect();
    let predicted: Vec<usize> = pairs.iter().map(class).collect();
    let losses: Vec<f64> = pairs
        .iter()
        .zip(&references)
        .map(|(pair, &reference)| cross_entropy(&pair.logits, reference))
        .collect();
    let sure = pairs.iter().map(|pair| confidence(&pair.logits));
    let right = predicted
        .iter()
        .zip(&references)
        .map(|(one, other)| one == other);
    let segment = |row: usize, segment: u32| {
        let block = &split.rows[row];
        let ids = block.input_ids.iter().zip(&block.token_type_ids);
        let ids: Vec<u32> = ids
            .filter(|(_, own)| **own == segment)
            .map(|(&id, _)| id)
            .collect();
        tokenizer.decode(&ids, true).unwrap_or_default()
    };
    Examination {
        labels: NAMES.map(str::to_owned).to_vec(),
        confusion: Examination::count_confusion(&references, &predicted, NAMES.len()),
        reliability: Reliability::of("prediction", sure.zip(right)),
        worst: worst(&losses, |row| WorstExample {
            place: place(&split.path, "pair", row + 1),
            text: segment(row, 0),
            text_pair: Some(segment(row, 1)).filter(|text| !text.is_empty()),
            reference: NAMES[references[row]].to_owned(),
            prediction: NAMES[predicted[row]].to_owned(),
            confidence: softmax(&pairs[row].logits)
                .into_iter()
                .reduce(f32::max)
                .map(f64::from),
            ..WorstExample::default()
        }),
        ..Examination::default()
    }
}
