//! `bert train token-classification`

use std::path::Path;

use anyhow::Result;
use bert_tasks::DropoutOverride;
use bert_tasks::token_classification::{TokenClassificationTask, TokenClassifier};
use bert_text::{Alignment, LabelSet, TaggedDataset};
use bert_train::TrainOptions;
use burn::tensor::Device;
use clap::{Args, ValueEnum};

use super::words;
use crate::commands::check::token_classification::warn;
use crate::commands::fine_tune::{self, FineTune, FineTuneFlags, Prepared, Splits};
use crate::describe;
use crate::flags::TagFileFlags;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    /// Which sub-tokens of a word are learned; first: as in BERT's paper; all: every one, the later ones of a B- word as I-
    #[arg(long, value_enum, default_value_t = AlignmentWord::First)]
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

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    fine_tune::run(args, &args.flags)
}

/// Sentences fit, and attention costs the square of it; longer ones are cut into windows.
pub(crate) const DEFAULT_MAX_LENGTH: usize = 128;

impl FineTune for TrainArgs {
    type Data = Splits<TaggedDataset>;
    type Task = TokenClassificationTask;

    fn read(&self, flags: &FineTuneFlags) -> Result<Self::Data> {
        let splits = flags.read(|path| self.files.read(path))?;
        // The checkpoint may order the labels otherwise, but has no say in which there are.
        let labels = LabelSet::from_tags(&splits.train)?;
        for data in splits.all() {
            labels.resolve_tags(data)?;
        }
        warn(&splits.train, splits.eval.as_ref());
        Ok(splits)
    }

    fn prepare(
        &self,
        flags: &FineTuneFlags,
        data: Self::Data,
        checkpoint: &Path,
        _options: &TrainOptions,
        device: &Device,
    ) -> Result<Prepared<TokenClassificationTask>> {
        let (classifier, head) = TokenClassifier::for_training(
            checkpoint,
            &data.train,
            self.alignment.alignment(),
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            DropoutOverride::both(flags.training.dropout),
        )?;
        eprintln!("model   {}: {}", flags.model, words::model(&classifier));
        eprintln!("head    {}", describe::head(head, classifier.labels.len()));
        let splits = data.try_map(|dataset| {
            let split = classifier.encode(dataset)?;
            eprintln!("data    {}", words::data(&split, &classifier));
            Ok(split)
        })?;
        let (model, report) = classifier.load(head, device)?;
        eprintln!("load    {}", describe::load(&report));
        let task = TokenClassificationTask {
            classifier,
            train: splits.train,
            eval: splits.eval,
        };
        Ok(Prepared {
            task,
            test: splits.test,
            model,
        })
    }
}
