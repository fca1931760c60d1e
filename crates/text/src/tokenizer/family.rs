//! What the tokenizer classes of transformers do where no file says otherwise, as data.

/// A tokenizer class of transformers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenizerClass {
    /// Its names in tokenizer_config.json, without the ending `Fast`.
    pub(super) names: &'static [&'static str],
    /// The special tokens' texts, by their keys in tokenizer_config.json.
    pub(super) tokens: &'static [(&'static str, &'static str)],
    /// Whether a mask token that is given as a mere text takes in the spaces before it.
    pub(super) mask_strips_left: bool,
    /// Further special tokens, where no file names any.
    pub(super) extra_tokens: &'static [&'static str],
    /// Whether the model is given token types, where `model_input_names` does not say.
    pub(super) token_types: bool,
    /// What turns a text into tokens.
    pub(super) vocabulary: Vocabulary,
    /// The special tokens around a text and a pair.
    pub(super) template: Template,
}

/// What turns a text into tokens, and the files that it is read from where there is no tokenizer.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// BERT's: words at spaces and punctuation, pieces with `##`; vocab.txt.
    WordPiece,
    /// RoBERTa's: byte pairs; vocab.json and merges.txt.
    ByteLevel,
    /// SentencePiece's unigrams; a file in its format.
    Unigram(Unigram),
    /// Whatever tokenizer.json has.
    AsSaved,
}

/// The kinds of unigram tokenizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unigram {
    XlmRoberta,
    Camembert,
    Albert,
    DebertaV2,
}

/// Where special tokens stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Template {
    /// `[CLS] text [SEP]`, `[CLS] text [SEP] text_pair [SEP]`; the pair and what follows it are segment 1.
    Bert,
    /// As `Bert`, unless tokenizer.json says otherwise.
    BertUnlessSaved,
    /// `<s> text </s>`, `<s> text </s></s> text_pair </s>` of `cls_token` and `sep_token`; all are segment 0. Offsets lose
    /// the space that a token begins with.
    Roberta,
    /// The same of `bos_token` and `eos_token`; offsets stay.
    BosEos,
    /// That of tokenizer.json, or no special tokens at all.
    AsSaved,
}

/// The files that every class may have.
const SETTINGS: [&str; 4] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

const ROBERTA_TOKENS: &[(&str, &str)] = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];

const BERT: TokenizerClass = TokenizerClass {
    names: &[
        "BertTokenizer",
        "ElectraTokenizer",
        "ConvBertTokenizer",
        "LayoutLMTokenizer",
        "MobileBertTokenizer",
        "SqueezeBertTokenizer",
    ],
    tokens: &[
        ("unk_token", "[UNK]"),
        ("sep_token", "[SEP]"),
        ("pad_token", "[PAD]"),
        ("cls_token", "[CLS]"),
        ("mask_token", "[MASK]"),
    ],
    mask_strips_left: false,
    extra_tokens: &[],
    token_types: true,
    vocabulary: Vocabulary::WordPiece,
    template: Template::Bert,
};

const DISTILBERT: TokenizerClass = TokenizerClass {
    names: &["DistilBertTokenizer"],
    token_types: false,
    ..BERT
};

const MPNET: TokenizerClass = TokenizerClass {
    names: &["MPNetTokenizer"],
    tokens: &[
        ("bos_token", "<s>"),
        ("eos_token", "</s>"),
        ("unk_token", "[UNK]"),
        ("sep_token", "</s>"),
        ("pad_token", "<pad>"),
        ("cls_token", "<s>"),
        ("mask_token", "<mask>"),
    ],
    mask_strips_left: true,
    token_types: false,
    template: Template::Roberta,
    ..BERT
};

const ROBERTA: TokenizerClass = TokenizerClass {
    names: &["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer"],
    tokens: ROBERTA_TOKENS,
    mask_strips_left: false,
    extra_tokens: &[],
    token_types: false,
    vocabulary: Vocabulary::ByteLevel,
    template: Template::Roberta,
};

const XLM_ROBERTA: TokenizerClass = TokenizerClass {
    names: &["XLMRobertaTokenizer"],
    vocabulary: Vocabulary::Unigram(Unigram::XlmRoberta),
    template: Template::BosEos,
    ..ROBERTA
};

const CAMEMBERT: TokenizerClass = TokenizerClass {
    names: &["CamembertTokenizer"],
    mask_strips_left: true,
    extra_tokens: &["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"],
    vocabulary: Vocabulary::Unigram(Unigram::Camembert),
    ..XLM_ROBERTA
};

