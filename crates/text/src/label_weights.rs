//! Files that give each class a weight.

use std::fs;
use std::path::{Path, PathBuf};

use bert_json::JsonError;
use serde_json::{Map, Value};

use crate::LabelSet;

/// Why a file of weights cannot be used. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum LabelWeightsError {
    /// The file could not be read.
    #[error("{path}: cannot read: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file should be JSON and is not.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A line without a label and a weight.
    #[error("{path}, line {line}: expected a label, a tab and a weight, but the line is {content:?}", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What it holds.
        content: String,
    },
    /// A weight that no loss can have.
    #[error("{path}: the weight of {label:?} is {weight}; expected a finite number above 0", path = .path.display())]
    Weight {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
        /// Its weight.
        weight: String,
    },
    /// A label with two weights.
    #[error("{path}: the label {label:?} has two weights; give it one", path = .path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
    },
    /// A label that the data does not have.
    #[error("{path}: unknown label {label:?}; the labels of the data are {}", .known.join(", "), path = .path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
        /// Those of the data.
        known: Vec<String>,
    },
    /// Labels of the data that the file does not have.
    #[error("{path}: no weight for {}; give every label of the data one", .labels.join(", "), path = .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The labels.
        labels: Vec<String>,
    },
}

/// A weight for each of some labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelWeights {
    path: PathBuf,
    weights: Vec<(String, f32)>,
}

impl LabelWeights {
    /// Reads a JSON object (`.json`), or lines of a label, a tab and a weight, with or without a line `label`, tab, `weight`
    /// before them.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is of another form, or holds a weight that is no finite number above 0.
    pub fn read(path: &Path) -> Result<Self, LabelWeightsError> {
        let content = fs::read(path).map_err(|source| LabelWeightsError::Read {
            path: path.to_owned(),
            source,
        })?;
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let written = match is_json {
            true => of_json(path, &content)?,
            false => of_lines(path, &String::from_utf8_lossy(&content))?,
        };
        let weigh = |(label, weight): (String, String)| match weight.parse::<f32>() {
            Ok(number) if number.is_finite() && number > 0.0 => Ok((label, number)),
            _ => Err(LabelWeightsError::Weight {
                path: path.to_owned(),
                label,
                weight,
            }),
        };
        Ok(Self {
            path: path.to_owned(),
            weights: written.into_iter().map(weigh).collect::<Result<_, _>>()?,
        })
    }

    /// The weight of each label of a set, in id order. `name` says which label of the set a label of the file means.
    ///
    /// # Errors
    ///
    /// The file has a label that the set lacks, lacks one that the set has, or has one twice.
    pub fn resolve(
        &self,
        labels: &LabelSet,
        name: impl Fn(&str) -> String,
    ) -> Result<Vec<f32>, LabelWeightsError> {
        let mut found: Vec<Option<f32>> = vec![None; labels.len()];
        for (label, weight) in &self.weights {
            let id = labels
                .id(&name(label))
                .ok_or_else(|| LabelWeightsError::Unknown {
                    path: self.path.clone(),
                    label: label.clone(),
                    known: labels.names().to_vec(),
                })?;
            if found[id].replace(*weight).is_some() {
                return Err(LabelWeightsError::Twice {
                    path: self.path.clone(),
                    label: label.clone(),
                });
            }
        }
        let missing = found.iter().zip(labels.names());
        let missing: Vec<String> = missing
            .filter(|(weight, _)| weight.is_none())
            .map(|(_, label)| label.clone())
            .collect();
        match missing.is_empty() {
            true => Ok(found.into_iter().flatten().collect()),
            false => Err(LabelWeightsError::Missing {
                path: self.path.clone(),
                labels: missing,
            }),
        }
    }
}

fn of_json(path: &Path, content: &[u8]) -> Result<Vec<(String, String)>, LabelWeightsError> {
    let object: Map<String, Value> = bert_json::from_slice_unique(path, content)?;
    Ok(object
        .into_iter()
        .map(|(label, weight)| (label, weight.to_string()))
        .collect())
}

fn of_lines(path: &Path, content: &str) -> Result<Vec<(String, String)>, LabelWeightsError> {
    let content = content.trim_start_matches('\u{feff}');
    let mut rows = Vec::new();
    for (index, line) in content.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let (label, weight) = line
            .rsplit_once('\t')
            .ok_or_else(|| LabelWeightsError::Line {
                path: path.to_owned(),
                line: index + 1,
                content: line.to_owned(),
            })?;
        if !(rows.is_empty() && (label, weight) == ("label", "weight")) {
            rows.push((label.trim().to_owned(), weight.trim().to_owned()));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> LabelSet {
        LabelSet::new(vec!["bad".into(), "very good".into()]).expect("two names")
    }

    fn read(name: &str, content: &str) -> Result<Vec<f32>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        let weights = LabelWeights::read(&path).map_err(|error| error.to_string())?;
        weights
            .resolve(&labels(), str::to_owned)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn lines_and_json_give_the_weights_in_id_order() {
        let expected = Ok(vec![2.0, 0.5]);
        assert_eq!(read("w.tsv", "very good\t0.5\nbad\t2\n"), expected);
        let with_header = "\u{feff}label\tweight\r\n\nbad\t2\r\nvery good\t5e-1\r\n";
        assert_eq!(read("w.txt", with_header), expected);
        assert_eq!(read("w.json", "{\"very good\": 0.5, \"bad\": 2}"), expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (
                "w.tsv",
                "bad\t1\nawful\t2\nvery good\t1",
                "unknown label \"awful\"",
            ),
            ("w.tsv", "bad\t1\n", "no weight for very good"),
            (
                "w.tsv",
                "bad\t1\nvery good\t2\nbad\t1\n",
                "\"bad\" has two weights",
            ),
            ("w.tsv", "bad 1\n", "line 1"),
            (
                "w.tsv",
                "bad\t0\nvery good\t1",
                "the weight of \"bad\" is 0",
            ),
            ("w.tsv", "bad\tinf\nvery good\t1", "is inf"),
            (
                "w.json",
                "{\"bad\": \"1\"}",
                "the weight of \"bad\" is \"1\"",
            ),
            ("w.json", "[1, 2]", "w.json, line 1"),
        ];
        for (name, content, words) in cases {
            let message = read(name, content).expect_err(words);
            assert!(message.contains(words), "{message}");
        }
    }
}
