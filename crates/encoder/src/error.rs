use thiserror::Error;

/// What can be wrong with a configuration or with the input of a forward pass.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A size that must be at least one is zero.
    #[error("config key `{key}` is 0; it must be at least 1")]
    ZeroSize {
        /// The key as config.json spells it.
        key: &'static str,
    },
    /// The hidden size does not split evenly over the heads.
    #[error(
        "config key `hidden_size` is {hidden_size}, which is no multiple of `num_attention_heads` = {num_attention_heads}"
    )]
    HeadSplit {
        /// `hidden_size`.
        hidden_size: usize,
        /// `num_attention_heads`.
        num_attention_heads: usize,
    },
    /// The layers do not split evenly over the groups that share weights.
    #[error(
        "config key `num_hidden_layers` is {layers}, which is no multiple of `num_hidden_groups` = {groups}"
    )]
    LayerGroups {
        /// `num_hidden_layers`.
        layers: usize,
        /// `num_hidden_groups`.
        groups: usize,
    },
    /// A probability, epsilon or standard deviation is outside its range.
    #[error("config key `{key}` is {value}; it must be {expected}")]
    OutOfRange {
        /// The key as config.json spells it.
        key: &'static str,
        /// The value found.
        value: f64,
        /// The range, in words.
        expected: &'static str,
    },
    /// The configuration is that of a model this encoder does not compute.
    #[error("config key `{key}` is `{value}`; this encoder computes `{expected}` only")]
    Unsupported {
        /// The key as config.json spells it.
        key: &'static str,
        /// The value found.
        value: String,
        /// The value that is supported.
        expected: &'static str,
    },
    /// There is no such head for models of this family.
    #[error("`{architecture}` is not supported: there is no such head for this family of models")]
    NoHead {
        /// The class of transformers.
        architecture: String,
    },
    /// A batch is longer than the model's positions.
    #[error(
        "the input is {sequence_length} tokens long but the model takes {max_length} at most \
         (`max_position_embeddings`): truncate the input or split it into windows"
    )]
    SequenceTooLong {
        /// Tokens in a row of the input.
        sequence_length: usize,
        /// Tokens of the longest sequence.
        max_length: usize,
    },
    /// An id has no row in its table.
    #[error(
        "`{name}` has the id {id}, but the model has rows for the ids below {rows} (config key `{key}`); is the tokenizer \
         this model's own?"
    )]
    IdOutOfRange {
        /// `input_ids` or `token_type_ids`.
        name: &'static str,
        /// The id.
        id: i64,
        /// The config key with the number of rows.
        key: &'static str,
        /// Rows of the table.
        rows: usize,
    },
    /// A batch without rows or without columns.
    #[error("the input has shape [{batch_size}, {sequence_length}]; both must be at least 1")]
    EmptyInput {
        /// Rows.
        batch_size: usize,
        /// Columns.
        sequence_length: usize,
    },
    /// Two tensors of one input differ in shape.
    #[error(
        "`{name}` has shape {found:?} but `input_ids` has shape {expected:?}; they must be equal"
    )]
    InputShape {
        /// Which tensor differs.
        name: &'static str,
        /// Its shape.
        found: [usize; 2],
        /// The shape of `input_ids`.
        expected: [usize; 2],
    },
    /// There is not one entry for each row.
    #[error("`{name}` has {found} entries but `input_ids` has {batch_size} rows")]
    LengthCount {
        /// What there should be one of for each row.
        name: &'static str,
        /// Entries.
        found: usize,
        /// Rows of `input_ids`.
        batch_size: usize,
    },
    /// A sequence has no token.
    #[error("sequence {sequence} of the input has no token")]
    EmptySequence {
        /// Number of the sequence, from 0.
        sequence: usize,
    },
    /// A sequence has not one segment for each token.
    #[error(
        "sequence {sequence} of the input has {input_ids} tokens but {token_type_ids} token types"
    )]
    TokenTypeCount {
        /// Number of the sequence, from 0.
        sequence: usize,
        /// Its tokens.
        input_ids: usize,
        /// Its token types.
        token_type_ids: usize,
    },
    /// A token is asked for that its row does not have.
    #[error("position {position} is asked for in row {row}, which has {length} tokens")]
    Position {
        /// Number of the row, from 0.
        row: usize,
        /// The position.
        position: usize,
        /// Tokens of the row.
        length: usize,
    },
    /// The hidden states of the frozen part cannot be kept or read back.
    #[error("{reason}")]
    FrozenStates {
        /// Where they are kept, and what the operating system says.
        reason: String,
    },
}