const ALBERT: TokenizerClass = TokenizerClass {
    names: &["AlbertTokenizer"],
    tokens: &[
        ("bos_token", "[CLS]"),
        ("eos_token", "[SEP]"),
        ("unk_token", "<unk>"),
        ("sep_token", "[SEP]"),
        ("pad_token", "<pad>"),
        ("cls_token", "[CLS]"),
        ("mask_token", "[MASK]"),
    ],
    mask_strips_left: false,
    extra_tokens: &[],
    token_types: false,
    vocabulary: Vocabulary::Unigram(Unigram::Albert),
    template: Template::BertUnlessSaved,
};

const DEBERTA_V2: TokenizerClass = TokenizerClass {
    names: &["DebertaV2Tokenizer"],
    tokens: &[
        ("bos_token", "[CLS]"),
        ("eos_token", "[SEP]"),
        ("unk_token", "[UNK]"),
        ("sep_token", "[SEP]"),
        ("pad_token", "[PAD]"),
        ("cls_token", "[CLS]"),
        ("mask_token", "[MASK]"),
    ],
    token_types: true,
    vocabulary: Vocabulary::Unigram(Unigram::DebertaV2),
    template: Template::Bert,
    ..ALBERT
};

/// The class without any rule of its own, `PreTrainedTokenizerFast` by its older name.
const AS_SAVED: TokenizerClass = TokenizerClass {
    names: &["TokenizersBackend", "PreTrainedTokenizer", "PythonBackend"],
    tokens: &[],
    mask_strips_left: false,
    extra_tokens: &[],
    token_types: false,
    vocabulary: Vocabulary::AsSaved,
    template: Template::AsSaved,
};

const CLASSES: [&TokenizerClass; 9] = [
    &BERT,
    &DISTILBERT,
    &MPNET,
    &ROBERTA,
    &XLM_ROBERTA,
    &CAMEMBERT,
    &ALBERT,
    &DEBERTA_V2,
    &AS_SAVED,
];

impl TokenizerClass {
    /// That of the `model_type` in config.json. A directory without that key has BERT's; an unknown family is the encoder's
    /// to refuse.
    pub(super) fn of_model_type(model_type: Option<&str>) -> &'static Self {
        match model_type {
            Some("roberta") => &ROBERTA,
            Some("xlm-roberta") => &XLM_ROBERTA,
            Some("camembert") => &CAMEMBERT,
            Some("albert") => &ALBERT,
            Some("mpnet") => &MPNET,
            Some("deberta-v2") => &DEBERTA_V2,
            Some("modernbert") => &AS_SAVED,
            _ => &BERT,
        }
    }

    /// That of a name in tokenizer_config.json, where the class is one of those here.
    pub(super) fn of_name(name: &str) -> Option<&'static Self> {
        let name = name.strip_suffix("Fast").unwrap_or(name);
        CLASSES
            .into_iter()
            .find(|class| class.names.contains(&name))
    }

    /// The class that takes tokenizer.json as it is.
    pub(super) fn as_saved() -> &'static Self {
        &AS_SAVED
    }

    /// Every file that this class can be read from.
    pub(super) fn files(&self) -> impl Iterator<Item = &'static str> {
        SETTINGS
            .into_iter()
            .chain(self.vocabulary.files().iter().copied())
    }
}

impl Vocabulary {
    /// The files that hold the vocabulary where there is no tokenizer.json.
    pub(super) fn files(self) -> &'static [&'static str] {
        match self {
            Self::WordPiece => &["vocab.txt"],
            Self::ByteLevel => &["vocab.json", "merges.txt"],
            Self::Unigram(Unigram::XlmRoberta | Unigram::Camembert) => &["sentencepiece.bpe.model"],
            Self::Unigram(Unigram::Albert) => &["spiece.model"],
            Self::Unigram(Unigram::DebertaV2) => &["spm.model"],
            Self::AsSaved => &[],
        }
    }
}

/// Whether the encoder of a family adds an embedding for the token type.
pub(super) fn has_segments(model_type: Option<&str>, type_vocab_size: Option<i64>) -> bool {
    match model_type {
        Some("distilbert" | "mpnet" | "modernbert") => false,
        Some("deberta-v2") => type_vocab_size.unwrap_or(0) > 0,
        _ => true,
    }
}
