//! The token types that a model is given.

use std::path::{Path, PathBuf};

use super::TokenizerError;
use super::family::{TokenizerClass, has_segments};
use super::settings::{ModelConfig, Settings};

/// Rows of the table of types where config.json does not say.
const DEFAULT_ROWS: u32 = 2;

/// Whether the model is given types, and how many it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenTypes {
    /// All are 0.
    Zero,
    /// As the template has them; where there is a config.json, the model's number of them is known.
    Template(Option<Table>),
}

/// The model's table of types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// config.json
    path: PathBuf,
    rows: u32,
}

impl TokenTypes {
    pub(super) fn of(
        dir: &Path,
        class: &TokenizerClass,
        config: &ModelConfig,
        settings: &Settings,
    ) -> Self {
        let model_type = config.model_type.as_deref();
        let are_given = match &settings.model_input_names {
            Some(names) => names.iter().any(|name| name == "token_type_ids"),
            None => class.token_types,
        };
        if !(are_given && has_segments(model_type, config.type_vocab_size)) {
            return Self::Zero;
        }
        let path = ModelConfig::path(dir);
        if !path.is_file() {
            return Self::Template(None);
        }
        let rows = config.type_vocab_size.map(u32::try_from);
        // What is no number of rows is the encoder's to refuse.
        let rows = rows.map_or(DEFAULT_ROWS, |rows| rows.unwrap_or(DEFAULT_ROWS));
        Self::Template(Some(Table { path, rows }))
    }

    pub(super) fn are_used(&self) -> bool {
        *self != Self::Zero
    }

    /// What the model is given for the types of a template.
    pub(super) fn given(&self, types: &[u32]) -> Result<Vec<u32>, TokenizerError> {
        match self {
            Self::Zero => Ok(vec![0; types.len()]),
            Self::Template(table) => {
                let largest = types.iter().copied().max().unwrap_or(0);
                match table {
                    Some(Table { path, rows }) if largest >= *rows => {
                        Err(TokenizerError::TokenType {
                            path: path.clone(),
                            token_type: largest,
                            type_vocab_size: *rows,
                        })
                    }
                    _ => Ok(types.to_vec()),
                }
            }
        }
    }
}
