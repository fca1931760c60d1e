//! `bert train text-classification`

use std::path::Path;

use anyhow::Result;
use bert_tasks::DropoutOverride;
use bert_tasks::text_classification::{
    Targets, TextClassificationTask, TextClassifier, guess_problem_type,
};
use bert_text::{Dataset, LabelSet};
use bert_text_classification::ProblemType;
use bert_train::TrainOptions;
use burn::tensor::Device;
use clap::{Args, ValueEnum};

use super::words;
use crate::commands::check::warn;
use crate::commands::fine_tune::{self, FineTune, FineTuneFlags, Prepared, Splits};
use crate::commands::row_files::RowFlags;
use crate::describe;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    /// What the labels are; auto: several classes a row are multi-label, numbers with fractions a regression,
    /// everything else is single-label
    #[arg(long, value_enum, default_value_t = ProblemTypeWord::Auto)]
    problem_type: ProblemTypeWord,
    #[command(flatten)]
    rows: RowFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProblemTypeWord {
    Auto,
    SingleLabel,
    MultiLabel,
    Regression,
}

impl ProblemTypeWord {
    fn resolve(self, data: &Dataset) -> ProblemType {
        match self {
            Self::Auto => guess_problem_type(data),
            Self::SingleLabel => ProblemType::SingleLabelClassification,
            Self::MultiLabel => ProblemType::MultiLabelClassification,
            Self::Regression => ProblemType::Regression,
        }
    }
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    fine_tune::run(args, &args.flags)
}

/// The files of a run, whose labels agree.
pub(crate) struct Data {
    splits: Splits<Dataset>,
    problem_type: ProblemType,
}

/// Sentences and most pairs fit, and attention costs the square of it.
pub(crate) const DEFAULT_MAX_LENGTH: usize = 128;

impl FineTune for TrainArgs {
    type Data = Data;
    type Task = TextClassificationTask;

    fn read(&self, flags: &FineTuneFlags) -> Result<Data> {
        let splits = self.rows.read(flags)?;
        let problem_type = self.problem_type.resolve(&splits.train);
        // The checkpoint may order the labels otherwise, but has no say in which there are.
        let labels = match problem_type {
            ProblemType::Regression => LabelSet::new(Vec::new())?,
            _ => LabelSet::from_dataset(&splits.train)?,
        };
        for data in splits.all() {
            Targets::of(data, &labels, problem_type)?;
        }
        let has_classes = problem_type != ProblemType::Regression;
        warn(&splits.train, splits.eval.as_ref(), has_classes);
        Ok(Data {
            splits,
            problem_type,
        })
    }

    fn prepare(
        &self,
        flags: &FineTuneFlags,
        data: Data,
        checkpoint: &Path,
        _options: &TrainOptions,
        device: &Device,
    ) -> Result<Prepared<TextClassificationTask>> {
        let (classifier, head) = TextClassifier::for_training(
            checkpoint,
            &data.splits.train,
            data.problem_type,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            DropoutOverride::both(flags.training.dropout),
        )?;
        eprintln!("model   {}: {}", flags.model, words::model(&classifier));
        eprintln!("head    {}", describe::head(head, classifier.labels.len()));
        let splits = data.splits.try_map(|dataset| {
            let split = classifier.encode(dataset)?;
            eprintln!("data    {}", words::data(&split, &classifier));
            Ok(split)
        })?;
        let (model, report) = classifier.load(head, device)?;
        eprintln!("load    {}", describe::load(&report));
        let task = TextClassificationTask {
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
