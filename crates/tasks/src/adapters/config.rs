//! `adapter_config.json`, as PEFT writes it.

use std::path::{Path, PathBuf};

use bert_weights::{ADAPTER_CONFIG_FILE, read_json};
use serde_json::{Map, Value, json};

use super::targets::is_called;
use super::{AdapterError, BaseModel, FreshAdapter};
use crate::TaskError;

/// The only kind of adapter there is here.
const PEFT_TYPE: &str = "LORA";
/// Keys of variants of LoRA that compute something else. PEFT writes them always, empty where they are not used.
const VARIANTS: [&str; 14] = [
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "lora_ga_config",
    "megatron_config",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
    "velora_config",
    "fan_in_fan_out",
];
/// Ways to begin that change the weights of the base model.
const CHANGES_BASE: [&str; 5] = ["pissa", "olora", "loftq", "corda", "lora_ga"];
/// The heads that PEFT knows: its `task_type`, and what the names of their classes in transformers end in.
const TASK_TYPES: [(&str, &str); 3] = [
    ("SEQ_CLS", "ForSequenceClassification"),
    ("TOKEN_CLS", "ForTokenClassification"),
    ("QUESTION_ANS", "ForQuestionAnswering"),
];

/// What an adapter's configuration says, as far as its arithmetic depends on it.
#[derive(Debug, Clone)]
pub(crate) struct AdapterConfig {
    pub(super) path: PathBuf,
    pub(super) base: Option<BaseModel>,
    /// What the name of the model's class in transformers ends in.
    pub(super) head: Option<&'static str>,
    pub(super) use_dora: bool,
    alpha: f64,
    alpha_pattern: Vec<(String, f64)>,
    use_rslora: bool,
}

impl AdapterConfig {
    /// Reads the configuration of a directory.
    pub(super) fn read(dir: &Path) -> Result<Self, TaskError> {
        let path = dir.join(ADAPTER_CONFIG_FILE);
        let keys = Keys {
            map: read_json(&path)?,
            path,
        };
        keys.refuse_others()?;
        let text = |key| keys.map.get(key).and_then(Value::as_str);
        let base = text("base_model_name_or_path").map(|name| BaseModel {
            name: name.to_owned(),
            revision: text("revision").map(str::to_owned),
        });
        let task_type = text("task_type");
        let head = TASK_TYPES.iter().find(|(name, _)| task_type == Some(*name));
        Ok(Self {
            base,
            head: head.map(|(_, head)| *head),
            use_dora: keys.is_true("use_dora")?,
            alpha: keys.number("lora_alpha")?,
            alpha_pattern: keys.alpha_pattern()?,
            use_rslora: keys.is_true("use_rslora")?,
            path: keys.path,
        })
    }

    /// What the product of the matrices of a module is multiplied by.
    pub(super) fn scale(&self, module: &str, rank: usize) -> f64 {
        let mut patterns = self.alpha_pattern.iter();
        let own = patterns.find(|(pattern, _)| is_called(module, pattern));
        let alpha = own.map_or(self.alpha, |(_, alpha)| *alpha);
        match self.use_rslora {
            true => alpha / (rank as f64).sqrt(),
            false => alpha / rank as f64,
        }
    }
}

struct Keys {
    path: PathBuf,
    map: Map<String, Value>,
}

impl Keys {
    fn refuse<T>(&self, reason: String) -> Result<T, AdapterError> {
        Err(AdapterError::Config {
            path: self.path.clone(),
            reason,
        })
    }

