//! The numbers of a training run, the same for every task.

use anyhow::Result;
use bert_tasks::{DropoutOverride, MaxLength};
use bert_train::{Batching, FeatureCache, Sampler, ScheduleShape, TrainError, TrainOptions, Tune};
use clap::{Args, ValueEnum};

use super::values::{dropout, integer};
use super::{LossFlags, PrecisionWord};
use crate::failure::WrongUsage;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Training", allow_negative_numbers = true)]
pub(crate) struct TrainingFlags {
    /// Passes over the training data, fractions allowed; 3: the middle of the 2 to 4 that BERT's paper recommends
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().epochs)]
    epochs: f64,
    /// Stop after this many optimiser steps; by default --epochs decides
    #[arg(long, value_name = "N", value_parser = integer)]
    max_steps: Option<usize>,
    /// Rows of one forward pass; 32: the larger of the two sizes that BERT's paper recommends, which takes less time per row
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().batch_size, value_parser = integer)]
    batch_size: usize,
    /// Forward passes of one optimiser step, whose gradients add up: a large batch in little memory; 1: a batch that fits
    /// into memory needs no more
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().accumulation_steps, value_parser = integer)]
    accumulation_steps: usize,
    /// Learning rate at the end of the warm-up; 5e-5: the highest that BERT's paper recommends (5e-5, 3e-5, 2e-5),
    /// which suits small models and few epochs; try the lower ones for base-sized models
    #[arg(long, value_name = "RATE", default_value = "5e-5")]
    lr: f64,
    /// Longest sequence in tokens; the tokenizer cuts the rest of a text. By default 128: holds sentences and most pairs,
    /// while the cost of attention grows with the square of the length. Question answering takes 384, as BERT's paper does
    #[arg(long, value_name = "TOKENS", value_parser = integer)]
    max_length: Option<usize>,
    /// How the learning rate goes after the warm-up, by the words of transformers; linear: down to 0, as in Google's
    /// BERT code; cosine: down to 0 along half a cosine; constant: no change and no warm-up, whatever --warmup-ratio
    /// says; constant_with_warmup: no change after the warm-up
    #[arg(long, value_enum, default_value_t = ScheduleWord::Linear)]
    schedule: ScheduleWord,
    /// Share of all steps over which the learning rate rises from 0; 0.1: as in Google's BERT code; without
    /// warm-up the first steps, whose gradients are the noisiest, would be the largest
    #[arg(long, value_name = "SHARE", default_value_t = TrainOptions::default().warmup_ratio)]
    warmup_ratio: f64,
    /// Decoupled weight decay of all parameters but biases and LayerNorm; 0.01: as in Google's BERT code
    #[arg(long, value_name = "FACTOR", default_value_t = TrainOptions::default().weight_decay)]
    weight_decay: f64,
    /// Largest global norm of the gradients, 0 for no limit; 1.0: as in Google's BERT code
    #[arg(long, value_name = "NORM", default_value_t = 1.0)]
    max_grad_norm: f64,
    /// Dropout on hidden states and on attention, 0 for none; by default what the checkpoint's config.json says (BERT:
    /// 0.1)
    #[arg(long, value_name = "PROBABILITY", value_parser = dropout)]
    dropout: Option<f64>,
    /// Seed of new weights, the order of rows and dropout; equal seeds give equal runs; 42: any number would do
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().seed)]
    pub(crate) seed: u64,
    /// Numbers in which linear layers and attention multiply in training, on flex and ndarray; bf16: operands are rounded to
    /// bfloat16 and sums are not, which takes less time and memory on processors with AVX-512 BF16; weights, evaluations and
    /// what is saved keep single precision; f32: the figures of the book are of that
    #[arg(long, value_enum, default_value_t = PrecisionWord::F32)]
    precision: PrecisionWord,
    /// The part of the model that is trained: head, last:K (the head and the last K layers), bitfit (the head and all biases),
    /// lora (the head and low-rank adapters, which are saved apart in PEFT's layout) or all; all: the most accurate; the others
    /// are faster and need less memory. lora takes settings: lora:rank=8,alpha=16,dropout=0,targets=query+value,dora,rslora,
    /// of which rank, alpha and dropout are the defaults; targets are PEFT's of the family, or all-linear
    #[arg(long, value_name = "PART", default_value_t = TrainOptions::default().tune)]
    tune: Tune,
    /// Learning rate of the head, pooler included, at the end of the warm-up; by default that of --lr
    #[arg(long, value_name = "RATE")]
    head_lr: Option<f64>,
    /// How much slower each layer learns than the one above it: the top layer at this factor of --lr, the next at its square,
    /// the embeddings slowest; 1: all at one rate; 0.65 to 0.95 are usual
    #[arg(long, value_name = "FACTOR", default_value_t = TrainOptions::default().layer_decay)]
    layer_decay: f64,
    /// Keep the embeddings as they are, which saves their share of the optimiser's work: most of the parameters of a small
    /// model
    #[arg(long)]
    freeze_embeddings: bool,
    /// Keep dropout in the part that --tune freezes, as transformers does; by default it is off there, so that a row gives the
    /// same each time and passes that part once
    #[arg(long)]
    frozen_dropout: bool,
    /// What is kept of the part that --tune freezes, so that later epochs do not compute it again: f32 (the result is that
    /// of off, bit for bit), bf16 (rounded, half of the room) or off; f32: the fastest. :SIZE is the memory for it, :2GB
    /// by default; eight times as much goes to a temporary file in --output after that
    #[arg(long, value_name = "FORMAT[:SIZE]", default_value_t = TrainOptions::default().feature_cache)]
    feature_cache: FeatureCache,
    /// How rows become batches; shuffled: at random, as transformers does; flex and ndarray compute no padding, so that it
    /// costs nothing there; bucketed: rows of similar length share a batch, so that a GPU computes little padding
    #[arg(long, value_enum, default_value_t = BatchingWord::Shuffled)]
    batching: BatchingWord,
    /// Which rows an epoch sees; all: every row once; balanced: as many rows, drawn with replacement so that every
    /// class comes as often as any other. For one class a row
    #[arg(long, value_enum, default_value_t = SamplerWord::All)]
    sampler: SamplerWord,
    /// Evaluate after every N steps, too; by default only at the end of each epoch, because each evaluation reads all of
    /// --eval
    #[arg(long, value_name = "N", value_parser = integer)]
    eval_every: Option<usize>,
    /// The figure of the evaluations that decides which checkpoint is best, such as f1_macro, loss or
    /// labels.neutral.f1; of losses, errors and perplexities the lower is better. By default the task's own: accuracy,
    /// f1_micro, pearson, f1 of the entities
    #[arg(long, value_name = "FIGURE")]
    select: Option<String>,
    /// Stop after N evaluations in a row that are no better than the best; by default the run goes on to its end
    #[arg(long, value_name = "N", value_parser = integer)]
    patience: Option<usize>,
    #[command(flatten)]
    pub(crate) loss: LossFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BatchingWord {
    Bucketed,
    Shuffled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum ScheduleWord {
    Linear,
    Cosine,
    Constant,
    #[value(alias = "constant-with-warmup")]
    ConstantWithWarmup,
}

impl ScheduleWord {
    fn shape(self) -> ScheduleShape {
        match self {
            Self::Linear => ScheduleShape::Linear,
            Self::Cosine => ScheduleShape::Cosine,
            Self::Constant => ScheduleShape::Constant,
            Self::ConstantWithWarmup => ScheduleShape::ConstantWithWarmup,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SamplerWord {
    All,
    Balanced,
}

impl SamplerWord {
    fn sampler(self) -> Sampler {
        match self {
            Self::All => Sampler::All,
            Self::Balanced => Sampler::Balanced,
        }
    }
}

impl TrainingFlags {
    /// Makes sure that there is something to evaluate on where evaluations were asked for.
    pub(crate) fn check_evaluation(&self, has_evaluation_data: bool) -> Result<()> {
        let asked = [
            ("--select", self.select.is_some()),
            ("--patience", self.patience.is_some()),
        ];
        match asked.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((flag, _)) if !has_evaluation_data => Err(WrongUsage(format!(
                "{flag} judges evaluations, and there is no evaluation data; give --eval"
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// The longest sequence; `default` is that of the task.
    pub(crate) fn max_length(&self, default: usize) -> MaxLength {
        MaxLength::or_at_most(self.max_length, default)
    }

    /// The dropout that replaces the checkpoint's.
    pub(crate) fn dropout(&self) -> DropoutOverride {
        DropoutOverride::both(self.dropout)
    }

    /// The options of the training loop, checked.
    pub(crate) fn options(&self) -> Result<TrainOptions> {
        let options = TrainOptions {
            epochs: self.epochs,
            max_steps: self.max_steps,
            batch_size: self.batch_size,
            accumulation_steps: self.accumulation_steps,
            learning_rate: self.lr,
            schedule: self.schedule.shape(),
            warmup_ratio: self.warmup_ratio,
            weight_decay: self.weight_decay,
            max_grad_norm: (self.max_grad_norm != 0.0).then_some(self.max_grad_norm),
            seed: self.seed,
            precision: self.precision.precision(),
            tune: self.tune.clone(),
            head_lr: self.head_lr,
            layer_decay: self.layer_decay,
            freeze_embeddings: self.freeze_embeddings,
            batching: match self.batching {
                BatchingWord::Bucketed => Batching::Bucketed,
                BatchingWord::Shuffled => Batching::Shuffled,
            },
            sampler: self.sampler.sampler(),
            evaluate_every: self.eval_every,
            select: self.select.clone(),
            patience: self.patience,
            frozen_dropout: self.frozen_dropout,
            feature_cache: self.feature_cache,
        };
        match options.validate() {
            Ok(()) => Ok(options),
            Err(TrainError::Option {
                name,
                value,
                expected,
            }) => Err(WrongUsage(format!(
                "--{} is {value}; it must be {expected}",
                flag_of(name)
            ))
            .into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The flag that sets an option of the training loop.
fn flag_of(option: &str) -> String {
    match option {
        "learning_rate" => "lr".to_owned(),
        "evaluate_every" => "eval-every".to_owned(),
        name => name.replace('_', "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        training: TrainingFlags,
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let flags = Flags::parse_from(["test"]);
        assert_eq!(flags.training.options().unwrap(), TrainOptions::default());
    }

    #[test]
    fn every_option_of_the_library_has_a_flag_of_the_name_that_errors_give() {
        let command = Flags::command();
        let serde_json::Value::Object(options) =
            serde_json::to_value(TrainOptions::default()).unwrap()
        else {
            panic!("options are an object");
        };
        for option in options.keys() {
            let flag = flag_of(option);
            let is_there = command
                .get_arguments()
                .any(|arg| arg.get_long() == Some(&flag));
            assert!(is_there, "--{flag}");
        }
    }
}
