//! How to read a file of tagged words.

use std::path::Path;

use anyhow::Result;
use bert_tasks::token_classification::convert_tags;
use bert_tasks::token_classification::head::tags::Scheme;
use bert_text::{TagColumns, TaggedDataset};
use clap::{Args, ValueEnum};

use crate::flags::integer;

#[derive(Debug, Args)]
#[command(next_help_heading = "Data files")]
pub(crate) struct TagFileFlags {
    /// Column of the word in a CoNLL file, counted from 0; 0: as in the usual files
    #[arg(long, value_name = "INDEX", default_value_t = 0, value_parser = integer)]
    token_column: usize,
    /// Column of the tag in a CoNLL file, counted from 0; by default the last
    #[arg(long, value_name = "INDEX", value_parser = integer)]
    tag_column: Option<usize>,
    /// Convert the tags to this scheme after reading; keep: as the file has them. The reader knows all of the schemes
    #[arg(long, value_enum, default_value_t = SchemeWord::Keep)]
    scheme: SchemeWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemeWord {
    Keep,
    Iob1,
    Bio,
    Iobes,
}

impl TagFileFlags {
    pub(crate) fn read(&self, path: &Path) -> Result<TaggedDataset> {
        let columns = TagColumns {
            word: self.token_column,
            tag: self.tag_column,
        };
        let mut data = TaggedDataset::read(path, columns)?;
        let scheme = match self.scheme {
            SchemeWord::Keep => return Ok(data),
            SchemeWord::Iob1 => Scheme::Iob1,
            SchemeWord::Bio => Scheme::Iob2,
            SchemeWord::Iobes => Scheme::Iobes,
        };
        convert_tags(&mut data, scheme)?;
        Ok(data)
    }
}
