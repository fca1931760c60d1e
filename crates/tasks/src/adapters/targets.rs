//! Which linear layers have an adapter, by their names in transformers.

use bert_encoder::{Encoder, EncoderPart, Linear, ModelType};
use bert_weights::KeyMap;

use super::{AdapterError, LoraTargets};
use crate::encoder_key_map;

/// A linear layer of an encoder and its name in transformers, such as `bert.encoder.layer.0.attention.self.query`.
pub(super) struct NamedLinear<'a> {
    pub(super) module: String,
    pub(super) linear: &'a mut Linear,
}

/// The linear layers of an encoder.
pub(super) fn linears(encoder: &mut Encoder, model_type: ModelType) -> Vec<NamedLinear<'_>> {
    let keys = encoder_key_map(model_type);
    let linears = encoder.linears_mut().into_iter();
    linears
        .filter_map(|(path, linear)| {
            let module = module_name(&keys, &format!("{}.{path}", EncoderPart::FIELD))?;
            Some(NamedLinear { module, linear })
        })
        .collect()
}

/// The name in transformers of the linear layer at a module path.
pub(super) fn module_name(keys: &KeyMap, path: &str) -> Option<String> {
    let weight = keys.checkpoint_name(&format!("{path}.weight"))?;
    weight.strip_suffix(".weight").map(str::to_owned)
}

impl LoraTargets {
    /// PEFT's `target_modules`. `linears` are the names of all linear layers.
    ///
    /// # Errors
    ///
    /// One of the names matches no map.
    pub(super) fn modules(
        &self,
        model_type: ModelType,
        linears: &[String],
    ) -> Result<Vec<String>, AdapterError> {
        let names = match self {
            Self::OfFamily => queries_and_values(model_type),
            Self::AllLinear => return Ok(linears.to_vec()),
            Self::Named(names) => names.clone(),
        };
        let matches_none = |name: &&String| !linears.iter().any(|module| is_called(module, name));
        let unmatched: Vec<String> = names.iter().filter(matches_none).cloned().collect();
        match unmatched.is_empty() {
            true => Ok(names),
            false => Err(AdapterError::NoTarget {
                targets: unmatched,
                there_are: short_names(linears),
            }),
        }
    }
}

/// Whether PEFT's `target_modules` with this name match a module: the whole name, or what follows a dot of it.
pub(super) fn is_called(module: &str, name: &str) -> bool {
    let before = module.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// What PEFT adapts where nothing is said (`TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING`), and the same maps of the
/// families that it has no default for.
fn queries_and_values(model_type: ModelType) -> Vec<String> {
    let names: &[&str] = match model_type {
        ModelType::Distilbert => &["q_lin", "v_lin"],
        ModelType::Mpnet => &["q", "v"],
        ModelType::DebertaV2 => &["query_proj", "value_proj"],
        ModelType::Modernbert => &["Wqkv"],
        _ => &["query", "value"],
    };
    names.iter().map(|&name| name.to_owned()).collect()
}

/// What follows the number of a layer in each name, once each.
fn short_names(linears: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for module in linears {
        let is_number = |segment: &&str| segment.bytes().all(|byte| byte.is_ascii_digit());
        let mut behind: Vec<&str> = module
            .rsplit('.')
            .take_while(|one| !is_number(one))
            .collect();
        behind.reverse();
        let name = behind.join(".");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_whole_segments() {
        let module = "bert.encoder.layer.0.attention.self.query";
        for name in ["query", "self.query", module] {
            assert!(is_called(module, name), "{name}");
        }
        for name in ["uery", "key", "bert.encoder"] {
            assert!(!is_called(module, name), "{name}");
        }
    }

    #[test]
    fn what_matches_nothing_is_told_what_there_is() {
        let linears = [
            "bert.encoder.layer.0.attention.self.query",
            "bert.encoder.layer.0.output.dense",
            "bert.encoder.layer.1.attention.self.query",
        ];
        let linears = linears.map(str::to_owned);
        let targets = LoraTargets::Named(vec!["query".into(), "q_proj".into()]);
        let error = targets.modules(ModelType::Bert, &linears).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("called q_proj;"), "{message}");
        assert!(
            message.contains("attention.self.query, output.dense"),
            "{message}"
        );
    }
}
