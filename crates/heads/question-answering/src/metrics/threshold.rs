//! The threshold between an answer and none that would have been best, as the script of SQuAD 2.0 searches it.

use serde::Serialize;

use super::answer::{QuestionScore, SquadVersion, score_answer};
use super::{MetricsError, check_paired};
use crate::decode::ordered;

/// The best figures that a threshold on the null difference reaches, in percent, and the thresholds: a question is left
/// unanswered when its difference is above.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BestThresholds {
    /// Best `exact`.
    pub best_exact: f64,
    /// Where.
    pub best_exact_thresh: f32,
    /// Best `f1`.
    pub best_f1: f64,
    /// Where.
    pub best_f1_thresh: f32,
}

/// Searches the thresholds. `predictions` are the best spans, as if every question had an answer, and `null_differences`
/// how much better no answer scores than each ([`Decoded::null_difference`](crate::Decoded::null_difference)).
///
/// The figures are those of the official script for these predictions and differences, and so are the thresholds, but
/// where nothing is best left unanswered: there the script says 0, which is right of probabilities alone; here it is a
/// threshold below every difference, if 0 is not. As there, questions of equal differences are taken one by one, so a best
/// figure can be one that no threshold reaches.
///
/// # Errors
/// Unequal lengths, or no questions.
pub fn best_thresholds<S: AsRef<str>>(
    predictions: &[&str],
    null_differences: &[f32],
    references: &[Vec<S>],
) -> Result<BestThresholds, MetricsError> {
    check_paired("answers", predictions.len(), references.len())?;
    check_paired("null differences", null_differences.len(), references.len())?;
    let scores: Vec<QuestionScore> = predictions
        .iter()
        .zip(references)
        .map(|(prediction, right)| score_answer(prediction, right, SquadVersion::V2))
        .collect();
    let mut order: Vec<usize> = (0..predictions.len()).collect();
    let difference = |index: usize| ordered(null_differences[index]);
    order.sort_by(|&one, &other| difference(one).total_cmp(&difference(other)));
    let search = |figure: fn(&QuestionScore) -> f64| {
        let gains = order.iter().map(|&index| {
            let gain = match (references[index].is_empty(), predictions[index]) {
                (false, _) => figure(&scores[index]),
                (true, "") => 0.0,
                (true, _) => -1.0,
            };
            (gain, null_differences[index])
        });
        let unanswerable = references.iter().filter(|right| right.is_empty()).count();
        best(unanswerable as f64, gains)
    };
    let percent = |score: f64| 100.0 * score / predictions.len() as f64;
    let (exact, best_exact_thresh) = search(|score| score.exact);
    let (f1, best_f1_thresh) = search(|score| score.f1);
    Ok(BestThresholds {
        best_exact: percent(exact),
        best_exact_thresh,
        best_f1: percent(f1),
        best_f1_thresh,
    })
}

/// The highest running sum from `start` on, and the difference up to which it goes.
fn best(start: f64, gains: impl Iterator<Item = (f64, f32)>) -> (f64, f32) {
    let (mut sum, mut lowest) = (start, None);
    let mut best = (start, None);
    for (gain, difference) in gains {
        lowest.get_or_insert(difference);
        sum += gain;
        if sum > best.0 {
            best = (sum, Some(difference));
        }
    }
    let below_all = lowest.unwrap_or(0.0_f32).next_down().min(0.0);
    (best.0, best.1.unwrap_or(below_all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_lies_at_the_last_question_worth_answering() {
        let references = [vec!["yes"], vec![], vec!["right"], vec![]];
        let predictions = ["yes", "no", "right", "never"];
        let found = best_thresholds(&predictions, &[-3.0, 2.0, 1.0, 4.0], &references).unwrap();
        assert_eq!((found.best_exact, found.best_exact_thresh), (100.0, 1.0));
        assert_eq!((found.best_f1, found.best_f1_thresh), (100.0, 1.0));
    }

    #[test]
    fn both_zeros_are_equal_differences_and_keep_the_order_of_the_data() {
        let references = [vec![], vec!["yes"]];
        let found = best_thresholds(&["no", "yes"], &[0.0, -0.0], &references).unwrap();
        assert_eq!(found.best_exact, 50.0);
    }

    #[test]
    fn where_nothing_is_worth_answering_the_threshold_is_below_every_difference() {
        let references = [vec!["yes"], vec![]];
        let found = best_thresholds(&["no", "no"], &[-3.0, 2.0], &references).unwrap();
        assert_eq!(found.best_exact, 50.0);
        assert!(found.best_exact_thresh < -3.0);
        let found = best_thresholds(&["no", "no"], &[1.0, 2.0], &references).unwrap();
        assert_eq!(found.best_f1_thresh, 0.0);
    }
}
