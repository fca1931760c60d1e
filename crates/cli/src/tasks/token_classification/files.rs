//! How to read a file of tagged words.

use std::path::PathBuf;

use anyhow::Result;
use bert_tasks::token_classification::convert_tags;
use bert_tasks::token_classification::head::tags::Scheme;
use bert_text::{Column, TagColumns, TaggedDataset};
use clap::{Args, ValueEnum};

use crate::flags::names;

#[derive(Debug, Args)]
#[command(next_help_heading = "Data files")]
pub(crate) struct TagFileFlags {
    /// Column of the word, in a CoNLL file by index from 0, else by name; by default the first, or tokens or words
    #[arg(long, value_name = "COLUMN")]
    token_column: Option<Column>,
    /// Column of the tag, in a CoNLL file by index from 0, else by name; by default the last, or ner_tags, tags or labels
    #[arg(long, value_name = "COLUMN")]
    tag_column: Option<Column>,
    /// Names of the tags in the order of their ids, separated by commas, for data that has ids; by default those in the
    /// metadata of Parquet, Arrow or dataset_info.json, if there are any
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    label_names: Vec<String>,
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
    pub(crate) fn read(&self, files: &[PathBuf]) -> Result<TaggedDataset> {
        let columns = TagColumns {
            word: self.token_column.clone(),
            tag: self.tag_column.clone(),
            label_names: names(&self.label_names),
        };
        let mut data = TaggedDataset::read_files(files, &columns)?;
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
