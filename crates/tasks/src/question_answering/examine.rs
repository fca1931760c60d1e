//! What single answers tell.

use bert_question_answering::metrics::{SquadVersion, score_answer};
use bert_report::{Examination, Reliability, WorstExample, worst};
use bert_text::{SquadDataset, SquadQuestion, char_slice};

use super::{AnsweredQuestion, Split};

/// Characters of the context that are shown before a right answer, and in all.
const SHOWN_BEFORE: usize = 200;
const SHOWN: usize = 500;
const NO_ANSWER: &str = "(no answer)";

/// Examines the answers to all questions. `window_losses` has the loss of each window that has a label.
pub(super) fn examination(
    split: &Split,
    answers: &[AnsweredQuestion],
    confidences: &[f64],
    window_losses: &[Option<f64>],
    version: SquadVersion,
) -> Examination {
    let questions = || split.data.questions.iter().zip(answers).zip(confidences);
    let losses: Vec<f64> = split
        .windows
        .questions
        .iter()
        .map(|rows| mean(window_losses[rows.clone()].iter().copied().flatten()))
        .collect();
    let sure = questions().map(|((question, answered), &confidence)| {
        let references: Vec<&str> = right_answers(question).collect();
        let score = score_answer(&answered.answer, &references, version);
        (confidence, score.exact > 0.5)
    });
    Examination {
        reliability: Reliability::of("answer", sure),
        worst: worst(&losses, |index| {
            let question = &split.data.questions[index];
            WorstExample {
                place: format!("question {}", question.id),
                text: question.question.clone(),
                text_pair: Some(excerpt(&split.data, question)),
                reference: all_answers(question),
                prediction: or_none(&answers[index].answer),
                confidence: Some(confidences[index]),
                ..WorstExample::default()
            }
        }),
        ..Examination::default()
    }
}

fn mean(losses: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = losses.fold((0.0, 0), |(sum, count), loss| (sum + loss, count + 1));
    sum / f64::from(count.max(1))
}

fn right_answers(question: &SquadQuestion) -> impl Iterator<Item = &str> {
    question.answers.iter().map(|answer| answer.text.as_str())
}

/// Each right answer once.
fn all_answers(question: &SquadQuestion) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for answer in right_answers(question) {
        if !distinct.contains(&answer) {
            distinct.push(answer);
        }
    }
    or_none(&distinct.join(" / "))
}

fn or_none(answer: &str) -> String {
    match answer {
        "" => NO_ANSWER.to_owned(),
        answer => answer.to_owned(),
    }
}

/// The context from a little before the first right answer on.
fn excerpt(data: &SquadDataset, question: &SquadQuestion) -> String {
    let context = data.context(question);
    let answer = question.answers.first();
    let start = answer.map_or(0, |answer| answer.start.saturating_sub(SHOWN_BEFORE));
    let length = context.chars().count();
    let end = (start + SHOWN).min(length);
    let start = start.min(end);
    let shown = char_slice(context, start..end).unwrap_or(context);
    let mark = |cut: bool| if cut { "…" } else { "" };
    format!("{}{shown}{}", mark(start > 0), mark(end < length))
}
