//! The flags of `bert embed`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use bert_tasks::TaskError;
use bert_tasks::sentence_embedding::SentenceEmbedder;
use bert_tasks::sentence_embedding::head::{Pooling, PoolingMode};
use bert_text::PredictInput;
use clap::Args;

use super::sink::{Sink, VectorFormat};
use crate::flags::at_least_one;
use crate::runner::inputs::{Input, InputFlags};

#[derive(Debug, Args)]
pub(crate) struct EmbedFiles {
    #[command(flatten)]
    input: InputFlags,
    /// Where the vectors go, in the order of the texts; by default standard output. The file is written as a whole or not at
    /// all
    #[arg(long, short, value_name = "FILE", help_heading = "Vectors")]
    output: Option<PathBuf>,
    /// jsonl: a JSON object with "embedding" for each text; npy: an array for NumPy, one row for each text. By default what
    /// the ending of the file says
    #[arg(long, value_enum, help_heading = "Vectors")]
    format: Option<VectorFormat>,
}

impl EmbedFiles {
    /// Opens the texts.
    pub(super) fn open(&self) -> Result<Input<PredictInput>> {
        let texts = self.input.open()?;
        if texts.has_pairs() {
            bail!(
                "{}: its rows have two texts; choose one with --text-column",
                self.input.path().display()
            );
        }
        Ok(texts)
    }

    /// Begins the output.
    pub(super) fn sink(&self) -> Result<Sink> {
        Sink::begin(self.output.as_deref(), self.format)
    }
}

/// What is to be otherwise than the model's directory has it.
#[derive(Debug, Args)]
pub(crate) struct VectorFlags {
    /// How tokens become a vector, in place of what the model's directory says: cls, max, mean, mean_sqrt_len_tokens,
    /// weightedmean, lasttoken. Several, with commas between, stand one behind the other
    #[arg(
        long,
        value_name = "MODE",
        value_delimiter = ',',
        help_heading = "Vectors"
    )]
    pooling: Vec<PoolingMode>,
    /// Give every vector length 1 at last
    #[arg(long, overrides_with = "no_normalize", help_heading = "Vectors")]
    normalize: bool,
    /// Leave out the normalisation that the model's directory has
    #[arg(long, overrides_with = "normalize", help_heading = "Vectors")]
    no_normalize: bool,
    /// Put this before each text, in place of the model's default prompt; an empty one is none
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "prompt_name",
        help_heading = "Vectors"
    )]
    prompt: Option<String>,
    /// Put the prompt that the model's directory has under this name before each text
    #[arg(long, value_name = "NAME", help_heading = "Vectors")]
    prompt_name: Option<String>,
    /// Keep the first numbers of each vector alone, for models that are trained for it (Matryoshka). What is left has length 1
    /// with --normalize alone, as in sentence-transformers
    #[arg(long, value_name = "N", value_parser = at_least_one, help_heading = "Vectors")]
    truncate_dim: Option<NonZeroUsize>,
}

impl VectorFlags {
    pub(super) fn chooses_pooling(&self) -> bool {
        !self.pooling.is_empty()
    }

    /// Opens a directory, and changes what the flags say.
    pub(super) fn open(
        &self,
        dir: &Path,
        max_length: Option<usize>,
    ) -> Result<SentenceEmbedder, TaskError> {
        let mut embedder = SentenceEmbedder::open(dir, max_length)?;
        if let Some(pooling) = Pooling::of(self.pooling.clone()) {
            embedder.set_pooling(pooling)?;
        }
        if let Some(name) = &self.prompt_name {
            embedder.use_prompt(name)?;
        }
        if let Some(prompt) = &self.prompt {
            embedder.set_prompt(prompt);
        }
        if let Some(dimension) = self.truncate_dim {
            embedder.set_truncate_dim(dimension.get())?;
        }
        if self.normalize || self.no_normalize {
            embedder.set_normalized(self.normalize);
        }
        Ok(embedder)
    }
}
