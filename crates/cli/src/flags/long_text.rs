//! What a classifier reads of a long text.

use anyhow::Result;
use bert_tasks::{LongText, WindowPool};
use clap::{Args, ValueEnum};

use super::values::integer;
use crate::failure::WrongUsage;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Long texts")]
pub(crate) struct LongTextFlags {
    /// What is read of a text that is longer than --max-length; truncate: its beginning; head-tail: its beginning and its end, a
    /// quarter and three quarters of the tokens; windows: all of it, in windows whose outputs become one answer. By default
    /// truncate in training, and as the model was trained after that
    #[arg(long, value_enum, value_name = "STRATEGY")]
    long_text: Option<Strategy>,
    /// Tokens that neighbouring windows share; by default a quarter of --max-length
    #[arg(long, value_name = "TOKENS", value_parser = integer)]
    stride: Option<usize>,
    /// How the outputs of a text's windows become one; mean: of each output (the default); max: the highest of each output
    #[arg(long, value_enum, value_name = "POOL")]
    window_pool: Option<Pool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Strategy {
    Truncate,
    HeadTail,
    Windows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Pool {
    #[default]
    Mean,
    Max,
}

impl LongTextFlags {
    /// Makes sure that flags about windows come with windows.
    pub(crate) fn check(&self) -> Result<()> {
        let given = [
            ("--stride", self.stride.is_some()),
            ("--window-pool", self.window_pool.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) if self.long_text != Some(Strategy::Windows) => Err(WrongUsage(
                format!("{flag} is about windows; give --long-text windows as well"),
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// What was asked for, if anything was.
    pub(crate) fn long_text(&self) -> Option<LongText> {
        Some(match self.long_text? {
            Strategy::Truncate => LongText::Truncate,
            Strategy::HeadTail => LongText::HeadTail,
            Strategy::Windows => LongText::Windows {
                stride: self.stride,
                pool: match self.window_pool.unwrap_or_default() {
                    Pool::Mean => WindowPool::Mean,
                    Pool::Max => WindowPool::Max,
                },
            },
        })
    }
}
