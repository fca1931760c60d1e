//! The base-model prefix is data of the key map: what holds for one family holds for another.

use bert_weights::{Checkpoint, Export, KeyMap, LoadError, LoadOptions, LoadReport, load, save};
use burn::tensor::{DType, Device};
use serde_json::Map;

use crate::support::{
    Classifier, Stored, Tensors, base, base_keys, base_tensors, checkpoint, classifier,
    classifier_keys_of, classifier_tensors_of, prefixed, read_weights, stored,
};

const FAMILIES: [&str; 3] = ["bert.", "roberta.", "distilbert."];

fn load_classifier(
    tensors: &Tensors,
    keys: &KeyMap,
    options: &LoadOptions,
) -> Result<(Classifier, LoadReport), LoadError> {
    let (checkpoint, _directory) = checkpoint(tensors);
    load(classifier(&Device::flex()), &checkpoint, keys, options)
}

fn new_head() -> LoadOptions {
    LoadOptions {
        fresh: vec!["classifier".to_owned()],
        ..LoadOptions::default()
    }
}

fn position_ids() -> Stored {
    stored(&[1, 3], vec![0.0, 1.0, 2.0], DType::I64)
}

#[test]
fn a_checkpoint_of_the_base_model_alone_loads_into_a_model_with_a_head() {
    for prefix in FAMILIES {
        let keys = classifier_keys_of(prefix);
        for tensors in [base_tensors(), prefixed(prefix, base_tensors())] {
            let (_, report) = load_classifier(&tensors, &keys, &new_head()).unwrap();
            assert_eq!(report.loaded.len(), base_tensors().len(), "{prefix}");
            assert_eq!(report.new, ["classifier.weight", "classifier.bias"]);
        }
    }
}

#[test]
fn a_checkpoint_of_a_model_with_a_head_loads_into_the_base_model() {
    for prefix in FAMILIES {
        let keys = base_keys().with_base_prefix(prefix);
        let (checkpoint, _directory) = checkpoint(&classifier_tensors_of(prefix));
        let options = LoadOptions {
            ignored: vec!["classifier".to_owned()],
            ..LoadOptions::default()
        };
        let (_, report) = load(base(&Device::flex()), &checkpoint, &keys, &options).unwrap();
        assert_eq!(report.loaded.len(), base_tensors().len(), "{prefix}");
        assert_eq!(report.ignored, ["classifier.bias", "classifier.weight"]);
    }
}

#[test]
fn both_names_of_one_tensor_collide() {
    for prefix in FAMILIES {
        let mut tensors = classifier_tensors_of(prefix);
        tensors.extend(base_tensors());
        let keys = classifier_keys_of(prefix);
        let error = load_classifier(&tensors, &keys, &LoadOptions::default()).unwrap_err();
        assert!(matches!(error, LoadError::Collision { .. }), "{error}");
    }
}

#[test]
fn the_prefix_of_another_family_is_not_known() {
    let tensors = classifier_tensors_of("bert.");
    let keys = classifier_keys_of("roberta.");
    match load_classifier(&tensors, &keys, &LoadOptions::default()) {
        Err(LoadError::Mismatch(mismatch)) => {
            assert_eq!(mismatch.missing.len(), base_tensors().len());
            assert_eq!(mismatch.unexpected.len(), base_tensors().len());
            assert_eq!(
                mismatch.missing[0].name,
                "roberta.embeddings.word_embeddings.weight"
            );
        }
        other => panic!("expected a mismatch, got {other:?}"),
    }
}

#[test]
fn a_map_without_a_base_model_prefix_knows_its_own_names_alone() {
    let keys = base_keys().with_base_prefix("");
    let load_base = |tensors: &Tensors| {
        let (checkpoint, _directory) = checkpoint(tensors);
        let options = LoadOptions::default();
        load(base(&Device::flex()), &checkpoint, &keys, &options)
    };
    assert!(load_base(&base_tensors()).is_ok());
    assert!(matches!(
        load_base(&prefixed("bert.", base_tensors())),
        Err(LoadError::Mismatch(_))
    ));
}

#[test]
fn old_names_buffers_and_ignored_parts_are_known_under_every_prefix() {
    for prefix in FAMILIES {
        let mut tensors = Tensors::new();
        for (name, tensor) in classifier_tensors_of(prefix) {
            tensors.insert(name.replace("LayerNorm.bias", "LayerNorm.beta"), tensor);
        }
        let position_ids_name = format!("{prefix}embeddings.position_ids");
        tensors.insert(position_ids_name.clone(), position_ids());
        let extra = format!("{prefix}extra.dense.weight");
        tensors.insert(extra.clone(), stored(&[1], vec![0.0], DType::F32));
        let options = LoadOptions {
            ignored: vec!["extra".to_owned()],
            ..LoadOptions::default()
        };
        let (_, report) = load_classifier(&tensors, &classifier_keys_of(prefix), &options).unwrap();
        assert_eq!(report.loaded.len(), tensors.len() - 2, "{prefix}");
        assert_eq!(report.skipped, [position_ids_name]);
        assert_eq!(report.ignored, [extra]);
    }
}

#[test]
fn a_buffer_that_the_key_map_declares_is_skipped_with_and_without_the_prefix() {
    let buffers = KeyMap::parse("encoder.layer.{n}.attention.mask -").unwrap();
    let keys = classifier_keys_of("roberta.")
        .join(buffers.with_prefix("roberta.", ""))
        .unwrap();
    for prefix in ["roberta.", ""] {
        let mut tensors = classifier_tensors_of("roberta.");
        let name = format!("{prefix}encoder.layer.1.attention.mask");
        tensors.insert(name.clone(), position_ids());
        let undeclared = classifier_keys_of("roberta.");
        let options = LoadOptions::default();
        let (_, report) = load_classifier(&tensors, &keys, &options).unwrap();
        assert_eq!(report.skipped, std::slice::from_ref(&name));
        match load_classifier(&tensors, &undeclared, &options) {
            Err(LoadError::Mismatch(mismatch)) => assert_eq!(mismatch.unexpected, [name]),
            other => panic!("expected a mismatch, got {other:?}"),
        }
    }
}

#[test]
fn an_export_has_the_names_of_its_key_map_and_the_same_bytes() {
    for prefix in FAMILIES {
        let (tensors, keys) = (classifier_tensors_of(prefix), classifier_keys_of(prefix));
        let (model, _) = load_classifier(&tensors, &keys, &LoadOptions::default()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let export = Export {
            config: Map::new(),
            tokenizer_files: &[],
        };
        save(&model, &keys, &export, directory.path()).unwrap();
        assert_eq!(
            read_weights(&directory.path().join("model.safetensors")),
            tensors
        );
        assert!(Checkpoint::open(directory.path()).is_ok());
    }
}
