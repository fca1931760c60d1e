//! Answers that stand elsewhere than their file says.

use serde::Serialize;

use crate::SquadDataset;

/// Where an answer stands that is not where its file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFault {
    /// Elsewhere in the context.
    Misplaced,
    /// Nowhere in the context, or it is empty.
    Missing,
}

/// A right answer that is not where its file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FaultyAnswer {
    /// Index of its question.
    pub question: usize,
    /// Its index among the right answers of the question.
    pub answer: usize,
    /// Where it is.
    pub fault: AnswerFault,
}

/// All right answers, of all questions, that are not where the file says.
pub fn faulty_answers(data: &SquadDataset) -> Vec<FaultyAnswer> {
    let mut faulty = Vec::new();
    for (question, one) in data.questions.iter().enumerate() {
        let context = data.context(one);
        for (answer, text) in one.answers.iter().enumerate() {
            if text.place_in(context).is_some() {
                continue;
            }
            let is_there = !text.text.is_empty() && context.contains(&text.text);
            faulty.push(FaultyAnswer {
                question,
                answer,
                fault: if is_there {
                    AnswerFault::Misplaced
                } else {
                    AnswerFault::Missing
                },
            });
        }
    }
    faulty
}
