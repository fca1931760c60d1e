//! SQuAD's JSON.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{SquadAnswer, SquadDataset, SquadError, SquadQuestion, rows};
use crate::reader::{Source, decode_utf8, name_of, together};

#[derive(Deserialize)]
struct File {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: String,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    answer_start: usize,
}

impl SquadDataset {
    /// Reads a file of SQuAD 1.1 or 2.0, compressed or not, or standard input for `-`. `.jsonl`, `.parquet` and
    /// `.arrow` hold a question a row, as the hub has them: `id`, `title`, `context`, `question`, and `answers` with the lists
    /// `text` and `answer_start`. A byte-order mark is tolerated, other keys than those needed are ignored. A question without answers is one that has none: `is_impossible` says the
    /// same and is not asked.
    ///
    /// An answer that is not where the file says is no error here: see [`gold`](Self::gold).
    ///
    /// # Errors
    /// A file that cannot be read or unpacked or is not UTF-8, JSON that is broken or not
    /// SQuAD's (the message has the place, the article's title and the question's id), two questions of one id, no
    /// question at all.
    pub fn read(path: &Path) -> Result<Self, SquadError> {
        Self::read_files(&[path.to_owned()])
    }

    /// Reads several files as one, in their order.
    ///
    /// # Errors
    /// As [`read`](Self::read); no file at all.
    pub fn read_files(paths: &[PathBuf]) -> Result<Self, SquadError> {
        let data = Self::read_files_any_ids(paths)?;
        let mut ids = HashSet::with_capacity(data.questions.len());
        let mut repeated = data.questions.iter().filter(|one| !ids.insert(&one.id));
        match repeated.next() {
            None => Ok(data),
            Some(repeated) => Err(SquadError::DuplicateId {
                path: data.path.clone(),
                id: repeated.id.clone(),
            }),
        }
    }

    /// [`read_files`](Self::read_files), but several questions may have one id: for saying what is wrong with a file.
    ///
    /// # Errors
    /// As [`read_files`](Self::read_files), but for ids.
    pub fn read_files_any_ids(paths: &[PathBuf]) -> Result<Self, SquadError> {
        let names: Vec<PathBuf> = paths.iter().map(|path| name_of(path)).collect();
        let mut all = Self {
            path: together(&names),
            articles: 0,
            contexts: Vec::new(),
            questions: Vec::new(),
        };
        for path in paths {
            let one = Self::read_any_ids(path)?;
            let (articles, contexts) = (all.articles, all.contexts.len());
            let questions = one.questions.into_iter().map(|question| SquadQuestion {
                context: contexts + question.context,
                article: articles + question.article,
                ..question
            });
            all.questions.extend(questions);
            all.contexts.extend(one.contexts);
            all.articles += one.articles;
        }
        match all.questions.is_empty() {
            true => Err(SquadError::Empty { path: all.path }),
            false => Ok(all),
        }
    }

    /// [`read`](Self::read), but several questions may have one id.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for ids.
    pub fn read_any_ids(path: &Path) -> Result<Self, SquadError> {
        let source = Source::open(path)?;
        if let Some(format) = rows::format_of(&source) {
            return rows::read(source, format);
        }
        let name = source.path.clone();
        let path = name.as_path();
        let text = decode_utf8(path, source.into_bytes()?)?;
        let mut json = serde_json::Deserializer::from_str(&text);
        let file: File = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| not_squad(path, &text, error))?;
        json.end().map_err(|source| SquadError::Json {
            path: path.to_owned(),
            place: String::new(),
            source,
        })?;
        flattened(path, file)
    }
}

fn not_squad(
    path: &Path,
    text: &str,
    error: serde_path_to_error::Error<serde_json::Error>,
) -> SquadError {
    SquadError::Json {
        path: path.to_owned(),
        place: place(text, error.path()),
        source: error.into_inner(),
    }
}

/// `, data[3].paragraphs[0].qas[1] (article "Rome", question "56be…")`, the names where the file has them.
fn place(text: &str, path: &serde_path_to_error::Path) -> String {
    let dotted = path.to_string();
    if dotted == "." {
        return String::new();
    }
    // Only a file that is refused is parsed a second time; where its JSON is broken, there are no names.
    let whole: Value = serde_json::from_str(text).unwrap_or_default();
    let mut here = &whole;
    let mut names = Vec::new();
    for segment in path.iter() {
        here = match segment {
            Segment::Seq { index } => &here[*index],
            Segment::Map { key } => &here[key],
            Segment::Enum { .. } | Segment::Unknown => &Value::Null,
        };
        for (key, kind) in [("title", "article"), ("id", "question")] {
            if let Some(name) = here.get(key).and_then(Value::as_str) {
                names.push(format!("{kind} {name:?}"));
            }
        }
    }
    match names.as_slice() {
        [] => format!(", {dotted}"),
        names => format!(", {dotted} ({})", names.join(", ")),
    }
}

fn flattened(path: &Path, file: File) -> Result<SquadDataset, SquadError> {
    let articles = file.data.len();
    let (mut contexts, mut questions) = (Vec::new(), Vec::new());
    for (article, Article { paragraphs }) in file.data.into_iter().enumerate() {
        for Paragraph { context, qas } in paragraphs {
            for one in qas {
                questions.push(question(one, contexts.len(), article));
            }
            contexts.push(context);
        }
    }
    if questions.is_empty() {
        return Err(SquadError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(SquadDataset {
        path: path.to_owned(),
        articles,
        contexts,
        questions,
    })
}

fn question(question: Question, context: usize, article: usize) -> SquadQuestion {
    let answers = question.answers.into_iter().map(|answer| SquadAnswer {
        text: answer.text,
        start: answer.answer_start,
    });
    SquadQuestion {
        id: question.id,
        question: question.question,
        context,
        article,
        answers: answers.collect(),
    }
}
