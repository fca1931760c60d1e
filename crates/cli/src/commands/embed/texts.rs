//! Where the texts come from.

use std::path::Path;

use anyhow::{Result, bail};
use bert_text::{Column, ColumnOptions, Dataset, PredictInput};

use crate::failure::WrongUsage;
use crate::progress::Counter;
use crate::results::Results;
use crate::runner::predict::{CHUNK, Cut, Input};

/// Texts, one a line or in a column.
pub(super) enum Texts {
    /// Read as they are wanted, so that a stream without an end works too.
    Lines(Input<PredictInput>),
    /// A column of a file of rows.
    Column(Vec<PredictInput>),
}

impl Texts {
    /// Opens a file or standard input. Files of rows are read as a whole.
    pub(super) fn open(path: &Path, column: Option<&Column>) -> Result<Self> {
        let is_standard_input = path == Path::new("-");
        if is_standard_input && column.is_some() {
            return Err(
                WrongUsage("--text-column: standard input has no columns".to_owned()).into(),
            );
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        let has_columns = matches!(ending, Some("tsv" | "csv"));
        if is_standard_input || !(has_columns || column.is_some()) {
            return Ok(Self::Lines(Input::open(path)?));
        }
        read_column(path, column).map(Self::Column)
    }

    /// Hands all texts to `embed`, chunk by chunk; it returns how many it cut.
    pub(super) fn each_chunk(
        self,
        mut embed: impl FnMut(&[PredictInput]) -> Result<usize>,
    ) -> Result<Cut> {
        let texts = match self {
            Self::Lines(lines) => {
                let embed = |texts: &[PredictInput], _: &mut Results| embed(texts);
                return lines.each_chunk(false, &mut Results::new(), embed);
            }
            Self::Column(texts) => texts,
        };
        let counter = Counter::new();
        let mut cut = Cut {
            inputs: 0,
            of: texts.len(),
            skipped: 0,
        };
        for chunk in texts.chunks(CHUNK) {
            cut.inputs += embed(chunk)?;
            counter.add(chunk.len());
        }
        Ok(cut)
    }
}

fn read_column(path: &Path, column: Option<&Column>) -> Result<Vec<PredictInput>> {
    let options = ColumnOptions {
        text: column.cloned(),
        unlabelled: true,
        ..ColumnOptions::default()
    };
    let rows = Dataset::read(path, &options)?.examples;
    if rows.iter().any(|row| row.text_pair.is_some()) {
        bail!(
            "{}: its rows have two texts; choose one with --text-column",
            path.display()
        );
    }
    let rows = rows.into_iter();
    Ok(rows
        .map(|row| PredictInput {
            text: row.text,
            text_pair: None,
        })
        .collect())
}
