//! Tokenizer, data-set readers, features and batches for BERT.
//!
//! The way of a row: a TSV, CSV, JSON Lines, Parquet or Arrow file becomes a [`Dataset`] of [`Example`]s, a [`LabelSet`] turns their
//! labels into ids, a [`Tokenizer`] turns their texts into [`Encoding`]s, and [`epoch_batches`] says which rows go
//! together.
//!
//! Tagged words go another way: a CoNLL or JSON Lines file becomes a [`TaggedDataset`], its sentences become [`Pieces`],
//! and [`word_windows`] cuts those that are longer than the model takes, so that no word is lost.
//! For question answering a [`SquadDataset`] has the questions and their contexts, [`Tokenizer::encode_windows`] cuts long
//! contexts into overlapping windows, and [`answer_tokens`] finds an answer among the tokens of one.
//!
//! What this crate does *not* do: it knows no tensor and no model, downloads nothing, and never prints.

pub mod check;

mod balanced;
mod encoding;
mod example;
mod folds;
mod guard;
mod label_set;
mod label_weights;
mod masking;
mod pieces;
mod plain_text;
mod predict_input;
mod reader;
mod sampler;
mod squad;
mod tagged;
mod tokenizer;
mod word_windows;

pub use balanced::balanced_draw;
pub use encoding::Encoding;
pub use example::{Dataset, Example, Label};
pub use folds::{group_folds, stratified_folds};
pub use label_set::{LabelError, LabelSet, regression_targets};
pub use label_weights::{LabelWeights, LabelWeightsError};
pub use masking::{MaskedBlock, Masker, MaskingError, MaskingOptions};
pub use pieces::{Alignment, Pieces};
pub use plain_text::{
    Documents, PlainTextError, SentencePair, TextBlocks, TextLayout, TextPiece, TextPieces,
    TokenBlock,
};
pub use predict_input::{
    InferenceInput, InputColumns, InputFormat, PairInput, PredictError, PredictFile, PredictInput,
    PredictInputs, PredictLine, SequenceInput, Texts, TokensInput,
};
pub use reader::{
    Column, ColumnOptions, ColumnRole, Format, LabelLists, ReadError, ReadNote, RowFilter,
    TagColumns, Unlabelled, UnpackError, matching_files,
};
pub use sampler::{BatchOrder, epoch_batches};
pub use squad::{
    ArticleRange, Contexts, GoldAnswer, QuestionInput, SquadAnswer, SquadDataset, SquadError,
    SquadQuestion, answer_tokens, char_slice,
};
pub use tagged::{TaggedDataset, TaggedSentence};
pub use tokenizer::{Tokenizer, TokenizerError};
pub use word_windows::{WordWindow, word_windows};
