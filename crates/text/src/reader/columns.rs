//! Which column holds what.

use std::path::Path;

use super::{Column, ColumnOptions, ColumnRole, ReadError};

/// Usual names of the text columns, with the second text they come with, most telling first.
const TEXT_NAMES: [(&str, Option<&str>); 13] = [
    ("text", Some("text_pair")),
    ("sentence1", Some("sentence2")),
    ("sentence_a", Some("sentence_b")),
    ("premise", Some("hypothesis")),
    ("question1", Some("question2")),
    ("question", Some("sentence")),
    ("#1 string", Some("#2 string")),
    ("text", None),
    ("sentence", None),
    ("review", None),
    ("document", None),
    ("content", None),
    ("tweet", None),
];

/// Usual names of the label column, most telling first.
const LABEL_NAMES: [&str; 12] = [
    "label",
    "labels",
    "gold_label",
    "entailment_label",
    "entailment_judgment",
    "class",
    "category",
    "target",
    "sentiment",
    "score",
    "is_duplicate",
    "quality",
];

/// Indices of the columns that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) text: usize,
    pub(super) text_pair: Option<usize>,
    pub(super) label: Option<usize>,
}

/// A first row in which any cell is a usual column name is a header; so is the first row of a file whose columns were
/// given by name.
pub(super) fn is_header(first_row: &[&str], options: &ColumnOptions) -> bool {
    options.header.unwrap_or_else(|| {
        let given = [&options.text, &options.text_pair, &options.label];
        let filtered = options.filters.iter().map(|filter| &filter.column);
        given
            .into_iter()
            .flatten()
            .chain(filtered)
            .any(|column| matches!(column, Column::Name(_)))
            || first_row.iter().any(|cell| is_usual_name(cell))
    })
}

/// Finds the columns of a row of names: a header, or the keys of a JSON object.
pub(super) fn among_names(
    path: &Path,
    line: usize,
    names: &[&str],
    options: &ColumnOptions,
) -> Result<Columns, ReadError> {
    let find = |role, column: &Column| find_named(path, line, names, role, column);
    let unknown = |role| ReadError::UnknownColumn {
        path: path.to_owned(),
        line,
        role,
        columns: owned(names),
    };
    // What is named is looked for before anything is guessed, so that a message is about what was asked for.
    let named =
        |role, column: &Option<Column>| column.as_ref().map(|it| find(role, it)).transpose();
    let label = match options.unlabelled {
        true => None,
        false => named(ColumnRole::Label, &options.label)?,
    };
    let text_pair = named(ColumnRole::TextPair, &options.text_pair)?;
    let (text, guessed_pair) = match named(ColumnRole::Text, &options.text)? {
        Some(text) => (text, None),
        None => guess_texts(names).ok_or_else(|| unknown(ColumnRole::Text))?,
    };
    let text_pair = text_pair.or(guessed_pair);
    let label = match (label, options.unlabelled) {
        (None, false) => Some(guess_label(names).ok_or_else(|| unknown(ColumnRole::Label))?),
        (label, _) => label,
    };
    distinct(
        path,
        Columns {
            text,
            text_pair,
            label,
        },
        |index| format!("{:?}", names[index]),
    )
}

/// Finds the columns of the filters in a row of names.
pub(super) fn filtered_names(
    path: &Path,
    line: usize,
    names: &[&str],
    options: &ColumnOptions,
) -> Result<Vec<usize>, ReadError> {
    let columns = options.filters.iter().map(|filter| &filter.column);
    columns
        .map(|column| find_named(path, line, names, ColumnRole::Filter, column))
        .collect()
}

/// Finds the columns of the filters in a file without a header.
pub(super) fn filtered_indices(
    path: &Path,
    column_count: usize,
    options: &ColumnOptions,
) -> Result<Vec<usize>, ReadError> {
    let columns = options.filters.iter().map(|filter| &filter.column);
    columns
        .map(|column| find_indexed(path, column_count, ColumnRole::Filter, column))
        .collect()
}

