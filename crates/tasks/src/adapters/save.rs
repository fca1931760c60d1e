//! The directory of an adapter, as PEFT's `save_pretrained` writes it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use bert_encoder::EncoderPart;
use bert_weights::{AdapterExport, KeyMap, save_adapter};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use serde_json::{Map, Value};

use super::targets::module_name;
use super::{FreshAdapter, config};
use crate::{Pretrained, TaskError};

/// What the name of every tensor of an adapter begins with.
const PREFIX: &str = "base_model.model.";

impl Pretrained {
    /// Writes the adapters of a model and its head. `exported` is the configuration of the model with its head.
    pub(crate) fn save_adapter<M: Module>(
        &self,
        adapter: &FreshAdapter,
        model: &M,
        keys: &KeyMap,
        head: &str,
        exported: Map<String, Value>,
        dir: &Path,
    ) -> Result<(), TaskError> {
        let mut found = Found {
            keys,
            path: Vec::new(),
            names: HashMap::new(),
            adapted: Vec::new(),
            of_head: Vec::new(),
        };
        model.visit(&mut found);
        let targets = adapter
            .options
            .targets
            .modules(self.encoder.model_type, &found.adapted)?;
        let saved = self.saved_modules(&found.of_head);
        let export = AdapterExport {
            adapter_config: config::written(adapter, head, &targets, &saved),
            config: exported,
            tokenizer_files: self.tokenizer.files(),
        };
        Ok(save_adapter(model, found.names, &export, dir)?)
    }

    /// PEFT's `modules_to_save`: the modules right below the model or its base that hold these tensors.
    fn saved_modules(&self, names: &[String]) -> Vec<String> {
        let prefix = self.encoder.model_type.family().base_model_prefix;
        let modules: BTreeSet<&str> = names
            .iter()
            .filter_map(|name| name.strip_prefix(prefix).unwrap_or(name).split('.').next())
            .collect();
        modules.into_iter().map(str::to_owned).collect()
    }
}

/// The parameters that are no part of the base model.
struct Found<'a> {
    keys: &'a KeyMap,
    path: Vec<String>,
    /// Their names in the adapter's file, by module path.
    names: HashMap<String, String>,
    /// The maps that have adapters, by their names in transformers.
    adapted: Vec<String>,
    /// The head's tensors, by their names in transformers.
    of_head: Vec<String>,
}

impl Found<'_> {
    fn add(&mut self, path: String) {
        if let Some((linear, part)) = path.split_once(".low_rank.") {
            let part = match part {
                "down.weight" => "lora_A.weight",
                "up.weight" => "lora_B.weight",
                _ => "lora_magnitude_vector",
            };
            if let Some(module) = module_name(self.keys, linear) {
                let name = format!("{PREFIX}{module}.{part}");
                self.names.insert(path, name);
                if part == "lora_A.weight" {
                    self.adapted.push(module);
                }
            }
        } else if EncoderPart::of(&path).is_none()
            && let Some(name) = self.keys.checkpoint_name(&path)
        {
            self.names.insert(path, format!("{PREFIX}{name}"));
            self.of_head.push(name);
        }
    }
}

impl ModuleVisitor for Found<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
        self.add(self.path.join("."));
    }
}
