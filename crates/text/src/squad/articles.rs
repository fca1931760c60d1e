//! Some of a file's articles, to train on and to hold out.

use std::fmt;
use std::str::FromStr;

use super::{SquadDataset, SquadError};

/// Articles by their numbers from 0: `A..B` without B, `A..` or `..B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArticleRange {
    /// The first.
    pub start: usize,
    /// The one after the last; up to the end of the file where there is none.
    pub end: Option<usize>,
}

impl FromStr for ArticleRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected numbers of articles, counted from 0: 0..38 (without 38), 38.. or ..38"
                .to_owned()
        };
        let (start, end) = text.split_once("..").ok_or_else(expected)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| expected());
        let start = if start.is_empty() { 0 } else { number(start)? };
        let end = (!end.is_empty()).then(|| number(end)).transpose()?;
        match end {
            Some(end) if end <= start => Err(format!("no article is in {text}")),
            _ => Ok(Self { start, end }),
        }
    }
}

impl fmt::Display for ArticleRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..", self.start)?;
        self.end.map_or(Ok(()), |end| write!(formatter, "{end}"))
    }
}

impl SquadDataset {
    /// Keeps the questions of some articles, which keep their numbers.
    ///
    /// # Errors
    /// The file has fewer articles, or these have no question.
    pub fn select_articles(&mut self, range: ArticleRange) -> Result<(), SquadError> {
        let end = range.end.unwrap_or(self.articles);
        if end > self.articles || range.start >= end {
            return Err(SquadError::Articles {
                path: self.path.clone(),
                range,
                articles: self.articles,
            });
        }
        let wanted = range.start..end;
        self.questions.retain(|one| wanted.contains(&one.article));
        self.articles = wanted.len();
        if self.questions.is_empty() {
            return Err(SquadError::Empty {
                path: self.path.clone(),
            });
        }
        Ok(())
    }
}
