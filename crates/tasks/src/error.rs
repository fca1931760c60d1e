use std::error::Error;
use std::path::PathBuf;

/// What can go wrong when a model is opened, used, scored or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
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
    /// The model cannot answer a question.
    #[error("{place}")]
    Question {
        /// The file and the question's id.
        place: String,
        /// Why.
        source: bert_text::TokenizerError,
    },
    /// An evaluation does not have the figure that was asked for.
    #[error("there is no figure {figure:?}; an evaluation has {}", .known.join(", "))]
    UnknownFigure {
        /// The name.
        figure: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The loss cannot be weighed as was asked for.
    #[error("{option}: {reason}")]
    Loss {
        /// What was asked for: `class weights`, `label smoothing` or `focal loss`.
        option: &'static str,
        /// Why not, and what to do.
        reason: String,
    },
    /// The device could not compute a batch, or not give its results back.
    #[error(
        "the device cannot compute a batch: {reason}; give it fewer rows at once, or shorter ones"
    )]
    Device {
        /// The device's reason.
        reason: String,
    },
    /// Zero-shot classification was asked to choose among no labels.
    #[error("there are no candidate labels; give at least one")]
    NoCandidateLabels,
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
    /// A plain text could not be read or made into rows.
    #[error(transparent)]
    PlainText(#[from] bert_text::PlainTextError),
    /// An adapter cannot be trained, opened or saved.
    #[error(transparent)]
    Adapter(#[from] crate::adapters::AdapterError),
    /// An evaluation could not be shared.
    #[error(transparent)]
    Exchange(#[from] crate::ExchangeError),
    /// Predictions could not be scored.
    #[error(transparent)]
    Metrics(Box<dyn Error + Send + Sync>),
}

impl TaskError {
    /// The error of a head's metrics.
    pub(crate) fn metrics(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Metrics(Box::new(error))
    }
}
