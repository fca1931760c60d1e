//! Where the vectors go.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use super::npy::NpyFile;
use crate::failure::WrongUsage;
use crate::results::Results;
use crate::runner::inputs::Failure;
use crate::whole_file::WholeFile;

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VectorFormat {
    Jsonl,
    Npy,
}

/// The output of `bert embed`.
pub(crate) enum Sink {
    /// JSON lines on standard output, as soon as they are computed.
    Standard(Results),
    /// JSON lines in a file.
    Lines(WholeFile),
    /// An array for NumPy.
    Npy(NpyFile),
}

/// The vector of one text.
#[derive(Serialize)]
struct Record<'a> {
    embedding: &'a [f32],
}

impl Sink {
    /// Makes sure that the output can be written.
    pub(super) fn begin(output: Option<&Path>, format: Option<VectorFormat>) -> Result<Self> {
        let Some(path) = output else {
            return match format {
                Some(VectorFormat::Npy) => {
                    Err(WrongUsage("--format npy: give the file with --output".to_owned()).into())
                }
                _ => Ok(Self::Standard(Results::new())),
            };
        };
        let format = format.or_else(|| format_of(path)).ok_or_else(|| {
            WrongUsage(format!(
                "--output {}: the ending says no format; give --format jsonl or --format npy",
                path.display()
            ))
        })?;
        Ok(match format {
            VectorFormat::Jsonl => Self::Lines(WholeFile::begin(path)?),
            VectorFormat::Npy => Self::Npy(NpyFile::begin(path)?),
        })
    }

    /// Adds vectors.
    pub(super) fn write(&mut self, vectors: &[Vec<f32>]) -> Result<()> {
        for vector in vectors {
            let record = Record { embedding: vector };
            match self {
                Self::Standard(results) => results.json_line(&record)?,
                Self::Lines(file) => file.json_line(&record)?,
                Self::Npy(file) => file.row(vector)?,
            }
        }
        Ok(())
    }

    /// Adds what stands in the place of a vector of this length: a record that says why, or a row of NaN.
    pub(super) fn fail(&mut self, failure: &Failure, dimension: usize) -> Result<()> {
        match self {
            Self::Standard(results) => results.json_line(failure),
            Self::Lines(file) => file.json_line(failure),
            Self::Npy(file) => file.row(&vec![f32::NAN; dimension]),
        }
    }

    /// Makes sure that what somebody waits for has arrived.
    pub(super) fn flush(&mut self) -> Result<()> {
        match self {
            Self::Standard(results) => results.flush(),
            Self::Lines(_) | Self::Npy(_) => Ok(()),
        }
    }

    /// Gives a file its name, now that all vectors are in it.
    pub(super) fn finish(self, vectors: usize, dimension: usize) -> Result<()> {
        match self {
            Self::Standard(_) => Ok(()),
            Self::Lines(file) => file.commit(),
            Self::Npy(file) => file.commit([vectors, dimension]),
        }
    }
}

fn format_of(path: &Path) -> Option<VectorFormat> {
    match path.extension()?.to_str()? {
        "npy" => Some(VectorFormat::Npy),
        "jsonl" | "ndjson" | "json" => Some(VectorFormat::Jsonl),
        _ => None,
    }
}
