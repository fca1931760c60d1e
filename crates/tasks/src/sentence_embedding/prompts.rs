//! `config_sentence_transformers.json`: prompts, and what the vectors are for.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::json::{read_optional, wrong};
use crate::TaskError;

const FILE: &str = "config_sentence_transformers.json";
/// The kind of model whose vectors are for sentences.
const MODEL_TYPE: &str = "SentenceTransformer";

/// What the file says about a model as a whole.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ModelSettings {
    /// A text for each name; `None` means an empty one.
    #[serde(default)]
    pub(super) prompts: BTreeMap<String, Option<String>>,
    pub(super) default_prompt_name: Option<String>,
    pub(super) similarity_fn_name: Option<String>,
    pub(super) truncate_dim: Option<usize>,
    model_type: Option<String>,
}

impl ModelSettings {
    /// Reads the file of a directory; nothing is set where there is none.
    ///
    /// # Errors
    ///
    /// The file is not JSON of the expected form, the model is of another kind, or there is no prompt of the default name.
    pub(super) fn read(dir: &Path) -> Result<Self, TaskError> {
        let file = dir.join(FILE);
        let settings: Self = read_optional(&file)?.unwrap_or_default();
        if let Some(model_type) = settings
            .model_type
            .as_deref()
            .filter(|one| *one != MODEL_TYPE)
        {
            let reason = format!(
                "key `model_type` is {model_type:?}; only {MODEL_TYPE:?} gives one vector for each text"
            );
            return Err(wrong(&file, reason));
        }
        match &settings.default_prompt_name {
            Some(name) if !settings.prompts.contains_key(name) => Err(wrong(
                &file,
                format!("key `default_prompt_name` is {name:?}, but `prompts` has no such name"),
            )),
            _ => Ok(settings),
        }
    }
}
