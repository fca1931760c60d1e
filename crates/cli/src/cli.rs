//! The grammar of the command line.

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    bench, check, fetch, inspect, masked_lm, models, natural_language_inference, next_sentence,
    question_answering, text_classification, token_classification,
};

/// Fine-tunes pre-trained BERT models, evaluates them and predicts with them.
#[derive(Debug, Parser)]
#[command(
    name = "bert",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Results go to standard output, messages and progress to standard error. Exit code: 0 success, 1 failure, \
                  2 wrong usage.\n\
                  Environment: BERT_HOME is the folder of fetched models and data sets, BERT_DATASETS a folder that is \
                  searched before anything is downloaded."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the models and data sets that have a name
    Models(models::ModelsArgs),
    /// Download models or data sets by name, verify them, and print their directories
    Fetch(fetch::FetchArgs),
    /// Show what a checkpoint holds: configuration, tensors, sizes
    Inspect(inspect::InspectArgs),
    /// Say what is wrong or odd about data before anyone trains on it
    Check(CheckArgs),
    /// Fine-tune a model on labelled data and save it as a directory that transformers opens, too
    Train(TrainArgs),
    /// Score a trained model on labelled data; prints the metrics as one JSON object
    Evaluate(EvaluateArgs),
    /// Predict with a trained model; prints one JSON object per input line
    Predict(PredictArgs),
    /// Time a training step or a forward pass on random weights, beside the speed of its matrix products alone
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) work: BenchWork,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchWork {
    /// Forward, loss, backward, clipping by the global norm and AdamW of a text classifier with two labels, as `bert train`
    /// does them
    TrainStep(bench::BenchArgs),
    /// The forward pass of a text classifier with two labels to its logits, as `bert predict` does it
    Inference(bench::BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(subcommand)]
    pub(crate) task: CheckTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckTask {
    /// Labels seen once, duplicates between the files, class balance, lengths, what is cut, unknown tokens
    TextClassification(check::text_classification::CheckArgs),
    /// The same of premises and hypotheses, whose labels are those of natural-language inference
    NaturalLanguageInference(check::natural_language_inference::CheckArgs),
    /// Malformed entities, tags seen once, sentences that both files have, entity types, lengths, words without a token
    TokenClassification(check::token_classification::CheckArgs),
    /// Answers that are not where the file says, ids and questions that come twice, answers cut apart by windows, lengths
    QuestionAnswering(check::question_answering::CheckArgs),
    /// Lines that come twice, lengths, unknown tokens
    MaskedLm(check::masked_lm::CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(subcommand)]
    pub(crate) task: TrainTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrainTask {
    /// Texts or pairs of texts to one class, several classes, or a number. Data: TSV, CSV or JSON Lines with texts and
    /// labels; two columns without a header are text and label
    TextClassification(Box<text_classification::TrainArgs>),
    /// Premise and hypothesis to entailment, neutral or contradiction, or to entailment or not. Data: TSV, CSV or JSON
    /// Lines of SNLI, MNLI, RTE, SICK or your own; labels are known by their names
    NaturalLanguageInference(Box<natural_language_inference::TrainArgs>),
    /// Words to tags: named entities, parts of speech. Data: CoNLL columns (a word and its tag a line, sentences apart by
    /// blank lines) or JSON Lines with "tokens" and "ner_tags"
    TokenClassification(Box<token_classification::TrainArgs>),
    /// Questions to the piece of a context that answers them, or to none. Data: SQuAD's JSON, version 1.1 or 2.0, as it is
    /// or in a zip archive
    QuestionAnswering(Box<question_answering::TrainArgs>),
    /// Words that are hidden in a plain text: continued pre-training, whose encoder every other task can start from. Data:
    /// plain text
    MaskedLm(Box<masked_lm::TrainArgs>),
    /// Whether one sentence follows another. Data: plain text, one sentence a line, with blank lines between documents
    NextSentence(Box<next_sentence::TrainArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(subcommand)]
    pub(crate) task: EvaluateTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateTask {
    /// Accuracy and F1, or Pearson and Spearman, by what the model was trained for
    TextClassification(text_classification::EvaluateArgs),
    /// Accuracy, scores of each label and the confusion table, which is shown on standard error, too
    NaturalLanguageInference(natural_language_inference::EvaluateArgs),
    /// Precision, recall and F1 of entities, overall and by type, as seqeval's default and strict modes
    TokenClassification(token_classification::EvaluateArgs),
    /// Exact match and F1 as SQuAD's official scripts compute them, in percent
    QuestionAnswering(question_answering::EvaluateArgs),
    /// Perplexity, and the share of the masked tokens that are found; what is masked is always the same
    MaskedLm(masked_lm::EvaluateArgs),
    /// The share of the pairs that are told rightly
    NextSentence(next_sentence::EvaluateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(subcommand)]
    pub(crate) task: PredictTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PredictTask {
    /// The label of each text or pair of texts, with its score. Input: a line of plain text, or a JSON object with "text"
    /// and optionally "text_pair"
    TextClassification(text_classification::PredictArgs),
    /// Whether a hypothesis follows from a premise. Input: a JSON object with "premise" and "hypothesis" (or "text" and
    /// "text_pair") a line
    NaturalLanguageInference(natural_language_inference::PredictArgs),
    /// Any labels for a text, by a model of natural-language inference that was never trained on them. Input: a line of
    /// plain text, or a JSON object with "sequence"
    ZeroShot(natural_language_inference::ZeroShotArgs),
    /// The entities of each text, with scores and places in characters. Input: a line of plain text, or a JSON object with
    /// "text" or with "tokens", a list of words (places are then in the words joined by single spaces)
    TokenClassification(token_classification::PredictArgs),
    /// The piece of a context that answers a question, with its score and place in characters. Input: a JSON object with
    /// "question" and "context", a string or a list of strings to search together
    QuestionAnswering(question_answering::PredictArgs),
    /// The most probable tokens in the place of each `[MASK]`. Input: a line of plain text, or a JSON object with "text" and
    /// optionally "text_pair"
    MaskedLm(masked_lm::PredictArgs),
    /// Whether the second text follows the first. Input: a JSON object with "text" and "text_pair"
    NextSentence(next_sentence::PredictArgs),
}
