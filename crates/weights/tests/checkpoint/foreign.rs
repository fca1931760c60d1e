//! Formats that are not read are named, with what to do.

use std::fs;

use bert_weights::{Checkpoint, CheckpointError, LoadError, LoadOptions, load};
use burn::tensor::{DType, Device};

use crate::support::{base, base_keys, base_tensors, checkpoint, directory, stored};

/// What opening a directory with these files and without weights says.
fn refusal(files: &[&str]) -> String {
    let directory = directory(&base_tensors());
    fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    for file in files {
        fs::write(directory.path().join(file), "").unwrap();
    }
    Checkpoint::open(directory.path()).unwrap_err().to_string()
}

#[test]
fn every_format_is_named_with_what_to_do() {
    for (file, words) in [
        ("tf_model.h5", ["TensorFlow", "from_tf=True"]),
        ("bert_model.ckpt.index", ["TensorFlow", "from_tf=True"]),
        ("flax_model.msgpack", ["Flax", "from_flax=True"]),
        ("model.onnx", ["ONNX", "exported from"]),
        ("model-q4.gguf", ["GGUF", "made from"]),
        ("adapter_config.json", ["adapter", "merge_and_unload"]),
        ("last.ckpt", ["Lightning", "state_dict"]),
    ] {
        let message = refusal(&[file]);
        for word in words.iter().chain([&file]) {
            assert!(message.contains(word), "no {word} in {message}");
        }
    }
}

#[test]
fn an_adapter_is_named_before_its_own_weights() {
    let message = refusal(&["adapter_model.safetensors", "adapter_config.json"]);
    assert!(message.contains("adapter_config.json"), "{message}");
}

#[test]
fn a_file_of_another_format_is_named_as_well() {
    let directory = directory(&base_tensors());
    for name in ["model.onnx", "flax_model.msgpack", "last.ckpt"] {
        let path = directory.path().join(name);
        fs::write(&path, "").unwrap();
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(
            matches!(&error, CheckpointError::OtherFormat { path, .. } if path.ends_with(name)),
            "{error}"
        );
    }
}

#[test]
fn quantised_weights_are_refused_and_a_setting_alone_is_not() {
    let setting = r#"{"quantization_config": {"quant_method": "bitsandbytes"}}"#;
    let mut tensors = base_tensors();
    for is_quantised in [false, true] {
        if is_quantised {
            let weight = stored(&[3, 5], vec![1.0; 15], DType::I64);
            tensors.insert("pooler.dense.weight".to_owned(), weight);
        }
        let (_, directory) = checkpoint(&tensors);
        fs::write(directory.path().join("config.json"), setting).unwrap();
        let checkpoint = Checkpoint::open(directory.path()).unwrap();
        let model = base(&Device::flex());
        let loaded = load(model, &checkpoint, &base_keys(), &LoadOptions::default());
        match loaded {
            Ok(_) => assert!(!is_quantised),
            Err(LoadError::Checkpoint(error)) => {
                let message = error.to_string();
                for word in [
                    "config.json",
                    "quantization_config",
                    "pooler.dense.weight",
                    "bitsandbytes",
                ] {
                    assert!(message.contains(word), "no {word} in {message}");
                }
            }
            Err(other) => panic!("{other}"),
        }
    }
}
