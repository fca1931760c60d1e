//! The figures of a data set.

use serde::Serialize;

use super::answer::{QuestionScore, SquadVersion, score_answer};
use super::{MetricsError, check_paired};

/// What the official script of a version prints, in percent and with its names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SquadMetrics {
    /// SQuAD 1.1.
    V1(SquadV1Metrics),
    /// SQuAD 2.0.
    V2(SquadV2Metrics),
}

/// The figures of SQuAD 1.1, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SquadV1Metrics {
    /// Answers that are right word for word.
    pub exact_match: f64,
    /// Mean F1 over words.
    pub f1: f64,
    /// Number of questions.
    pub total: usize,
}

/// The figures of SQuAD 2.0, in percent; `None` for a kind of question that the data does not have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SquadV2Metrics {
    /// Answers that are right word for word.
    pub exact: f64,
    /// Mean F1 over words.
    pub f1: f64,
    /// Number of questions.
    pub total: usize,
    /// `exact` of the questions that have an answer.
    #[serde(rename = "HasAns_exact", skip_serializing_if = "Option::is_none")]
    pub has_ans_exact: Option<f64>,
    /// `f1` of the questions that have an answer.
    #[serde(rename = "HasAns_f1", skip_serializing_if = "Option::is_none")]
    pub has_ans_f1: Option<f64>,
    /// Number of questions that have an answer.
    #[serde(rename = "HasAns_total", skip_serializing_if = "Option::is_none")]
    pub has_ans_total: Option<usize>,
    /// `exact` of the questions that have none.
    #[serde(rename = "NoAns_exact", skip_serializing_if = "Option::is_none")]
    pub no_ans_exact: Option<f64>,
    /// `f1` of the questions that have none.
    #[serde(rename = "NoAns_f1", skip_serializing_if = "Option::is_none")]
    pub no_ans_f1: Option<f64>,
    /// Number of questions that have none.
    #[serde(rename = "NoAns_total", skip_serializing_if = "Option::is_none")]
    pub no_ans_total: Option<usize>,
}

impl SquadMetrics {
    /// Mean F1 over all questions, in percent.
    pub fn f1(&self) -> f64 {
        match self {
            Self::V1(metrics) => metrics.f1,
            Self::V2(metrics) => metrics.f1,
        }
    }
}

/// Scores one answer a question, `""` for none, against the right answers of each; a question without any has no answer.
///
/// # Errors
/// Unequal lengths, or no questions.
pub fn evaluate<S: AsRef<str>>(
    predictions: &[&str],
    references: &[Vec<S>],
    version: SquadVersion,
) -> Result<SquadMetrics, MetricsError> {
    check_paired("answers", predictions.len(), references.len())?;
    let pairs = predictions.iter().zip(references);
    let scores: Vec<QuestionScore> = pairs
        .map(|(prediction, right)| score_answer(prediction, right, version))
        .collect();
    let [exact, f1] = percent(scores.iter()).unwrap_or_default();
    let total = scores.len();
    Ok(match version {
        SquadVersion::V1 => SquadMetrics::V1(SquadV1Metrics {
            exact_match: exact,
            f1,
            total,
        }),
        SquadVersion::V2 => {
            let of = |has_answer: bool| {
                let pairs = scores.iter().zip(references);
                pairs
                    .filter(move |(_, right)| right.is_empty() != has_answer)
                    .map(|(score, _)| score)
            };
            let (has_ans, no_ans) = (percent(of(true)), percent(of(false)));
            SquadMetrics::V2(SquadV2Metrics {
                exact,
                f1,
                total,
                has_ans_exact: has_ans.map(|[exact, _]| exact),
                has_ans_f1: has_ans.map(|[_, f1]| f1),
                has_ans_total: has_ans.map(|_| of(true).count()),
                no_ans_exact: no_ans.map(|[exact, _]| exact),
                no_ans_f1: no_ans.map(|[_, f1]| f1),
                no_ans_total: no_ans.map(|_| of(false).count()),
            })
        }
    })
}

/// The means of both figures, summed in the order of the data as the scripts do; `None` of nothing.
fn percent<'a>(scores: impl Iterator<Item = &'a QuestionScore>) -> Option<[f64; 2]> {
    let (mut exact, mut f1, mut total) = (0.0, 0.0, 0_usize);
    for score in scores {
        exact += score.exact;
        f1 += score.f1;
        total += 1;
    }
    let mean = |sum: f64| 100.0 * sum / total as f64;
    (total > 0).then(|| [mean(exact), mean(f1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_questions_are_told_apart_by_their_right_answers() {
        let references = [vec!["Paris"], vec![]];
        let metrics = evaluate(&["in Paris", ""], &references, SquadVersion::V2).unwrap();
        let SquadMetrics::V2(metrics) = metrics else {
            unreachable!("version 2 was asked for");
        };
        assert_eq!((metrics.exact, metrics.total), (50.0, 2));
        assert_eq!(metrics.has_ans_f1, Some(100.0 * (1.0 / 1.5)));
        assert_eq!(metrics.no_ans_exact, Some(100.0));
    }

    #[test]
    fn the_figure_of_both_versions_is_the_mean_f1() {
        let references = [vec!["Paris"], vec!["Rome"]];
        for version in [SquadVersion::V1, SquadVersion::V2] {
            let metrics = evaluate(&["in Paris", "Rome"], &references, version).unwrap();
            assert_eq!(metrics.f1(), 100.0 * (1.0 / 1.5 + 1.0) / 2.0);
        }
    }

    #[test]
    fn a_kind_of_questions_that_the_data_does_not_have_has_no_figures() {
        let references = [vec!["Paris"]];
        let metrics = evaluate(&["Paris"], &references, SquadVersion::V2).unwrap();
        let SquadMetrics::V2(metrics) = metrics else {
            unreachable!("version 2 was asked for");
        };
        assert_eq!(metrics.has_ans_total, Some(1));
        assert_eq!((metrics.no_ans_exact, metrics.no_ans_total), (None, None));
    }

    #[test]
    fn nothing_and_unpaired_answers_are_refused() {
        let references = [vec!["Paris"]];
        let none: [Vec<&str>; 0] = [];
        assert_eq!(
            evaluate(&[], &none, SquadVersion::V1),
            Err(MetricsError::Empty)
        );
        let error = evaluate(&["a", "b"], &references, SquadVersion::V1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 answers for 1 questions; give one for each question"
        );
    }
}
