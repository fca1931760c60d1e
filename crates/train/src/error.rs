use std::path::PathBuf;

use thiserror::Error;

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
    /// `--tune last:K` asks for more layers than the encoder has.
    #[error("`last:{asked}` asks for {asked} layers but the encoder has {layers}")]
    TooFewLayers {
        /// K.
        asked: usize,
        /// Layers of the encoder.
        layers: usize,
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
    /// The output path cannot become a directory of ours.
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
    /// The labels of a data set do not fit the task.
    #[error("{}: {reason}", path.display())]
    Labels {
        /// The data set.
        path: PathBuf,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// The checkpoint does not say what the task needs to know.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What is missing, and what to do.
        reason: String,
    },
    /// A question cannot be put to the model.
    #[error("{place}")]
    Question {
        /// The file and the question's id.
        place: String,
        /// Why.
        source: bert_text::TokenizerError,
    },
    /// No training question has an answer that stands where the file says.
    #[error(
        "{}: none of the {questions} questions can be learned from: no answer is where `answer_start` says (in characters of \
         the context, from 0)",
        path.display()
    )]
    MisplacedAnswers {
        /// The data set.
        path: PathBuf,
        /// Its questions.
        questions: usize,
    },
    /// Answers could not be scored.
    #[error(transparent)]
    AnswerMetrics(#[from] bert_question_answering::metrics::MetricsError),
    /// The encoder refused a configuration or a batch.
    #[error(transparent)]
    Encoder(#[from] bert_encoder::EncoderError),
    /// A checkpoint could not be opened.
    #[error(transparent)]
    Open(#[from] bert_weights::CheckpointError),
    /// A checkpoint could not be loaded.
    #[error(transparent)]
    Load(#[from] bert_weights::LoadError),
    /// A checkpoint could not be saved.
    #[error(transparent)]
    Save(#[from] bert_weights::SaveError),
    /// The tokenizer could not be read or used.
    #[error(transparent)]
    Tokenizer(#[from] bert_text::TokenizerError),
    /// Labels could not be understood.
    #[error(transparent)]
    Label(#[from] bert_text::LabelError),
    /// Predicted tags could not be scored.
    #[error(transparent)]
    EntityMetrics(#[from] bert_token_classification::metrics::MetricsError),
    /// A plain text could not be read or made into rows.
    #[error(transparent)]
    PlainText(#[from] bert_text::PlainTextError),
    /// Predictions of a pre-training task could not be scored.
    #[error(transparent)]
    PretrainingMetrics(#[from] bert_pretraining::metrics::MetricsError),
    /// Predictions could not be scored.
    #[error(transparent)]
    Metrics(#[from] bert_text_classification::metrics::MetricsError),
}
