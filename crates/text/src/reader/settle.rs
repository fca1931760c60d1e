//! What labels mean, decided when all rows of all files are known: lists of zeros and ones, ids, rows without a label.

use super::{ColumnOptions, LabelLists, ReadError, ReadNote, Unlabelled};
use crate::{Dataset, Example, Label};

/// The names of classes in id order, and whether integers in the data can only be ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownNames {
    pub(super) names: Vec<String>,
    pub(super) are_ids: bool,
}

/// The label that hub data sets give to rows without one.
const NO_LABEL_ID: &str = "-1";

/// Settles the labels of rows as they were read.
pub(super) fn settle(
    dataset: &mut Dataset,
    options: &ColumnOptions,
    known: Option<KnownNames>,
) -> Result<(), ReadError> {
    let names = known.as_ref().map(|known| known.names.as_slice());
    if is_multi_hot(&dataset.examples, options.label_lists)? {
        dataset.label_names = Some(name_the_hot(&mut dataset.examples, names)?);
        return Ok(());
    }
    leave_out(dataset, &options.unlabelled_label, known.is_some())?;
    if let Some(known) = known {
        name_the_ids(&mut dataset.examples, &known)?;
        dataset.label_names = Some(known.names);
    }
    Ok(())
}

fn lists(examples: &[Example]) -> impl Iterator<Item = (&Example, &Vec<String>)> {
    examples.iter().filter_map(|example| match &example.label {
        Some(Label::Names(names)) => Some((example, names)),
        _ => None,
    })
}

/// Whether a value of a multi-hot list is 1; `None` when it is neither 0 nor 1.
fn is_hot(value: &str) -> Option<bool> {
    match value {
        "0" | "false" => Some(false),
        "1" | "true" => Some(true),
        _ => None,
    }
}

/// Whether the lists hold a 0 or 1 for each class, not the ids of classes.
fn is_multi_hot(examples: &[Example], lists_are: LabelLists) -> Result<bool, ReadError> {
    let Some((first, first_list)) = lists(examples).next() else {
        return Ok(false);
    };
    let width = first_list.len();
    let uneven = || lists(examples).find(|(_, list)| list.len() != width);
    let is_binary = |list: &[String]| list.iter().all(|value| is_hot(value).is_some());
    match lists_are {
        LabelLists::Classes => return Ok(false),
        LabelLists::MultiHot => {
            if let Some((example, _)) = lists(examples).find(|(_, list)| !is_binary(list)) {
                return Err(ReadError::NotMultiHot {
                    path: example.file.to_path_buf(),
                    line: example.line,
                });
            }
        }
        LabelLists::Auto => {
            let only_lists = lists(examples).count() == examples.len();
            if !only_lists || !lists(examples).all(|(_, list)| is_binary(list)) {
                return Ok(false);
            }
            let repeats = lists(examples).any(|(_, list)| repeats_a_value(list));
            let is_even = uneven().is_none();
            if !repeats && is_even && width == 2 {
                return Err(ReadError::AmbiguousLists {
                    path: first.file.to_path_buf(),
                    line: first.line,
                });
            }
            if !repeats {
                return Ok(false);
            }
        }
    }
    match uneven() {
        None => Ok(true),
        Some((example, list)) => Err(ReadError::UnevenLists {
            path: example.file.to_path_buf(),
            line: example.line,
            found: list.len(),
            expected: width,
        }),
    }
}

fn repeats_a_value(list: &[String]) -> bool {
    let hot = list.iter().filter(|value| is_hot(value) == Some(true));
    let hot = hot.count();
    hot > 1 || list.len() - hot > 1
}

/// Turns every list of zeros and ones into the names of its classes. Returns the names of all.
fn name_the_hot(
    examples: &mut [Example],
    names: Option<&[String]>,
) -> Result<Vec<String>, ReadError> {
    let width = lists(examples).next().map_or(0, |(_, list)| list.len());
    let names = match names {
        Some(names) if names.len() == width => names.to_vec(),
        None => (0..width).map(|id| format!("LABEL_{id}")).collect(),
        Some(names) => {
            let file = examples.first().map(|example| example.file.to_path_buf());
            return Err(ReadError::NameCount {
                path: file.unwrap_or_default(),
                names: names.len(),
                classes: width,
            });
        }
    };
    for example in examples {
        if let Some(Label::Names(list)) = &mut example.label {
            let hot = list.iter().zip(&names);
            let hot = hot.filter(|(value, _)| is_hot(value) == Some(true));
            *list = hot.map(|(_, name)| name.clone()).collect();
        }
    }
    Ok(names)
}

/// Takes out the rows whose label says that they have none.
fn leave_out(
    dataset: &mut Dataset,
    unlabelled: &Unlabelled,
    has_names: bool,
) -> Result<(), ReadError> {
    let label = match unlabelled {
        Unlabelled::None => return Ok(()),
        Unlabelled::Label(label) => label.as_str(),
        Unlabelled::Auto if has_names || are_ids_from_0(&dataset.examples) => NO_LABEL_ID,
        Unlabelled::Auto => return Ok(()),
    };
    let rows = dataset.remove_label(label);
    if dataset.examples.is_empty() {
        return Err(ReadError::AllUnlabelled {
            path: dataset.path.clone(),
            label: label.to_owned(),
        });
    }
    if rows > 0 {
        dataset.notes.push(ReadNote::Unlabelled {
            path: dataset.path.clone(),
            rows,
            label: label.to_owned(),
            guessed: !has_names && *unlabelled == Unlabelled::Auto,
        });
    }
    Ok(())
}

/// Whether labels are ids as the hub's data sets have them: integers from 0 on, or nothing but −1.
fn are_ids_from_0(examples: &[Example]) -> bool {
    let mut has_0 = false;
    let mut is_all_unlabelled = true;
    for example in examples {
        let Some(Label::Name(name)) = &example.label else {
            return false;
        };
        if name != NO_LABEL_ID {
            is_all_unlabelled = false;
            if name.parse::<u32>().is_err() {
                return false;
            }
        }
        has_0 |= name == "0";
    }
    has_0 || is_all_unlabelled
}

/// Puts names in the place of ids.
fn name_the_ids(examples: &mut [Example], known: &KnownNames) -> Result<(), ReadError> {
    let all = examples.iter().filter_map(|one| one.label.as_ref());
    let are_names = all
        .flat_map(Label::class_names)
        .all(|name| known.names.iter().any(|known| *known == name));
    if are_names && !known.are_ids {
        return Ok(());
    }
    for example in examples {
        let (file, line) = (&example.file, example.line);
        let named = |label: &mut String| {
            let name = known.name_of(label);
            *label = name.ok_or_else(|| ReadError::UnknownId {
                path: file.to_path_buf(),
                line,
                label: label.clone(),
                names: known.names.clone(),
            })?;
            Ok::<_, ReadError>(())
        };
        match &mut example.label {
            Some(Label::Name(name)) => named(name)?,
            Some(Label::Names(names)) => names.iter_mut().try_for_each(named)?,
            Some(Label::Score(_)) | None => {}
        }
    }
    Ok(())
}

impl KnownNames {
    /// The name of an id, or the name itself.
    pub(super) fn name_of(&self, label: &str) -> Option<String> {
        let by_id = label.parse::<usize>().ok();
        let by_id = by_id.and_then(|id| self.names.get(id));
        let by_name = || self.names.iter().find(|name| *name == label);
        by_id.or_else(by_name).cloned()
    }
}
