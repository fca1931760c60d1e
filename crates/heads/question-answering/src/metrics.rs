//! Exact match and F1, as the official evaluation scripts of SQuAD 1.1 and 2.0 compute them, in percent.

mod answer;
mod evaluate;
mod threshold;

pub use answer::{QuestionScore, SquadVersion, normalize_answer, score_answer};
pub use evaluate::{SquadMetrics, SquadV1Metrics, SquadV2Metrics, evaluate};
pub use threshold::{BestThresholds, best_thresholds};

/// Why answers could not be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// There is nothing to score.
    #[error("there are no questions to score; a metric needs at least one")]
    Empty,
    /// The sides do not pair up.
    #[error("{given} {what} for {questions} questions; give one for each question")]
    LengthMismatch {
        /// What there is too much or too little of.
        what: &'static str,
        /// How many there are.
        given: usize,
        /// How many questions there are.
        questions: usize,
    },
}

/// Refuses an empty or unpaired comparison.
fn check_paired(what: &'static str, given: usize, questions: usize) -> Result<(), MetricsError> {
    if given != questions {
        return Err(MetricsError::LengthMismatch {
            what,
            given,
            questions,
        });
    }
    if questions == 0 {
        return Err(MetricsError::Empty);
    }
    Ok(())
}
