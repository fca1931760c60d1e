//! What the configuration of a Transformer module says about its texts: how long they may be, and whether they become
//! lower-case.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::{read_optional, wrong};
use crate::TaskError;

/// The configuration of the Transformer module, under the name of each age. The first one that is there counts.
const FILES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// What a model does to a text before its tokens go to the encoder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TextSettings {
    /// The longest sequence in tokens, special ones included, if the file says so.
    pub(super) max_length: Option<usize>,
    pub(super) do_lower_case: bool,
}

#[derive(Debug, Default, Deserialize)]
struct TransformerConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
    transformer_task: Option<String>,
    module_output_name: Option<String>,
    #[serde(default, alias = "tokenizer_args")]
    processor_kwargs: Map<String, Value>,
    #[serde(default)]
    processing_kwargs: Map<String, Value>,
}

impl TextSettings {
    /// Reads the files in the folder of an encoder.
    ///
    /// # Errors
    ///
    /// A file is not JSON of the expected form, or its model is of another kind.
    pub(super) fn read(folder: &Path) -> Result<Self, TaskError> {
        let config = transformer_config(folder)?;
        Ok(Self {
            max_length: config.max_seq_length,
            do_lower_case: config.do_lower_case,
        })
    }
}

fn transformer_config(folder: &Path) -> Result<TransformerConfig, TaskError> {
    for name in FILES {
        let file = folder.join(name);
        if let Some(config) = read_optional::<TransformerConfig>(&file)? {
            check(&config).map_err(|reason| wrong(&file, reason))?;
            return Ok(config);
        }
    }
    Ok(TransformerConfig::default())
}

/// Whether the module takes texts as they are and gives hidden states of tokens.
fn check(config: &TransformerConfig) -> Result<(), String> {
    let words = [
        (
            "transformer_task",
            &config.transformer_task,
            "feature-extraction",
        ),
        (
            "module_output_name",
            &config.module_output_name,
            "token_embeddings",
        ),
    ];
    for (key, word, expected) in words {
        if let Some(word) = word.as_deref().filter(|word| *word != expected) {
            return Err(format!(
                "key `{key}` is {word:?}; only {expected:?} is supported"
            ));
        }
    }
    let settings = [
        ("processor_kwargs", &config.processor_kwargs),
        ("processing_kwargs", &config.processing_kwargs),
    ];
    match settings
        .into_iter()
        .find(|(_, settings)| !settings.is_empty())
    {
        Some((key, settings)) => {
            let names: Vec<&str> = settings.keys().map(String::as_str).collect();
            Err(format!(
                "key `{key}` changes the tokenizer ({}), which is not supported",
                names.join(", ")
            ))
        }
        None => Ok(()),
    }
}
