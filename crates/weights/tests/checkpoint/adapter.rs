//! Some parameters of a module in files of their own, and tensors of one file over those of another.

use std::collections::HashMap;

use bert_weights::{
    ADAPTER_WEIGHTS_FILE, AdapterExport, Checkpoint, LoadOptions, load, read_json, read_tensors,
    save_adapter,
};
use burn::tensor::{DType, Device};
use serde_json::{Map, Value, json};

use crate::support::{
    base_tensors, checkpoint, classifier, classifier_keys, classifier_tensors, stored, values,
    write_weights,
};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn an_adapter_has_the_named_parameters_and_two_configurations() {
    let (start, _directory) = checkpoint(&classifier_tensors());
    let device = Device::flex();
    let options = LoadOptions::default();
    let (model, _) = load(classifier(&device), &start, &classifier_keys(), &options).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let export = AdapterExport {
        adapter_config: map(json!({"peft_type": "LORA"})),
        config: map(json!({"model_type": "bert"})),
        tokenizer_files: &[],
    };
    let names = ["classifier.weight", "bert.layers.1.dense.bias"];
    let names: HashMap<String, String> = names
        .into_iter()
        .map(|path| (path.to_owned(), format!("base_model.model.{path}")))
        .collect();
    save_adapter(&model, names, &export, directory.path()).unwrap();

    let file = directory.path().join(ADAPTER_WEIGHTS_FILE);
    let tensors = read_tensors(&file).unwrap();
    let found: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(
        found,
        [
            "base_model.model.bert.layers.1.dense.bias",
            "base_model.model.classifier.weight"
        ]
    );
    let original = start
        .tensors()
        .iter()
        .find(|tensor| tensor.name == "classifier.weight");
    let original = original.unwrap();
    assert_eq!(tensors[1].shape, original.shape);
    assert_eq!(tensors[1].floats().unwrap(), original.floats().unwrap());
    let read = |name: &str| read_json::<Value>(&directory.path().join(name)).unwrap();
    assert_eq!(read("adapter_config.json")["peft_type"], "LORA");
    assert_eq!(read("config.json")["model_type"], "bert");
}

#[test]
fn tensors_over_a_checkpoint_replace_its_own_with_and_without_the_prefix() {
    let (base, _directory) = checkpoint(&base_tensors());
    let directory = tempfile::tempdir().unwrap();
    let head = stored(&[2, 3], values(&[2, 3], 9), DType::F32);
    let pooler = stored(&[3], vec![1.0, 2.0, 3.0], DType::F32);
    let file = directory.path().join("over.safetensors");
    let over = [
        ("classifier.weight".to_owned(), head),
        ("bert.pooler.dense.bias".to_owned(), pooler),
    ];
    write_weights(&file, &over.into());
    let tensors = read_tensors(&file).unwrap();
    let config = map(json!({"model_type": "other"}));
    let count = base.tensors().len();
    let path = directory.path();
    let both: Checkpoint = base.overlaid(tensors, config.clone(), path, &classifier_keys());
    assert_eq!(both.tensors().len(), count + 1);
    assert_eq!((both.path(), both.config()), (path, &config));
    let named = |name: &str| both.tensors().iter().find(|tensor| tensor.name == name);
    assert!(named("pooler.dense.bias").is_none());
    let pooler = named("bert.pooler.dense.bias").unwrap();
    assert_eq!(pooler.floats().unwrap(), [1.0, 2.0, 3.0]);
    assert!(named("pooler.dense.weight").is_some());
}
