use std::path::PathBuf;

use bert_encoder::Precision;
use bert_report::ReportError;
use bert_tasks::TaskError;
use thiserror::Error;

use crate::{ResumeError, Stopped};

/// What can go wrong in a training run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An option has a value that no run can have.
    #[error("option `{name}` is {value}; it must be {expected}")]
    Option {
        /// The option, as [`TrainOptions`](crate::TrainOptions) spells it.
        name: &'static str,
        /// The value found.
        value: String,
        /// The range, in words.
        expected: &'static str,
    },
    /// There is nothing to train on.
    #[error("there are no training examples")]
    NoExamples,
    /// The sampler balances classes, but the rows have none.
    #[error(
        "the sampler `balanced` draws rows by their class, and a row of this task does not have exactly one; take the \
         sampler `all`"
    )]
    NoClasses,
    /// An option is about evaluations, but there is nothing to evaluate on.
    #[error("option `{name}` needs evaluations, and there is no evaluation data; give some")]
    NoEvaluationData {
        /// The option, as [`TrainOptions`](crate::TrainOptions) spells it.
        name: &'static str,
    },
    /// `--tune last:K` asks for more layers than the encoder has.
    #[error("`last:{asked}` asks for {asked} layers but the encoder has {layers}")]
    TooFewLayers {
        /// K.
        asked: usize,
        /// Layers of the encoder.
        layers: usize,
    },
    /// `--tune bitfit` is asked of an encoder without biases.
    #[error(
        "`bitfit` trains the biases of the encoder, and this one has none; `--tune head` trains what would be left"
    )]
    NoBiases,
    /// Adapters are to be trained, and the model has none.
    #[error("the model has no adapters; ask for them before its weights are loaded")]
    NoAdapters,
    /// A precision that the kernels alone have is asked of a device without them.
    #[error(
        "the precision {precision} is one of the kernels of flex and ndarray; take one of these devices, with its kernels on, \
         or the precision f32"
    )]
    NoKernels {
        /// What is asked for.
        precision: Precision,
    },
    /// Parameters that should be trained got no gradient in the first step.
    #[error(
        "{} trainable parameters got no gradient in the first step, so they would never be trained: {}",
        names.len(),
        names.join(", ")
    )]
    NoGradient {
        /// Their module paths.
        names: Vec<String>,
    },
    /// The loss or the gradient is NaN or infinite.
    #[error(
        "the {quantity} is {value} in optimiser step {step}: lower the learning rate, or look at the data; what was saved \
         before is kept"
    )]
    NonFinite {
        /// `loss` or `gradient norm`.
        quantity: &'static str,
        /// The value.
        value: f64,
        /// Optimiser step, counted from 1.
        step: usize,
    },
    /// The device did not compute what it was given.
    #[error(
        "the device did not finish optimiser step {step}: {reason}; if it ran out of memory, take a smaller batch size with as \
         many more accumulation steps, shorter sequences, or another device; what was saved before is kept"
    )]
    DeviceFailed {
        /// Optimiser step, counted from 1; the failure is in this or one that was read together with it.
        step: usize,
        /// What the device says.
        reason: String,
    },
    /// Ranks that should have the same weights have not.
    #[error(
        "{} after step {step}: the weights of {} are not those of rank 0, though all ranks do the same; all machines need \
         the same program and processors of one kind",
        if *.step == 0 { "different models" } else { "the ranks have drifted apart" },
        ranks_in_words(ranks)
    )]
    RanksDiffer {
        /// Optimiser steps done.
        step: usize,
        /// Those that differ from rank 0.
        ranks: Vec<usize>,
    },
    /// The output path cannot become a run's directory.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The path.
        path: PathBuf,
        /// What is there, and what to do.
        reason: &'static str,
    },
    /// A file of the output directory could not be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The run was asked to stop, and has saved a checkpoint.
    #[error(
        "stopped after step {} of {}; the run can go on from {}", .0.step, .0.total_steps, .0.checkpoint.display()
    )]
    Stopped(Stopped),
    /// The run cannot go on from its checkpoint.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// A file for people could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Processes of the run could not reach each other.
    #[error(transparent)]
    Exchange(#[from] bert_tasks::ExchangeError),
    /// The task could not compute a loss, score the model, or save it.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// `rank 2`, or `ranks 1, 2`.
fn ranks_in_words(ranks: &[usize]) -> String {
    let numbers: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    let noun = if ranks.len() == 1 { "rank" } else { "ranks" };
    format!("{noun} {}", numbers.join(", "))
}
