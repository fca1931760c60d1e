use bert_tasks::Evaluation;
use serde::{Deserialize, Serialize};

/// Which evaluation was the best so far, and how many came after it: what decides which model is kept and when a run has
/// learned all that it will. A checkpoint keeps it, so that a run that goes on judges as one that never stopped.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// The score of the best evaluation; higher is better.
    pub best_score: Option<f64>,
    /// Evaluations since then that were no better.
    pub evaluations_since_best: usize,
    /// Optimiser steps before the last evaluation.
    pub evaluated_at: Option<usize>,
}

impl Selection {
    /// Takes an evaluation after so many optimiser steps, and says whether no earlier one scored as high.
    pub fn judge(&mut self, evaluation: &Evaluation, step: usize) -> bool {
        self.evaluated_at = Some(step);
        let score = evaluation.score;
        let is_best = self
            .best_score
            .is_none_or(|best| score > best || (best.is_nan() && !score.is_nan()));
        if is_best {
            self.best_score = Some(score);
            self.evaluations_since_best = 0;
        } else {
            self.evaluations_since_best += 1;
        }
        is_best
    }

    /// Whether so many evaluations in a row were no better than the best: transformers' `EarlyStoppingCallback`.
    pub fn is_out_of_patience(&self, patience: Option<usize>) -> bool {
        patience.is_some_and(|patience| self.evaluations_since_best >= patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_report::Examination;
    use bert_tasks::Metrics;

    fn evaluation(score: f64) -> Evaluation {
        Evaluation {
            metrics: Metrics::new(),
            selected_by: "accuracy".into(),
            score,
            examination: Examination::default(),
        }
    }

    #[test]
    fn an_equal_score_is_no_better_and_a_better_one_begins_the_count_anew() {
        let mut selection = Selection::default();
        let judged = [0.5, 0.5, 0.4, 0.6, 0.6, 0.1].map(|score| {
            let is_best = selection.judge(&evaluation(score), 1);
            (is_best, selection.evaluations_since_best)
        });
        let expected = [
            (true, 0),
            (false, 1),
            (false, 2),
            (true, 0),
            (false, 1),
            (false, 2),
        ];
        assert_eq!(judged, expected);
        assert!(selection.is_out_of_patience(Some(2)));
        assert!(!selection.is_out_of_patience(Some(3)));
        assert!(!selection.is_out_of_patience(None));
    }

    #[test]
    fn a_score_that_is_no_number_is_worse_than_any() {
        let mut selection = Selection::default();
        let judged = [f64::NAN, f64::NAN, -1.0, f64::NAN]
            .map(|score| selection.judge(&evaluation(score), 1));
        assert_eq!(judged, [true, false, true, false]);
        assert_eq!(selection.best_score, Some(-1.0));
    }
}
