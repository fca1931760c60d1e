//! `bert train next-sentence`

use std::path::Path;

use anyhow::Result;
use bert_pretraining::ModelForNextSentencePrediction;
use bert_tasks::DropoutOverride;
use bert_tasks::pretraining::PretrainingTask;
use bert_text::{Documents, MaskingOptions};
use bert_train::TrainOptions;
use burn::tensor::Device;
use clap::Args;

use super::{Setup, encode, model};
use crate::commands::fine_tune::{self, FineTune, FineTuneFlags, Prepared, Splits};
use crate::describe;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    fine_tune::run(args, &args.flags)
}

/// Most pairs of sentences fit, and attention costs the square of it.
const DEFAULT_MAX_LENGTH: usize = 128;

impl FineTune for TrainArgs {
    type Data = Splits<Documents>;
    type Task = PretrainingTask<ModelForNextSentencePrediction>;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Documents>> {
        flags.read(|path| Ok(Documents::open(path)?))
    }

    fn prepare(
        &self,
        flags: &FineTuneFlags,
        data: Splits<Documents>,
        checkpoint: &Path,
        options: &TrainOptions,
        device: &Device,
    ) -> Result<Prepared<Self::Task>> {
        let setup = Setup::for_training(
            checkpoint,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            MaskingOptions::default(),
            DropoutOverride::both(flags.training.dropout),
        )?;
        eprintln!("model   {}: {}", flags.model, model(&setup));
        let splits = data.try_map_seeded(options.seed, |documents, seed| {
            encode(documents, &setup, seed)
        })?;
        let (model, report) = setup.load_for_training(device)?;
        eprintln!("load    {}", describe::load(&report));
        let task = PretrainingTask {
            setup,
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
