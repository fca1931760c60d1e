//! `bert train natural-language-inference`

use std::path::Path;

use anyhow::Result;
use bert_tasks::DropoutOverride;
use bert_tasks::natural_language_inference::{NliClassifier, NliData, NliTask};
use bert_train::TrainOptions;
use burn::tensor::Device;
use clap::Args;

use super::agreed;
use crate::commands::check::warn;
use crate::commands::fine_tune::{self, FineTune, FineTuneFlags, Prepared, Splits};
use crate::commands::row_files::RowFlags;
use crate::commands::text_classification::words;
use crate::describe;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    #[command(flatten)]
    rows: RowFlags,
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    fine_tune::run(args, &args.flags)
}

/// Pairs of sentences fit, and attention costs the square of it.
const DEFAULT_MAX_LENGTH: usize = 128;

impl FineTune for TrainArgs {
    type Data = Splits<NliData>;
    type Task = NliTask;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<NliData>> {
        let splits = self.rows.read(flags)?.try_map_into(agreed)?;
        let scheme = splits.train.scheme()?;
        for data in splits.all() {
            data.check_scheme(scheme)?;
        }
        warn(
            &splits.train.dataset,
            splits.eval.as_ref().map(|eval| &eval.dataset),
            true,
        );
        Ok(splits)
    }

    fn prepare(
        &self,
        flags: &FineTuneFlags,
        splits: Splits<NliData>,
        checkpoint: &Path,
        _options: &TrainOptions,
        device: &Device,
    ) -> Result<Prepared<NliTask>> {
        let (nli, head) = NliClassifier::for_training(
            checkpoint,
            &splits.train,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            DropoutOverride::both(flags.training.dropout),
        )?;
        let classifier = &nli.classifier;
        eprintln!("model   {}: {}", flags.model, words::model(classifier));
        eprintln!("head    {}", describe::head(head, classifier.labels.len()));
        let splits = splits.try_map(|data| {
            let split = nli.encode(data)?;
            eprintln!("data    {}", words::data(&split, classifier));
            Ok(split)
        })?;
        let (model, report) = classifier.load(head, device)?;
        eprintln!("load    {}", describe::load(&report));
        Ok(Prepared {
            task: NliTask::new(nli, splits.train, splits.eval),
            test: splits.test,
            model,
        })
    }
}
