use std::io;

/// Why a model cannot be written as ONNX.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The head or its encoder has no such parameters.
    #[error("the model has no parameters {}; expected are those of {head} and its encoder", .paths.join(", "))]
    Missing {
        /// Their paths in the module.
        paths: Vec<String>,
        /// The head that was asked for.
        head: &'static str,
    },
    /// The graph does not use parameters of the model.
    #[error("the graph of {head} does not use the model's parameters {}; choose the head that has them", .paths.join(", "))]
    Unused {
        /// Their paths in the module.
        paths: Vec<String>,
        /// The head that was asked for.
        head: &'static str,
    },
    /// One file cannot be that large.
    #[error(
        "the model takes {bytes} bytes, more than the 2 GiB that protobuf allows in one file; write its weights into a \
         file of their own"
    )]
    TooLarge {
        /// What the file would take.
        bytes: u64,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}
