//! `1_Pooling/config.json`, in the spelling of each age.

use std::path::Path;

use bert_sentence_embedding::{Pooling, PoolingMode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::{read, wrong};
use crate::TaskError;

const CONFIG_FILE: &str = "config.json";
/// The keys that say how wide the encoder is, the old one first.
const WIDTH_KEYS: [&str; 2] = ["word_embedding_dimension", "embedding_dimension"];

/// What the configuration of a pooling says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PoolingSettings {
    pub(super) pooling: Pooling,
    /// Whether the tokens of a prompt are pooled, too.
    pub(super) include_prompt: bool,
}

/// The new spelling: one mode, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

impl PoolingSettings {
    /// The pooling of an encoder that says nothing.
    pub(super) fn plain() -> Self {
        Self {
            pooling: Pooling::default(),
            include_prompt: true,
        }
    }

    /// Reads the configuration in the folder of the pooling.
    ///
    /// # Errors
    ///
    /// A key or a mode is not known, or the pooling is of an encoder of another width.
    pub(super) fn read(folder: &Path, hidden_size: usize) -> Result<Self, TaskError> {
        let file = folder.join(CONFIG_FILE);
        let config: Map<String, Value> = read(&file)?;
        Self::of(&config, hidden_size).map_err(|reason| wrong(&file, reason))
    }

    fn of(config: &Map<String, Value>, hidden_size: usize) -> Result<Self, String> {
        check_keys(config)?;
        for key in WIDTH_KEYS {
            match config.get(key) {
                Some(width) if width != hidden_size => {
                    return Err(format!(
                        "key `{key}` is {width}, but `hidden_size` of the encoder is {hidden_size}"
                    ));
                }
                _ => {}
            }
        }
        let modes = match config.get("pooling_mode") {
            Some(modes) => new_spelling(modes)?,
            None => old_spelling(config)?,
        };
        Ok(Self {
            // Where the old spelling switches every mode off, sentence-transformers takes the mean.
            pooling: Pooling::of(modes).unwrap_or_default(),
            include_prompt: flag(config, "include_prompt")?.unwrap_or(true),
        })
    }
}

fn check_keys(config: &Map<String, Value>) -> Result<(), String> {
    let others = ["pooling_mode", "include_prompt"];
    let old = PoolingMode::ALL.map(PoolingMode::old_key);
    let is_known = |key: &&String| {
        let known = others.iter().chain(&old).chain(&WIDTH_KEYS);
        known.clone().any(|known| known == key)
    };
    match config.keys().find(|key| !is_known(key)) {
        Some(key) => Err(format!(
            "key `{key}` is not known, so the pooling may be another one"
        )),
        None => Ok(()),
    }
}

fn new_spelling(modes: &Value) -> Result<Vec<PoolingMode>, String> {
    let names = match serde_json::from_value(modes.clone()) {
        Ok(Modes::One(name)) => vec![name],
        Ok(Modes::Several(names)) if !names.is_empty() => names,
        _ => {
            return Err(format!(
                "key `pooling_mode` is {modes}; it must be a mode or a list of modes"
            ));
        }
    };
    let modes = names.iter().map(|name| name.parse());
    modes
        .collect::<Result<_, String>>()
        .map_err(|reason| format!("key `pooling_mode`: {reason}"))
}

fn old_spelling(config: &Map<String, Value>) -> Result<Vec<PoolingMode>, String> {
    let mut modes = Vec::new();
    for mode in PoolingMode::ALL {
        if flag(config, mode.old_key())? == Some(true) {
            modes.push(mode);
        }
    }
    Ok(modes)
}

fn flag(config: &Map<String, Value>, key: &str) -> Result<Option<bool>, String> {
    match config.get(key) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(format!("key `{key}` is {other}; it must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(config: Value) -> Result<PoolingSettings, String> {
        PoolingSettings::of(config.as_object().unwrap(), 12)
    }

    fn modes(config: Value) -> Vec<PoolingMode> {
        of(config).unwrap().pooling.modes().to_vec()
    }

    #[test]
    fn both_spellings_name_every_mode() {
        for mode in PoolingMode::ALL {
            assert_eq!(
                modes(json!({"word_embedding_dimension": 12, mode.old_key(): true})),
                [mode]
            );
            assert_eq!(
                modes(json!({"embedding_dimension": 12, "pooling_mode": mode.name()})),
                [mode]
            );
        }
    }

    #[test]
    fn the_old_spelling_has_an_order_of_its_own_and_the_new_one_that_of_the_list() {
        let old = json!({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true});
        assert_eq!(modes(old), [PoolingMode::Cls, PoolingMode::Mean]);
        let new = json!({"pooling_mode": ["mean", "cls"]});
        assert_eq!(modes(new), [PoolingMode::Mean, PoolingMode::Cls]);
        let both = json!({"pooling_mode": "max", "pooling_mode_cls_token": true});
        assert_eq!(modes(both), [PoolingMode::Max]);
        assert_eq!(
            modes(json!({"pooling_mode_mean_tokens": false})),
            [PoolingMode::Mean]
        );
    }

    #[test]
    fn a_prompt_is_pooled_unless_it_is_excluded() {
        assert!(of(json!({"pooling_mode": "cls"})).unwrap().include_prompt);
        assert!(!of(json!({"include_prompt": false})).unwrap().include_prompt);
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_key() {
        let refused = [
            (
                json!({"pooling_mode_median_tokens": true}),
                "`pooling_mode_median_tokens`",
            ),
            (json!({"pooling_mode": "median"}), "`median`"),
            (json!({"pooling_mode": []}), "`pooling_mode`"),
            (
                json!({"pooling_mode_cls_token": "yes"}),
                "`pooling_mode_cls_token`",
            ),
            (
                json!({"embedding_dimension": 13}),
                "`hidden_size` of the encoder is 12",
            ),
        ];
        for (config, word) in refused {
            let error = of(config).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
