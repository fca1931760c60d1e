//! Which class reads a directory's tokenizer, and which directories no class here can read.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::TokenizerError;
use super::family::TokenizerClass;
use super::settings::{ModelConfig, Settings};

/// Classes of transformers that tokenize in Python: no file says what they do.
const PYTHON_CLASSES: [&str; 8] = [
    "BertJapaneseTokenizer",
    "BertTokenizerLegacy",
    "BertweetTokenizer",
    "BertGenerationTokenizer",
    "PhobertTokenizer",
    "RoCBertTokenizer",
    "TapasTokenizer",
    "ProphetNetTokenizer",
];

/// The class that transformers would take, as far as its files say all that it does.
pub(super) fn class_of(
    dir: &Path,
    config: &ModelConfig,
    settings: &Settings,
) -> Result<&'static TokenizerClass, TokenizerError> {
    let model_type = config.model_type.as_deref();
    let of_family = TokenizerClass::of_model_type(model_type);
    // Of such models transformers ignores what the settings say.
    if of_family == TokenizerClass::as_saved() {
        return Ok(of_family);
    }
    if let Some(code) = custom_code(settings) {
        return Err(unsupported(
            Settings::path(dir),
            format!("`auto_map` is {code}"),
        ));
    }
    let (name, path) = match (&settings.tokenizer_class, &config.tokenizer_class) {
        (Some(name), _) => (name, Settings::path(dir)),
        (None, Some(name)) => (name, ModelConfig::path(dir)),
        (None, None) => {
            refuse_word_tokenizers(dir, settings)?;
            return Ok(of_family);
        }
    };
    let bare_name = name.strip_suffix("Fast").unwrap_or(name);
    let is_python = PYTHON_CLASSES.contains(&bare_name);
    match TokenizerClass::of_name(bare_name) {
        Some(class) => {
            refuse_word_tokenizers(dir, settings)?;
            Ok(class)
        }
        None if !is_python && dir.join("tokenizer.json").is_file() => {
            Ok(TokenizerClass::as_saved())
        }
        None => {
            let mut values = vec![format!("`tokenizer_class` is {name:?}")];
            values.extend(word_tokenizers(settings));
            Err(unsupported(path, values.join(", ")))
        }
    }
}

/// The class in custom code that tokenizer_config.json refers to.
fn custom_code(settings: &Settings) -> Option<&Value> {
    let auto_map = settings.auto_map.as_ref()?;
    let code = match auto_map {
        Value::Object(classes) => classes.get("AutoTokenizer")?,
        legacy => legacy,
    };
    let is_named = match code {
        Value::Array(names) => names.iter().any(|name| !name.is_null()),
        name => !name.is_null(),
    };
    is_named.then_some(code)
}

/// The settings of tokenizers that find words with a dictionary, or read single characters.
fn word_tokenizers(settings: &Settings) -> Vec<String> {
    let settings = [
        ("word_tokenizer_type", &settings.word_tokenizer_type),
        ("subword_tokenizer_type", &settings.subword_tokenizer_type),
    ];
    let named = settings
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_deref()?)));
    named
        .map(|(key, value)| format!("`{key}` is {value:?}"))
        .collect()
}

fn refuse_word_tokenizers(dir: &Path, settings: &Settings) -> Result<(), TokenizerError> {
    let is = |value: &Option<String>, plain: &str| value.as_deref().is_none_or(|one| one == plain);
    let is_plain = is(&settings.word_tokenizer_type, "basic")
        && is(&settings.subword_tokenizer_type, "wordpiece");
    if is_plain {
        return Ok(());
    }
    let values = word_tokenizers(settings).join(", ");
    Err(unsupported(Settings::path(dir), values))
}

fn unsupported(path: PathBuf, settings: String) -> TokenizerError {
    TokenizerError::UnsupportedClass { path, settings }
}
