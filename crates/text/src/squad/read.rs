//! SQuAD's JSON, as it is or in a zip archive.

use std::collections::HashSet;
use std::io::{Cursor, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{SquadAnswer, SquadDataset, SquadError, SquadQuestion};
use crate::reader::{decode_utf8, read_bytes};

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

/// How a zip archive begins.
const ZIP: &[u8] = b"PK\x03\x04";

impl SquadDataset {
    /// Reads a file of SQuAD 1.1 or 2.0, or a zip archive with one such file in it. A byte-order mark is tolerated, other
    /// keys than those needed are ignored. A question without answers is one that has none: `is_impossible` says the
    /// same and is not asked.
    ///
    /// An answer that is not where the file says is no error here: see [`gold`](Self::gold).
    ///
    /// # Errors
    /// A file that cannot be read or is not UTF-8, an archive without exactly one JSON file, JSON that is broken or not
    /// SQuAD's (the message has the place, the article's title and the question's id), two questions of one id, no
    /// question at all.
    pub fn read(path: &Path) -> Result<Self, SquadError> {
        let data = Self::read_any_ids(path)?;
        let mut ids = HashSet::with_capacity(data.questions.len());
        let mut repeated = data.questions.iter().filter(|one| !ids.insert(&one.id));
        match repeated.next() {
            None => Ok(data),
            Some(repeated) => Err(SquadError::DuplicateId {
                path: path.to_owned(),
                id: repeated.id.clone(),
            }),
        }
    }

    /// [`read`](Self::read), but several questions may have one id: for saying what is wrong with a file.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for ids.
    pub fn read_any_ids(path: &Path) -> Result<Self, SquadError> {
        let mut bytes = read_bytes(path)?;
        if bytes.starts_with(ZIP) {
            bytes = unpacked(path, bytes)?;
        }
        let text = decode_utf8(path, bytes)?;
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

/// The one JSON file of an archive.
fn unpacked(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, SquadError> {
    let zip_error = |source| SquadError::Zip {
        path: path.to_owned(),
        source,
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(zip_error)?;
    // Archives made on a Mac carry a shadow of each file.
    let is_json = |name: &str| name.ends_with(".json") && !name.starts_with("__MACOSX/");
    let mut members = Vec::new();
    for name in archive.file_names() {
        let name = name.map_err(zip_error)?;
        if is_json(&name) {
            members.push(name.into_owned());
        }
    }
    let [member] = members.as_slice() else {
        return Err(SquadError::Members {
            path: path.to_owned(),
            members,
        });
    };
    let mut content = Vec::new();
    archive
        .by_name(member)
        .map_err(zip_error)?
        .read_to_end(&mut content)
        .map_err(|source| SquadError::Unpack {
            path: path.to_owned(),
            member: member.clone(),
            source,
        })?;
    Ok(content)
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