    /// Refuses other kinds of adapters, and variants of this one, by their names.
    fn refuse_others(&self) -> Result<(), AdapterError> {
        match self.map.get("peft_type") {
            Some(Value::String(kind)) if kind == PEFT_TYPE => {}
            Some(kind) => {
                return self.refuse(format!(
                    "`peft_type` is {kind}; only \"{PEFT_TYPE}\" is known here, with DoRA and rank-stabilised scaling"
                ));
            }
            None => {
                return self
                    .refuse("there is no `peft_type`, so it is no file of PEFT's".to_owned());
            }
        }
        for key in VARIANTS {
            match self.map.get(key) {
                Some(value) if !is_empty(value) => {
                    return self.refuse(format!(
                        "`{key}` is {value}; this variant of LoRA is not known here"
                    ));
                }
                _ => {}
            }
        }
        match self.map.get("init_lora_weights").and_then(Value::as_str) {
            Some(way) if CHANGES_BASE.iter().any(|one| way.starts_with(one)) => self.refuse(format!(
                "`init_lora_weights` is \"{way}\", which changes the weights of the base model; convert the adapter to a \
                 plain LoRA when you save it in PEFT (`path_initial_model_for_weight_conversion`)"
            )),
            _ => Ok(()),
        }
    }

    fn is_true(&self, key: &'static str) -> Result<bool, AdapterError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => self.refuse(format!("`{key}` is {other}; it must be true or false")),
        }
    }

    fn number(&self, key: &'static str) -> Result<f64, AdapterError> {
        match self.map.get(key).and_then(Value::as_f64) {
            Some(number) => Ok(number),
            None => self.refuse(format!("`{key}` must be a number")),
        }
    }

    fn alpha_pattern(&self) -> Result<Vec<(String, f64)>, AdapterError> {
        let Some(Value::Object(patterns)) = self.map.get("alpha_pattern") else {
            return Ok(Vec::new());
        };
        let read = |(pattern, alpha): (&String, &Value)| {
            let is_plain = !pattern.contains(['*', '+', '?', '(', '[', '{', '|', '^', '$', '\\']);
            match alpha.as_f64().filter(|_| is_plain) {
                Some(alpha) => Ok((pattern.clone(), alpha)),
                None => self.refuse(format!(
                    "`alpha_pattern` has \"{pattern}\": {alpha}; names of modules with numbers are known here, regular \
                     expressions are not"
                )),
            }
        };
        patterns.iter().map(read).collect()
    }
}

/// Whether a key says that something is not used.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        _ => false,
    }
}

/// The configuration of an adapter, with every key that PEFT 0.21 writes. `head` is what the name of the model's class in
/// transformers ends in; `saved` are PEFT's `modules_to_save`.
pub(super) fn written(
    adapter: &FreshAdapter,
    head: &str,
    targets: &[String],
    saved: &[String],
) -> Map<String, Value> {
    let config = &adapter.options.config;
    let task_type = TASK_TYPES.iter().find(|(_, of_head)| *of_head == head);
    let mut map = Map::new();
    let mut set = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
    set("alpha_pattern", json!({}));
    set("auto_mapping", Value::Null);
    set("base_model_name_or_path", json!(adapter.base.name));
    set("bias", json!("none"));
    set("exclude_modules", Value::Null);
    set("fan_in_fan_out", json!(false));
    set("inference_mode", json!(true));
    set("init_lora_weights", json!(true));
    set("layer_replication", Value::Null);
    set("layers_pattern", Value::Null);
    set("layers_to_transform", Value::Null);
    set("loftq_config", json!({}));
    set("lora_alpha", number(config.alpha));
    set("lora_bias", json!(false));
    set("lora_dropout", json!(config.dropout));
    set("megatron_config", Value::Null);
    set("megatron_core", json!("megatron.core"));
    set("modules_to_save", json!(saved));
    set("peft_type", json!(PEFT_TYPE));
    set("r", json!(config.rank));
    set("rank_pattern", json!({}));
    set("revision", json!(adapter.base.revision));
    set("target_modules", json!(targets));
    set("task_type", json!(task_type.map(|(name, _)| *name)));
    set("use_dora", json!(config.use_dora));
    set("use_rslora", json!(config.use_rslora));
    map
}

/// A whole number without a fraction, as PEFT's `lora_alpha` usually is.
fn number(value: f64) -> Value {
    match value.fract() == 0.0 && value < f64::from(u32::MAX) {
        true => json!(value as u64),
        false => json!(value),
    }
}
