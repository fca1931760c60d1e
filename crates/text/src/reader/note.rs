//! What a user should be told about how a file was read.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something about a file that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadNote {
    /// The first line looks like a header, and was read as a row.
    ProbableHeader {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Its label.
        label: String,
        /// The flags that read it as a header.
        flags: String,
    },
    /// Rows that were left out because they have no label.
    Unlabelled {
        /// The files.
        path: PathBuf,
        /// How many rows.
        rows: usize,
        /// The label that means so.
        label: String,
        /// Whether it was guessed that the label means so.
        guessed: bool,
    },
    /// Lines of a CoNLL file that were left out as comments.
    Comments {
        /// The file.
        path: PathBuf,
        /// How many lines.
        lines: usize,
        /// The first of them.
        first: usize,
    },
    /// The names of the classes come from the file's metadata, not from the column.
    NamesFrom {
        /// The file that has the names.
        path: PathBuf,
        /// How many names.
        names: usize,
    },
}

impl ReadNote {
    /// Whether the data may have been misunderstood.
    pub fn is_warning(&self) -> bool {
        match self {
            Self::ProbableHeader { .. } => true,
            Self::Unlabelled { guessed, .. } => *guessed,
            Self::Comments { .. } | Self::NamesFrom { .. } => false,
        }
    }
}

impl fmt::Display for ReadNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProbableHeader {
                path,
                line,
                label,
                flags,
            } => write!(
                f,
                "{}, line {line}: is probably a header: its label {label:?} occurs nowhere else, and all others repeat; \
                 if it is one, give {flags}; if it is a row, give --header no",
                path.display()
            ),
            Self::Unlabelled {
                path,
                rows,
                label,
                guessed,
            } => {
                let (path, rows) = (path.display(), counted(*rows, "row"));
                write!(f, "{path}: {rows} left out: the label {label:?} means ")?;
                match guessed {
                    true => f.write_str(
                        "unlabelled in data sets whose classes are ids from 0 on; if it is a class here, give --unlabelled none",
                    ),
                    false => f.write_str("unlabelled"),
                }
            }
            Self::Comments { path, lines, first } => write!(
                f,
                "{}: {} left out as comments: they begin with \"# \" and hold no tag; the first is line {first}",
                path.display(),
                counted(*lines, "line")
            ),
            Self::NamesFrom { path, names } => write!(
                f,
                "{}: has the names of {}",
                path.display(),
                counted(*names, "label")
            ),
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// How several files are called together: by the first, and the number of the others.
pub(crate) fn together(paths: &[PathBuf]) -> PathBuf {
    match paths {
        [] => PathBuf::new(),
        [one] => one.clone(),
        [first, others @ ..] => {
            let others = counted(others.len(), "other file");
            Path::new(&format!("{} and {others}", first.display())).to_owned()
        }
    }
}
