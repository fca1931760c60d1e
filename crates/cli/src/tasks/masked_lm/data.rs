//! Which texts a masked language model reads, and how they are masked.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::pretraining::head::PretrainingModel;
use bert_tasks::pretraining::{Pretraining, Split};
use bert_text::{Documents, MaskingOptions, PlainTextError, TextLayout, TextPieces};
use clap::Args;

use crate::flags::share;
use crate::format::counted;
use crate::tasks::pretraining::{pairs, print_data};

#[derive(Debug, Args)]
#[command(next_help_heading = "Masking")]
pub(super) struct MaskingFlags {
    /// Share of the tokens to be predicted; 0.15: as in BERT's paper. The model sees 80 % of these as `[MASK]`, 10 % as a random
    /// token and 10 % as they are
    #[arg(long, value_name = "SHARE", default_value_t = MaskingOptions::default().probability, value_parser = share)]
    mlm_probability: f64,
    /// Mask whole words, all pieces of each, as Google's later BERT models do; by default each piece is chosen on its own
    #[arg(long)]
    whole_word: bool,
    /// Make one row of each line; by default the lines are joined and cut into rows of --max-length tokens, so that there
    /// is no padding and each token has the most context
    #[arg(long, conflicts_with = "next_sentence")]
    line_by_line: bool,
    /// Predict, too, whether one sentence follows another, and sum both losses, as transformers' BertForPreTraining does. The
    /// text then has one sentence a line and blank lines between documents
    #[arg(long)]
    pub(super) next_sentence: bool,
}

/// A text that has been checked.
#[derive(Clone)]
pub(super) enum Text {
    /// Lines of some files; they are read again when they are tokenized, so that a long text is never in memory as a whole.
    Lines(Vec<PathBuf>),
    Documents(Documents),
}

/// A command for one of the models that the flags can ask for.
pub(super) struct Command<'a, M> {
    pub(super) masking: &'a MaskingFlags,
    model: PhantomData<M>,
}

impl<'a, M> Command<'a, M> {
    pub(super) fn new(masking: &'a MaskingFlags) -> Self {
        Self {
            masking,
            model: PhantomData,
        }
    }
}

impl MaskingFlags {
    pub(super) fn options(&self) -> MaskingOptions {
        MaskingOptions {
            probability: self.mlm_probability,
            whole_word: self.whole_word,
        }
    }

    /// Reads a text and finds what is wrong with it. Standard input, which can be read but once, is read when it is tokenized.
    pub(super) fn read(&self, files: &[PathBuf]) -> Result<Text> {
        if self.next_sentence {
            return Ok(Text::Documents(Documents::open_files(files)?));
        }
        let can_be_read_again = files.iter().all(|file| file != Path::new("-"));
        if can_be_read_again {
            let mut pieces = TextPieces::open_files(files)?;
            let mut has_text = false;
            for piece in &mut pieces {
                has_text |= !piece?.text.trim().is_empty();
            }
            if !has_text {
                let path = pieces.path().to_owned();
                return Err(PlainTextError::NoText { path }.into());
            }
        }
        Ok(Text::Lines(files.to_vec()))
    }

    /// Tokenizes a text and describes it on standard error. `seed` draws the pairs of sentences.
    pub(super) fn encode<M: PretrainingModel>(
        &self,
        text: &Text,
        setup: &Pretraining<M>,
        seed: u64,
    ) -> Result<Split> {
        let layout = match self.line_by_line {
            true => TextLayout::LineByLine,
            false => TextLayout::Grouped,
        };
        let split = match text {
            Text::Lines(files) => setup.encode_text(TextPieces::open_files(files)?, layout)?,
            Text::Documents(documents) => setup.encode_pairs(documents, seed)?,
        };
        let tokens = counted(split.tokens(), "token");
        let content = match text {
            Text::Lines(_) => tokens,
            Text::Documents(documents) => {
                format!("{}, {tokens}", pairs(documents, &split))
            }
        };
        print_data(&split, &content, setup);
        Ok(split)
    }
}
