//! Questions as the hub has them: a row each, in JSON Lines, Parquet or Arrow.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{SquadAnswer, SquadDataset, SquadError, SquadQuestion};
use crate::Format;
use crate::reader::{Source, decode_utf8, numbered_lines};

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    title: String,
    context: String,
    question: String,
    answers: Answers,
}

#[derive(Deserialize)]
#[serde(try_from = "AnswerColumns")]
struct Answers(Vec<SquadAnswer>);

#[derive(Deserialize)]
struct AnswerColumns {
    text: Vec<String>,
    answer_start: Vec<usize>,
}

impl TryFrom<AnswerColumns> for Answers {
    type Error = String;

    fn try_from(AnswerColumns { text, answer_start }: AnswerColumns) -> Result<Self, String> {
        if text.len() != answer_start.len() {
            let (texts, starts) = (text.len(), answer_start.len());
            return Err(format!(
                "`answers` has {texts} in `text` and {starts} in `answer_start`; expected as many of both"
            ));
        }
        let answers = text.into_iter().zip(answer_start);
        Ok(Self(
            answers
                .map(|(text, start)| SquadAnswer { text, start })
                .collect(),
        ))
    }
}

/// How the rows of a file are written; `None` where it is SQuAD's own JSON.
pub(super) fn format_of(source: &Source) -> Option<Format> {
    let extension = source.inner.extension()?.to_ascii_lowercase();
    match Format::of_extension(&source.inner)? {
        Format::JsonLines if extension != "json" => Some(Format::JsonLines),
        format @ (Format::Parquet | Format::Arrow) => Some(format),
        _ => None,
    }
}

pub(super) fn read(source: Source, format: Format) -> Result<SquadDataset, SquadError> {
    let path = source.path.clone();
    let mut data = SquadDataset {
        path: path.clone(),
        articles: 0,
        contexts: Vec::new(),
        questions: Vec::new(),
    };
    let mut title = None;
    match format {
        Format::JsonLines => {
            let text = decode_utf8(&path, source.into_bytes()?)?;
            for (line, text) in numbered_lines(&text) {
                let row = serde_json::from_str(text);
                data.push(
                    row.map_err(|source| refused(&path, line, source))?,
                    &mut title,
                );
            }
        }
        _ => {
            for (line, row) in (1..).zip(table_rows(source, format)?) {
                let row = serde_json::from_value(row);
                data.push(
                    row.map_err(|source| refused(&path, line, source))?,
                    &mut title,
                );
            }
        }
    }
    match data.questions.is_empty() {
        true => Err(SquadError::Empty { path }),
        false => Ok(data),
    }
}

#[cfg(feature = "columnar")]
fn table_rows(source: Source, format: Format) -> Result<Vec<Value>, SquadError> {
    const COLUMNS: [&str; 5] = ["id", "title", "context", "question", "answers"];
    let table = crate::reader::Table::open(source, format)?;
    let names = table.names().into_iter().enumerate();
    let wanted = names.filter(|(_, name)| COLUMNS.contains(name));
    let wanted: Vec<usize> = wanted.map(|(index, _)| index).collect();
    let mut rows = Vec::new();
    table.rows(&wanted, |_, row| {
        rows.push(Value::Object(row));
        Ok(())
    })?;
    Ok(rows)
}

#[cfg(not(feature = "columnar"))]
fn table_rows(source: Source, _format: Format) -> Result<Vec<Value>, SquadError> {
    Err(crate::ReadError::NoColumnar { path: source.path }.into())
}

fn refused(path: &Path, line: usize, source: serde_json::Error) -> SquadError {
    SquadError::Row {
        path: path.to_owned(),
        line,
        source,
    }
}

impl SquadDataset {
    /// Adds a question. Rows of one title that follow each other are an article; so it is with contexts.
    fn push(&mut self, row: Row, title: &mut Option<String>) {
        if title.as_ref() != Some(&row.title) {
            self.articles += 1;
            *title = Some(row.title);
        }
        if self.contexts.last() != Some(&row.context) {
            self.contexts.push(row.context);
        }
        self.questions.push(SquadQuestion {
            id: row.id,
            question: row.question,
            context: self.contexts.len() - 1,
            article: self.articles - 1,
            answers: row.answers.0,
        });
    }
}
