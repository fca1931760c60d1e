//! What each command does, one module a command or task.

pub(crate) mod answering;
pub(crate) mod fetch;
pub(crate) mod fine_tune;
pub(crate) mod inspect;
pub(crate) mod masked_lm;
pub(crate) mod models;
pub(crate) mod next_sentence;
pub(crate) mod scoring;
pub(crate) mod text_classification;

use anyhow::Result;

use crate::cli::{Cli, Command, EvaluateTask, PredictTask, TrainTask};

/// Runs a parsed command line.
pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Models(args) => models::run(&args),
        Command::Fetch(args) => fetch::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Train(args) => match args.task {
            TrainTask::TextClassification(args) => text_classification::train(&args),
            TrainTask::MaskedLm(args) => masked_lm::train(&args),
            TrainTask::NextSentence(args) => next_sentence::train(&args),
        },
        Command::Evaluate(args) => match args.task {
            EvaluateTask::TextClassification(args) => text_classification::evaluate(&args),
            EvaluateTask::MaskedLm(args) => masked_lm::evaluate(&args),
            EvaluateTask::NextSentence(args) => next_sentence::evaluate(&args),
        },
        Command::Predict(args) => match args.task {
            PredictTask::TextClassification(args) => text_classification::predict(&args),
            PredictTask::MaskedLm(args) => masked_lm::predict(&args),
            PredictTask::NextSentence(args) => next_sentence::predict(&args),
        },
    }
}
