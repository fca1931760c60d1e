//! What can go wrong with a tokenizer.

use std::path::PathBuf;

/// A tokenizer that cannot be loaded, or a text that cannot be encoded. The underlying cause, where there is one, is
/// the error's `source` and not repeated in the message.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The directory holds neither `tokenizer.json` nor the files that its class reads else.
    #[error("{dir}: no tokenizer here: expected {expected}", dir = .dir.display())]
    NoTokenizerFile {
        /// The directory searched.
        dir: PathBuf,
        /// The files that would do.
        expected: String,
    },
    /// The tokenizer's class does more than its files say.
    #[error(
        "{path}: {settings}: such a tokenizer runs code or a dictionary that is not among the files, and plain WordPiece \
         would give other tokens than the model has learned from; use transformers, or a checkpoint whose tokenizer is saved \
         as tokenizer.json with `tokenizer_class` PreTrainedTokenizerFast",
        path = .path.display()
    )]
    UnsupportedClass {
        /// The file that names the class.
        path: PathBuf,
        /// The settings that name it, with their values.
        settings: String,
    },
    /// A side is neither left nor right.
    #[error("{path}: `{key}` is {value:?}; it must be \"left\" or \"right\"", path = .path.display())]
    Side {
        /// The settings file.
        path: PathBuf,
        /// `truncation_side` or `padding_side`.
        key: &'static str,
        /// What it says.
        value: String,
    },
    /// A text needs a token type that the model has no embedding for.
    #[error(
        "{path}: `type_vocab_size` is {type_vocab_size}, but the text needs token type {token_type}, as a second text does; \
         give a single text, use a model that was trained on pairs, or leave token_type_ids out of `model_input_names` in \
         tokenizer_config.json",
        path = .path.display()
    )]
    TokenType {
        /// The model's config.json.
        path: PathBuf,
        /// The type.
        token_type: u32,
        /// Rows of the model's table of types.
        type_vocab_size: u32,
    },
    /// A key of `added_tokens_decoder` is no id.
    #[error(
        "{path}: key `{key}` of `added_tokens_decoder` (token {token:?}) is no token id; it must be a number from 0",
        path = .path.display()
    )]
    AddedTokenKey {
        /// The settings file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The token it stands before.
        token: String,
    },
    /// A tokenizer file exists and cannot be read.
    #[error("{path}: cannot be read", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A folder, pipe or device lies where a file must be.
    #[error("{path}: expected a regular file", path = .path.display())]
    NotAFile {
        /// What lies there.
        path: PathBuf,
    },
    /// A settings file is not the JSON object it should be.
    #[error(transparent)]
    Json(#[from] bert_json::JsonError),
    /// A setting of a file is not what it should be.
    #[error("{path}: a setting of the tokenizer cannot be read; fetch the file again or correct it", path = .path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// `tokenizer.json`, or the file that stands for it, does not describe a tokenizer.
    #[error("{path}: not a valid tokenizer file; fetch it again or correct it", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The tokenizer library's reason.
        source: tokenizers::Error,
    },
    /// `vocab.txt` holds bytes that are not UTF-8.
    #[error("{path}, line {line}: invalid UTF-8; a vocabulary is one token a line, in UTF-8", path = .path.display())]
    VocabUtf8 {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
    },
    /// The same token stands on two lines of `vocab.txt`, so its id is ambiguous.
    #[error(
        "{path}, line {line}: token {token:?} is already on line {first_line}; every token needs one id",
        path = .path.display()
    )]
    DuplicateToken {
        /// The file.
        path: PathBuf,
        /// 1-based line of the repetition.
        line: usize,
        /// 1-based line of the first occurrence.
        first_line: usize,
        /// The token.
        token: String,
    },
    /// A file gives an added token an id that it cannot have.
    #[error(
        "{path}: added token {token:?} cannot have id {id}: added tokens follow the vocabulary without a gap",
        path = .path.display()
    )]
    AddedTokenId {
        /// The file.
        path: PathBuf,
        /// The token.
        token: String,
        /// The id the file gives it.
        id: u32,
    },
    /// A special token that every text needs is not in the vocabulary.
    #[error(
        "{dir}: {role} {token:?} is not in the vocabulary; name the right one in tokenizer_config.json",
        dir = .dir.display()
    )]
    MissingSpecialToken {
        /// The tokenizer's directory.
        dir: PathBuf,
        /// Its key in `tokenizer_config.json`, such as `cls_token`.
        role: &'static str,
        /// The token looked for.
        token: String,
    },
    /// An id does not fit the 32-bit signed integers that models take.
    #[error("{dir}: token id {id} is beyond what a model can take ({limit})", dir = .dir.display(), limit = i32::MAX)]
    IdTooLarge {
        /// The tokenizer's directory.
        dir: PathBuf,
        /// The largest id.
        id: u32,
    },
    /// `max_length` leaves no room for the special tokens.
    #[error("max_length {max_length} is too small: the special tokens alone take {special_tokens}")]
    MaxLengthTooSmall {
        /// The length asked for.
        max_length: usize,
        /// How many special tokens this input gets: with BERT's 2 for a text, 3 for a pair.
        special_tokens: usize,
    },
    /// The text that must not be cut leaves nothing of the other.
    #[error(
        "the second text, starting with {start:?}, has {tokens} tokens, which leaves no room for the first in {max_length}; \
         shorten it, or raise the maximum length"
    )]
    SecondTextTooLong {
        /// The first characters of the second text.
        start: String,
        /// Its tokens.
        tokens: usize,
        /// The length asked for, special tokens included.
        max_length: usize,
    },
    /// A question leaves too little room beside it for the windows of its context.
    #[error(
        "the question starting with {start:?} takes {question_tokens} tokens, so {room} of max_length {max_length} are left \
         for the context, and windows that overlap by {stride} need more than {stride}: shorten the question, raise \
         max_length or lower the overlap"
    )]
    QuestionTooLong {
        /// The first characters of the question.
        start: String,
        /// Its tokens.
        question_tokens: usize,
        /// The length asked for.
        max_length: usize,
        /// What is left for the context, special tokens taken off as well.
        room: usize,
        /// The overlap asked for.
        stride: usize,
    },
    /// The windows of a text would have nothing but what they share.
    #[error(
        "windows of max_length {max_length} have {room} tokens for the text, and windows that overlap by {stride} need more \
         than {stride}: lower the stride or raise max_length"
    )]
    StrideTooLarge {
        /// The overlap asked for.
        stride: usize,
        /// Tokens of a window for the text, special tokens and those of another text taken off.
        room: usize,
        /// The length asked for.
        max_length: usize,
    },
    /// The tokenizer library refused a text.
    #[error("text starting with {start:?} cannot be tokenized")]
    Encode {
        /// The first characters of the text.
        start: String,
        /// The tokenizer library's reason.
        source: tokenizers::Error,
    },
    /// The tokenizer library refused to make texts lower-case first.
    #[error("the tokenizer cannot make texts lower-case first")]
    LowerCase {
        /// The tokenizer library's reason.
        source: tokenizers::Error,
    },
    /// The tokenizer library refused to turn ids into text.
    #[error("token ids cannot be decoded")]
    Decode {
        /// The tokenizer library's reason.
        source: tokenizers::Error,
    },
    /// The tokenizer knows ids that the model has no embedding for.
    #[error(
        "{path}: the tokenizer's largest token id is {largest_id}, but `vocab_size` of the model's config.json is \
         {vocab_size}: tokenizer and model do not belong together; fetch both of one checkpoint",
        path = .path.display()
    )]
    VocabMismatch {
        /// The file with the vocabulary.
        path: PathBuf,
        /// The tokenizer's largest id.
        largest_id: u32,
        /// Rows of the model's word-embedding table.
        vocab_size: usize,
    },
}
