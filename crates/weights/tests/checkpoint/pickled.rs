//! Pickled weights are the tensors that PyTorch would make of them, and nothing of them is run.

mod build;
mod damaged;
mod evil;

use std::fs;
use std::path::{Path, PathBuf};

use bert_weights::{Checkpoint, CheckpointError, LoadOptions, PickleFault, load};
use burn::tensor::Device;

use crate::convert::converted;
use crate::support::{
    Tensors, base, base_keys, base_tensors, base_tensors_as, checkpoint as safetensors,
    read_weights,
};
use build::{directory_with, open, pickled, pickled_legacy};

fn golden(file: &str) -> PathBuf {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/pickled");
    goldens.join(file)
}

/// The fault of a `pytorch_model.bin`, whose message names the file.
fn fault(file: &[u8]) -> PickleFault {
    match open(file).map(drop) {
        Err(CheckpointError::Pickle { path, reason }) => {
            assert!(path.ends_with("pytorch_model.bin"));
            reason
        }
        Err(other) => panic!("expected a fault of the pickle, found: {other}"),
        Ok(()) => panic!("expected a fault of the pickle, it was opened"),
    }
}

#[test]
fn every_type_and_view_has_the_bits_that_pytorch_gives_it() {
    let expected = read_weights(&golden("layouts.safetensors"));
    for name in ["layouts.bin", "layouts_protocol_4.bin"] {
        let (checkpoint, _directory) = open(&fs::read(golden(name)).unwrap()).unwrap();
        assert_eq!(converted(&checkpoint), expected, "{name}");
    }
}

#[test]
fn a_model_with_a_tied_decoder_has_both_copies() {
    let checkpoint = Checkpoint::open(golden("")).unwrap();
    assert_eq!(
        checkpoint.pickled_file(),
        Some(golden("pytorch_model.bin").as_path())
    );
    let tensors = converted(&checkpoint);
    assert_eq!(tensors, read_weights(&golden("golden.safetensors")));
    assert_eq!(
        tensors["cls.predictions.decoder.weight"],
        tensors["bert.embeddings.word_embeddings.weight"]
    );
}

#[test]
fn pickled_tensors_load_as_those_of_safetensors_do() {
    let options = LoadOptions::default();
    let loaded = |checkpoint: &Checkpoint| {
        load(base(&Device::flex()), checkpoint, &base_keys(), &options).unwrap()
    };
    let (whole, _directory) = safetensors(&base_tensors());
    let (expected, report) = loaded(&whole);
    for file in [pickled(&base_tensors()), pickled_legacy(&base_tensors())] {
        let (checkpoint, _directory) = open(&file).unwrap();
        let (model, found) = loaded(&checkpoint);
        assert_eq!(found, report);
        let [weight, expected] =
            [&model, &expected].map(|model| model.layers[1].dense.weight.to_data());
        weight.assert_eq(&expected, true);
    }
}

#[test]
fn both_layouts_keep_every_bit() {
    let mut tensors = base_tensors_as(burn::tensor::DType::F16);
    tensors.extend(
        base_tensors()
            .into_iter()
            .map(|(name, tensor)| (format!("again.{name}"), tensor)),
    );
    for file in [pickled(&tensors), pickled_legacy(&tensors)] {
        let (checkpoint, _directory) = open(&file).unwrap();
        assert_eq!(converted(&checkpoint), tensors);
    }
}

#[test]
fn the_layout_of_pytorch_1_5_is_known_in_its_later_protocols() {
    let file = pickled_legacy(&base_tensors());
    let framed = [b"\x80\x04\x95\x0d\0\0\0\0\0\0\0", &file[2..]].concat();
    let (checkpoint, _directory) = open(&framed).unwrap();
    assert_eq!(converted(&checkpoint), base_tensors());
}

#[test]
fn one_file_may_be_named_under_any_of_its_endings() {
    let directory = directory_with(&pickled(&base_tensors()));
    for ending in ["bin", "pt", "pth"] {
        let path = directory.path().join(format!("weights.{ending}"));
        fs::rename(directory.path().join("pytorch_model.bin"), &path).unwrap();
        assert_eq!(
            Checkpoint::open(&path).unwrap().tensors().len(),
            base_tensors().len()
        );
        fs::rename(path, directory.path().join("pytorch_model.bin")).unwrap();
    }
}

#[test]
fn shards_are_one_checkpoint() {
    let directory = directory_with(b"");
    fs::remove_file(directory.path().join("pytorch_model.bin")).unwrap();
    let mut first = base_tensors();
    let second = first.split_off("encoder.layer.1");
    let mut map = serde_json::Map::new();
    let mut write = |number: usize, tensors: &Tensors| {
        let name = format!("pytorch_model-0000{number}-of-00002.bin");
        fs::write(directory.path().join(&name), pickled(tensors)).unwrap();
        map.extend(tensors.keys().map(|key| (key.clone(), name.clone().into())));
    };
    write(1, &first);
    write(2, &second);
    let index = serde_json::json!({ "weight_map": map });
    let path = directory.path().join("pytorch_model.bin.index.json");
    fs::write(path, index.to_string()).unwrap();
    let checkpoint = Checkpoint::open(directory.path()).unwrap();
    assert_eq!(converted(&checkpoint), base_tensors());
    fs::remove_file(directory.path().join("pytorch_model-00002-of-00002.bin")).unwrap();
    assert!(matches!(
        Checkpoint::open(directory.path()),
        Err(CheckpointError::MissingShard { .. })
    ));
}
