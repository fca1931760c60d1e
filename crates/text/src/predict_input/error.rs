//! What is wrong with a line of prediction input.

/// Why a line or a row of prediction input is none.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// A line that starts like a JSON object and is none with the keys it needs.
    #[error(
        "starts with '{{' but is not a JSON object with {keys}; a plain text that starts with '{{' has to be written as JSON \
         too"
    )]
    Json {
        /// The keys, in words.
        keys: &'static str,
        /// Where and why parsing stopped.
        source: serde_json::Error,
    },
    /// A blank line where an object is needed.
    #[error("is blank; expected a JSON object with {keys} on every line")]
    Blank {
        /// The keys, in words.
        keys: &'static str,
    },
    /// Plain text where an object is needed.
    #[error("is not a JSON object; expected one with {keys}")]
    Plain {
        /// The keys, in words.
        keys: &'static str,
    },
    /// A row whose cells are not what the columns should hold.
    #[error("the row has no {keys} that could be read")]
    Row {
        /// The keys, in words.
        keys: &'static str,
        /// Which cell, and why.
        source: serde_json::Error,
    },
}
