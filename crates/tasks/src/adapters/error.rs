use std::path::PathBuf;

/// Why an adapter cannot be trained, opened or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// No linear layer of the encoder has one of the names.
    #[error(
        "no linear layer of the encoder is called {}; there are {}",
        .targets.join(" or "), .there_are.join(", ")
    )]
    NoTarget {
        /// The names that match nothing.
        targets: Vec<String>,
        /// The names that there are.
        there_are: Vec<String>,
    },
    /// The rank is above the width of a map.
    #[error(
        "rank {rank} is above the width of {module}, which maps {inputs} to {outputs}; a rank of {} is the whole matrix",
        inputs.min(outputs)
    )]
    Rank {
        /// The rank.
        rank: usize,
        /// The map, by its name in transformers.
        module: String,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        outputs: usize,
    },
    /// The task has no adapters.
    #[error(
        "an adapter is for text classification, natural-language inference, token classification and question answering; \
         {task} has none"
    )]
    Task {
        /// The task.
        task: &'static str,
    },
    /// There is no adapter.
    #[error(
        "{}: is no adapter: it has no adapter_config.json, or a model of its own",
        path.display()
    )]
    None {
        /// The directory.
        path: PathBuf,
    },
    /// An adapter is to be trained on a model that is an adapter itself.
    #[error(
        "{}: is an adapter itself; write it as a plain checkpoint with `bert merge` and train on that",
        path.display()
    )]
    OnAdapter {
        /// Its directory.
        path: PathBuf,
    },
    /// `adapter_config.json` describes something that cannot be opened here.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key, its value, and what is expected.
        reason: String,
    },
    /// The base model is not there.
    #[error(
        "{}: `base_model_name_or_path` is {name:?}, and {reason}",
        path.display()
    )]
    Base {
        /// `adapter_config.json`.
        path: PathBuf,
        /// The base's name.
        name: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The tensors are not those of an adapter of this model.
    #[error(
        "{}: is not an adapter of the base model {}: {reason}",
        path.display(), base.display()
    )]
    OtherBase {
        /// The file of the adapter's tensors.
        path: PathBuf,
        /// The base.
        base: PathBuf,
        /// What does not fit.
        reason: String,
    },
}
