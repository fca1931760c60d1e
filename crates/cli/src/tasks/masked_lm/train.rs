//! `bert train masked-lm`

use std::marker::PhantomData;
use std::path::Path;

use anyhow::Result;
use bert_pretraining::{ModelForMaskedLM, ModelForPreTraining, PretrainingModel};
use bert_tasks::DropoutOverride;
use bert_tasks::pretraining::{Pretraining, PretrainingTask};
use bert_train::TrainOptions;
use burn::tensor::Device;
use clap::Args;

use super::data::{MaskingFlags, Text};
use crate::commands::fine_tune::{self, FineTune, FineTuneFlags, Prepared, Splits};
use crate::describe;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    #[command(flatten)]
    masking: MaskingFlags,
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    if args.masking.next_sentence {
        fine_tune::run(&Command::<ModelForPreTraining>::new(args), &args.flags)
    } else {
        fine_tune::run(&Command::<ModelForMaskedLM>::new(args), &args.flags)
    }
}

/// The command for one of the models.
struct Command<'a, M> {
    args: &'a TrainArgs,
    model: PhantomData<M>,
}

impl<'a, M> Command<'a, M> {
    fn new(args: &'a TrainArgs) -> Self {
        Self {
            args,
            model: PhantomData,
        }
    }
}

/// Most sentences fit, and attention costs the square of it.
pub(crate) const DEFAULT_MAX_LENGTH: usize = 128;

impl<M: PretrainingModel> FineTune for Command<'_, M> {
    type Data = Splits<Text>;
    type Task = PretrainingTask<M>;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Text>> {
        flags.read(|path| self.args.masking.read(path))
    }

    fn prepare(
        &self,
        flags: &FineTuneFlags,
        data: Splits<Text>,
        checkpoint: &Path,
        options: &TrainOptions,
        device: &Device,
    ) -> Result<Prepared<PretrainingTask<M>>> {
        let masking = &self.args.masking;
        let setup = Pretraining::<M>::for_training(
            checkpoint,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            masking.options(),
            DropoutOverride::both(flags.training.dropout),
        )?;
        let outputs = describe::pretraining_outputs::<M>();
        eprintln!(
            "model   {}: {}",
            flags.model,
            describe::model(&setup.pretrained, outputs)
        );
        let splits = data.try_map_seeded(options.seed, |text, seed| {
            masking.encode(text, &setup, seed)
        })?;
        for split in [&splits.eval, &splits.test].into_iter().flatten() {
            setup.check_evaluation(split)?;
        }
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
