//! The downstream tasks, one folder each, and the list from which the command line takes them.
//!
//! A task's folder holds its arguments for `bert check`, `train`, `evaluate` and `predict`, and what it does there in a way of
//! its own; [`crate::runner`] holds what all tasks do alike. A new task is a folder, a `mod` line and its entries in the list
//! below.

mod heads;
mod masked_lm;
mod natural_language_inference;
mod next_sentence;
mod pretraining;
mod question_answering;
mod text_classification;
mod token_classification;

use anyhow::Result;
use clap::Subcommand;

/// Makes an enum of subcommands for each command. The identifier of an entry becomes the task's name, and the doc comment of
/// the arguments its help. The arguments have a method `run(&self) -> Result<()>`.
macro_rules! tasks {
    ($($(#[$doc:meta])* $command:ident { $($task:ident($args:path),)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Subcommand)]
        pub(crate) enum $command {
            $($task(Box<$args>),)+
        }

        impl $command {
            pub(crate) fn run(&self) -> Result<()> {
                match self {
                    $(Self::$task(args) => args.run(),)+
                }
            }
        }
    )+};
}

tasks! {
    /// `bert check TASK`
    CheckTask {
        TextClassification(text_classification::CheckArgs),
        NaturalLanguageInference(natural_language_inference::CheckArgs),
        TokenClassification(token_classification::CheckArgs),
        QuestionAnswering(question_answering::CheckArgs),
        MaskedLm(masked_lm::CheckArgs),
    }

    /// `bert train TASK`
    TrainTask {
        TextClassification(text_classification::TrainArgs),
        NaturalLanguageInference(natural_language_inference::TrainArgs),
        TokenClassification(token_classification::TrainArgs),
        QuestionAnswering(question_answering::TrainArgs),
        MaskedLm(masked_lm::TrainArgs),
        NextSentence(next_sentence::TrainArgs),
    }

    /// `bert evaluate TASK`
    EvaluateTask {
        TextClassification(text_classification::EvaluateArgs),
        NaturalLanguageInference(natural_language_inference::EvaluateArgs),
        TokenClassification(token_classification::EvaluateArgs),
        QuestionAnswering(question_answering::EvaluateArgs),
        MaskedLm(masked_lm::EvaluateArgs),
        NextSentence(next_sentence::EvaluateArgs),
    }

    /// `bert predict TASK`
    PredictTask {
        TextClassification(text_classification::PredictArgs),
        NaturalLanguageInference(natural_language_inference::PredictArgs),
        ZeroShot(natural_language_inference::ZeroShotArgs),
        TokenClassification(token_classification::PredictArgs),
        QuestionAnswering(question_answering::PredictArgs),
        MaskedLm(masked_lm::PredictArgs),
        NextSentence(next_sentence::PredictArgs),
    }
}
