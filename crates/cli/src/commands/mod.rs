//! What each command does, one module a command or task.

pub(crate) mod answering;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod fetch;
pub(crate) mod fine_tune;
pub(crate) mod heads;
pub(crate) mod inspect;
pub(crate) mod masked_lm;
pub(crate) mod models;
pub(crate) mod natural_language_inference;
pub(crate) mod next_sentence;
pub(crate) mod question_answering;
pub(crate) mod row_files;
pub(crate) mod scoring;
pub(crate) mod text_classification;
pub(crate) mod token_classification;

use anyhow::Result;

use crate::cli::{BenchWork, CheckTask, Cli, Command, EvaluateTask, PredictTask, TrainTask};

/// Runs a parsed command line.
pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Models(args) => models::run(&args),
        Command::Fetch(args) => fetch::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Check(args) => match args.task {
            CheckTask::TextClassification(args) => check::text_classification::run(&args),
            CheckTask::NaturalLanguageInference(args) => {
                check::natural_language_inference::run(&args)
            }
            CheckTask::TokenClassification(args) => check::token_classification::run(&args),
            CheckTask::QuestionAnswering(args) => check::question_answering::run(&args),
            CheckTask::MaskedLm(args) => check::masked_lm::run(&args),
        },
        Command::Train(args) => match args.task {
            TrainTask::NaturalLanguageInference(args) => natural_language_inference::train(&args),
            TrainTask::TextClassification(args) => text_classification::train(&args),
            TrainTask::TokenClassification(args) => token_classification::train(&args),
            TrainTask::QuestionAnswering(args) => question_answering::train(&args),
            TrainTask::MaskedLm(args) => masked_lm::train(&args),
            TrainTask::NextSentence(args) => next_sentence::train(&args),
        },
        Command::Evaluate(args) => match args.task {
            EvaluateTask::NaturalLanguageInference(args) => {
                natural_language_inference::evaluate(&args)
            }
            EvaluateTask::TextClassification(args) => text_classification::evaluate(&args),
            EvaluateTask::TokenClassification(args) => token_classification::evaluate(&args),
            EvaluateTask::QuestionAnswering(args) => question_answering::evaluate(&args),
            EvaluateTask::MaskedLm(args) => masked_lm::evaluate(&args),
            EvaluateTask::NextSentence(args) => next_sentence::evaluate(&args),
        },
        Command::Predict(args) => match args.task {
            PredictTask::NaturalLanguageInference(args) => {
                natural_language_inference::predict(&args)
            }
            PredictTask::ZeroShot(args) => natural_language_inference::zero_shot(&args),
            PredictTask::TextClassification(args) => text_classification::predict(&args),
            PredictTask::TokenClassification(args) => token_classification::predict(&args),
            PredictTask::QuestionAnswering(args) => question_answering::predict(&args),
            PredictTask::MaskedLm(args) => masked_lm::predict(&args),
            PredictTask::NextSentence(args) => next_sentence::predict(&args),
        },
        Command::Bench(args) => match args.work {
            BenchWork::TrainStep(args) => bench::run(&args, bench::Work::TrainStep),
            BenchWork::Inference(args) => bench::run(&args, bench::Work::Inference),
        },
    }
}
