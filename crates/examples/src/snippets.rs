//! The Rust snippets of README and of the book, compiled as doctests.

macro_rules! pages {
    ($($page:ident = $path:literal;)*) => {
        $(
            #[doc = include_str!($path)]
            pub struct $page;
        )*
    };
}

pages! {
    Readme = "../../../README.md";
    Adapters = "../../../docs/src/adapters.md";
    Embedding = "../../../docs/src/embedding.md";
    MaskedLm = "../../../docs/src/masked-lm.md";
    NaturalLanguageInference = "../../../docs/src/natural-language-inference.md";
    QuestionAnswering = "../../../docs/src/question-answering.md";
    Report = "../../../docs/src/report.md";
    SentenceEmbeddings = "../../../docs/src/sentence-embeddings.md";
    SharedEncoder = "../../../docs/src/shared-encoder.md";
    TextClassification = "../../../docs/src/text-classification.md";
    TokenClassification = "../../../docs/src/token-classification.md";
}