/// Finds the columns of a file without a header: what is not given is, in this order, text, second text (when the
/// count of the columns leaves room for one), label.
pub(super) fn among_indices(
    path: &Path,
    column_count: usize,
    options: &ColumnOptions,
) -> Result<Columns, ReadError> {
    let labelled = !options.unlabelled;
    let room_for_pair = column_count == 2 + usize::from(labelled);
    let is_pair = options.text_pair.is_some() || (options.text.is_none() && room_for_pair);
    let resolve = |role, column: &Option<Column>| {
        let column = column.as_ref();
        column
            .map(|column| find_indexed(path, column_count, role, column))
            .transpose()
    };
    let text = resolve(ColumnRole::Text, &options.text)?;
    let text_pair = resolve(ColumnRole::TextPair, &options.text_pair)?;
    let label = match labelled {
        true => resolve(ColumnRole::Label, &options.label)?,
        false => None,
    };

    let all_given = text.is_some() && (label.is_some() || !labelled);
    let wanted = 1 + usize::from(is_pair) + usize::from(labelled);
    if !all_given && wanted != column_count {
        return Err(ReadError::UnknownLayout {
            path: path.to_owned(),
            columns: column_count,
            expected: match labelled {
                true => "2 would be text and label, 3 text, text_pair and label",
                false => "1 would be text, 2 text and text_pair",
            },
        });
    }
    let taken = [text, text_pair, label];
    let mut free = (0..column_count).filter(|index| !taken.contains(&Some(*index)));
    let mut or_next_free = |column: Option<usize>| {
        column
            .or_else(|| free.next())
            .expect("there are as many columns as roles")
    };
    let columns = Columns {
        text: or_next_free(text),
        text_pair: is_pair.then(|| or_next_free(text_pair)),
        label: labelled.then(|| or_next_free(label)),
    };
    distinct(path, columns, |index| index.to_string())
}

fn find_indexed(
    path: &Path,
    column_count: usize,
    role: ColumnRole,
    column: &Column,
) -> Result<usize, ReadError> {
    match column {
        Column::Index(index) => check_index(path, column_count, role, *index),
        Column::Name(name) => Err(ReadError::NameWithoutHeader {
            path: path.to_owned(),
            role,
            name: name.clone(),
        }),
    }
}

fn find_named(
    path: &Path,
    line: usize,
    names: &[&str],
    role: ColumnRole,
    column: &Column,
) -> Result<usize, ReadError> {
    match column {
        Column::Index(index) => check_index(path, names.len(), role, *index),
        Column::Name(name) => names
            .iter()
            .position(|candidate| candidate == name)
            .ok_or_else(|| ReadError::MissingColumn {
                path: path.to_owned(),
                line,
                role,
                name: name.clone(),
                columns: owned(names),
            }),
    }
}

fn check_index(
    path: &Path,
    column_count: usize,
    role: ColumnRole,
    index: usize,
) -> Result<usize, ReadError> {
    if index < column_count {
        return Ok(index);
    }
    Err(ReadError::ColumnIndex {
        path: path.to_owned(),
        role,
        index,
        columns: column_count,
    })
}

/// One column cannot hold two things.
fn distinct(
    path: &Path,
    columns: Columns,
    show: impl Fn(usize) -> String,
) -> Result<Columns, ReadError> {
    let text = (ColumnRole::Text, Some(columns.text));
    let text_pair = (ColumnRole::TextPair, columns.text_pair);
    let label = (ColumnRole::Label, columns.label);
    for (first, second) in [(text, text_pair), (text, label), (text_pair, label)] {
        if let (Some(index), true) = (first.1, first.1 == second.1) {
            return Err(ReadError::SameColumn {
                path: path.to_owned(),
                first: first.0,
                second: second.0,
                column: show(index),
            });
        }
    }
    Ok(columns)
}

fn guess_texts(names: &[&str]) -> Option<(usize, Option<usize>)> {
    TEXT_NAMES.iter().find_map(|(text, text_pair)| {
        let text = position(names, text)?;
        match text_pair {
            Some(text_pair) => Some((text, Some(position(names, text_pair)?))),
            None => Some((text, None)),
        }
    })
}

fn guess_label(names: &[&str]) -> Option<usize> {
    LABEL_NAMES.iter().find_map(|name| position(names, name))
}

fn position(names: &[&str], name: &str) -> Option<usize> {
    names
        .iter()
        .position(|candidate| candidate.eq_ignore_ascii_case(name))
}

fn is_usual_name(cell: &str) -> bool {
    let texts = TEXT_NAMES
        .iter()
        .flat_map(|(text, text_pair)| [Some(*text), *text_pair]);
    texts
        .flatten()
        .chain(LABEL_NAMES)
        .any(|name| cell.eq_ignore_ascii_case(name))
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
