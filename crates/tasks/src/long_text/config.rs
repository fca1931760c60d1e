//! The key of config.json that says how a classifier reads long texts. It is ours: transformers keeps it and does not read it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::LongText;

/// The key.
pub(crate) const KEY: &str = "long_text";

/// Its value: how a model was trained, which is how it is used unless something else is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    #[serde(flatten)]
    pub(crate) long_text: LongText,
    /// Tokens of a window.
    pub(crate) max_length: usize,
}

impl Saved {
    /// What a configuration says, if it says anything.
    pub(crate) fn of(config: &Map<String, Value>) -> Result<Option<Self>, String> {
        let Some(value) = config.get(KEY).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| {
                format!(
                    "config key `{KEY}` is {value}: {error}; expected an object such as {}",
                    json!(Self {
                        long_text: LongText::Windows {
                            stride: Some(32),
                            pool: super::WindowPool::Mean,
                        },
                        max_length: 128,
                    })
                )
            })
    }

    /// The value for a configuration; `None` for plain truncation, which is what everybody expects.
    pub(crate) fn value(self) -> Option<Value> {
        (self.long_text != LongText::Truncate).then(|| json!(self))
    }
}

#[cfg(test)]
mod tests {
    use super::super::WindowPool;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for long_text in [
            LongText::HeadTail,
            LongText::Windows {
                stride: Some(5),
                pool: WindowPool::Max,
            },
        ] {
            let saved = Saved {
                long_text,
                max_length: 20,
            };
            let value = saved.value().expect("a value");
            let config = Map::from_iter([(KEY.to_owned(), value)]);
            assert_eq!(Saved::of(&config), Ok(Some(saved)));
        }
        assert_eq!(Saved::of(&Map::new()), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_shown_with_what_can() {
        let config = Map::from_iter([(KEY.to_owned(), json!({"strategy": "summary"}))]);
        let reason = Saved::of(&config).expect_err("no such strategy");
        for words in ["long_text", "summary", "\"strategy\":\"windows\""] {
            assert!(reason.contains(words), "{reason}");
        }
    }
}
