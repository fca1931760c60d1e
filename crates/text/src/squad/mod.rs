//! Questions about contexts: SQuAD files, inputs of a prediction, and answers among tokens.

mod articles;
mod error;
mod input;
mod read;
mod rows;

use std::ops::Range;
use std::path::PathBuf;

pub use articles::ArticleRange;
pub use error::SquadError;
pub use input::{Contexts, QuestionInput};

use crate::Encoding;

/// A file of SQuAD 1.1 or 2.0, flattened; its questions are in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadDataset {
    /// Where the questions come from, for messages.
    pub path: PathBuf,
    /// How many articles they are of.
    pub articles: usize,
    /// Each paragraph's text.
    pub contexts: Vec<String>,
    /// The questions.
    pub questions: Vec<SquadQuestion>,
}

/// A question about one of the contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadQuestion {
    /// The file's own name of the question, which no other has.
    pub id: String,
    /// The question as the file has it.
    pub question: String,
    /// Index of its context in [`SquadDataset::contexts`].
    pub context: usize,
    /// Number of its article in the file, from 0.
    pub article: usize,
    /// The right answers; none where the context holds no answer.
    pub answers: Vec<SquadAnswer>,
}

/// A right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadAnswer {
    /// Its text.
    pub text: String,
    /// Where the file says that it starts, in characters of the context.
    pub start: usize,
}

impl SquadAnswer {
    /// The characters of the context that it is; `None` when it is empty or not where the file says.
    pub fn place_in(&self, context: &str) -> Option<Range<usize>> {
        let end = self.start.saturating_add(self.text.chars().count());
        let text = char_slice(context, self.start..end)?;
        (text == self.text && !text.is_empty()).then_some(self.start..end)
    }
}

/// Where a question's first right answer stands, which is the one to learn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoldAnswer {
    /// At these characters of the context.
    At(Range<usize>),
    /// There is none to be found.
    None,
    /// Its text is not where the file says, so there is nothing to learn from the question.
    Misplaced,
}

impl SquadDataset {
    /// The text that a question is about.
    pub fn context(&self, question: &SquadQuestion) -> &str {
        &self.contexts[question.context]
    }

    /// Whether a question has no answer, as in SQuAD 2.0.
    pub fn has_unanswerable(&self) -> bool {
        self.questions.iter().any(|one| one.answers.is_empty())
    }

    /// Where a question's first right answer stands.
    pub fn gold(&self, question: &SquadQuestion) -> GoldAnswer {
        let Some(answer) = question.answers.first() else {
            return GoldAnswer::None;
        };
        let place = answer.place_in(self.context(question));
        place.map_or(GoldAnswer::Misplaced, GoldAnswer::At)
    }

    /// Some of the questions, in the order given, with all contexts.
    ///
    /// # Panics
    ///
    /// There is no such question.
    pub fn subset(&self, questions: &[usize]) -> Self {
        let pick = |&question: &usize| self.questions[question].clone();
        Self {
            path: self.path.clone(),
            articles: self.articles,
            contexts: self.contexts.clone(),
            questions: questions.iter().map(pick).collect(),
        }
    }

    /// Keeps the first `count` questions.
    pub fn truncate(&mut self, count: usize) {
        self.questions.truncate(count);
    }
}

/// A piece of a text by its characters; `None` when the text is shorter.
pub fn char_slice(text: &str, characters: Range<usize>) -> Option<&str> {
    let mut starts = text
        .char_indices()
        .map(|(byte, _)| byte)
        .chain(std::iter::once(text.len()));
    let start = starts.nth(characters.start)?;
    let end = match characters.end.checked_sub(characters.start)? {
        0 => start,
        length => starts.nth(length - 1)?,
    };
    text.get(start..end)
}

/// The first and the last token of an answer in a window, given its characters in the context; `None` when the window
/// does not hold all of it. An answer that starts or ends within a token takes the whole token.
pub fn answer_tokens(window: &Encoding, answer: &Range<usize>) -> Option<(usize, usize)> {
    let tokens = window.tokens_of(1);
    let places = &window.offsets[tokens.clone()];
    let (first, last) = (places.first()?, places.last()?);
    if first.0 > answer.start || last.1 < answer.end {
        return None;
    }
    let start = places.iter().rposition(|place| place.0 <= answer.start)?;
    let end = places.iter().position(|place| place.1 >= answer.end)?;
    Some((tokens.start + start, tokens.start + end))
}
