//! `bert train token-classification`

use std::path::Path;

use anyhow::Result;
use bert_report::UsedFor;
use bert_tasks::token_classification::{Split, TokenClassifier};
use bert_tasks::{HeadOrigin, TaskError};
use bert_text::{Alignment, LabelSet, TaggedDataset};
use clap::{Args, ValueEnum};

use super::check::warn;
use super::files::TagFileFlags;
use super::{DEFAULT_MAX_LENGTH, encode};
use crate::failure::WrongUsage;
use crate::flags::{Classes, LossFlags, print_notes};
use crate::runner::repeats::{FoldRows, Folds};
use crate::runner::train::{self, FineTune, FineTuneFlags, Role, Splits};

/// Words to tags: named entities, parts of speech. Data: CoNLL columns (a word and its tag a line, sentences apart by blank
/// lines), or JSON Lines, Parquet or Arrow with "tokens" and "ner_tags"
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    /// Which sub-tokens of a word have its tag in training; first: as in BERT's paper; all: every one, those after the first of a
    /// B- word with I-
    #[arg(long, value_enum, default_value_t = AlignmentWord::First, help_heading = "Task")]
    alignment: AlignmentWord,
    #[command(flatten)]
    files: TagFileFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlignmentWord {
    First,
    All,
}

impl AlignmentWord {
    fn alignment(self) -> Alignment {
        match self {
            Self::First => Alignment::First,
            Self::All => Alignment::All,
        }
    }
}

impl TrainArgs {
    pub(crate) fn run(&self) -> Result<()> {
        train::run(self, &self.flags)
    }
}

impl FineTune for TrainArgs {
    const USED_FOR: UsedFor = UsedFor {
        task: "token-classification",
        pipeline_tag: Some("token-classification"),
        input_line: "Ada Lovelace met Charles Babbage in London",
        python: r#"from transformers import pipeline

find = pipeline("token-classification", model="MODEL", aggregation_strategy="simple")
print(find("Ada Lovelace met Charles Babbage in London"))"#,
    };
    type Model = TokenClassifier;
    type Data = TaggedDataset;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<TaggedDataset>> {
        let splits = flags.read(|files| self.files.read(files))?;
        for data in splits.all() {
            print_notes(&data.notes);
        }
        // The checkpoint decides the order of the labels, but not which labels there are.
        let labels = LabelSet::from_tags(&splits.train)?;
        for data in splits.all() {
            labels.resolve_tags(data)?;
        }
        warn(&splits.train, splits.eval.as_ref());
        Ok(splits)
    }

    fn classes(&self, data: &Splits<TaggedDataset>) -> Result<Classes> {
        Ok(Classes::OneAWord(LabelSet::from_tags(&data.train)?))
    }

    fn set_loss(
        &self,
        loss: &LossFlags,
        classifier: &mut TokenClassifier,
        train: &Split,
    ) -> Result<()> {
        let balanced = || classifier.balanced_class_weights(train);
        let options = loss.options(&classifier.labels, Self::label_name, balanced)?;
        Ok(classifier.set_loss(options)?)
    }

    fn folds(&self) -> Option<&dyn Folds<TaggedDataset>> {
        Some(self)
    }

    fn open(
        &self,
        flags: &FineTuneFlags,
        data: &Splits<TaggedDataset>,
        checkpoint: &Path,
    ) -> Result<(TokenClassifier, HeadOrigin), TaskError> {
        TokenClassifier::for_training(
            checkpoint,
            &data.train,
            self.alignment.alignment(),
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            flags.training.dropout(),
        )
    }

    fn encode(
        &self,
        classifier: &TokenClassifier,
        data: TaggedDataset,
        _role: Role,
        _seed: u64,
    ) -> Result<Split> {
        encode(classifier, &data)
    }
}

/// Sentences are spread by chance alone: each has tags of several kinds.
impl Folds<TaggedDataset> for TrainArgs {
    fn rows(&self, flags: &FineTuneFlags, data: &TaggedDataset) -> Result<FoldRows> {
        if flags.repeats.group_column.is_some() {
            let message = "--group-column: files of tags have a line for each word and no column for a sentence";
            return Err(WrongUsage(message.to_owned()).into());
        }
        Ok(FoldRows::alike(data.sentences.len()))
    }

    fn subset(&self, data: &TaggedDataset, rows: &[usize]) -> TaggedDataset {
        let names = LabelSet::from_tags(data).map(|labels| labels.names().to_vec());
        data.subset(rows, names.unwrap_or_default())
    }
}
