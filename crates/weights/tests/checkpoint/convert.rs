//! A conversion keeps every tensor bit for bit.

use std::fs;
use std::path::Path;

use bert_weights::{Checkpoint, ConvertError, SaveError, convert};
use burn::tensor::DType;

use crate::support::{
    Tensors, base_tensors, base_tensors_as, checkpoint, read_weights, stored, values,
};

/// Names, types, shapes and bytes after a conversion.
pub(crate) fn converted(checkpoint: &Checkpoint) -> Tensors {
    let target = tempfile::tempdir().unwrap();
    convert(checkpoint, &[], target.path()).unwrap();
    assert!(Checkpoint::open(target.path()).is_ok());
    read_weights(&target.path().join("model.safetensors"))
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn tensors_of_every_type_are_the_same_bits() {
    let mut tensors = base_tensors_as(DType::F16);
    for (index, dtype) in [DType::F64, DType::F32, DType::BF16, DType::I64]
        .into_iter()
        .enumerate()
    {
        let shape = [index + 1, 3];
        tensors.insert(
            format!("z.{index}"),
            stored(&shape, values(&shape, index), dtype),
        );
    }
    tensors.insert("scalar".to_owned(), stored(&[], vec![1.0], DType::F32));
    let (checkpoint, _directory) = checkpoint(&tensors);
    assert_eq!(converted(&checkpoint), tensors);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn config_and_further_files_are_copies() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    let pooling = "1_Pooling/config.json";
    fs::create_dir(directory.path().join("1_Pooling")).unwrap();
    let files = [
        ("config.json", "{\"b\": 1,\n \"a\":  2.50}"),
        ("vocab.txt", "[PAD]\r\nä"),
        (pooling, "{}"),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let target = directory.path().join("deep/target");
    convert(&checkpoint, &names(&["vocab.txt", pooling]), &target).unwrap();
    for (name, text) in files {
        assert_eq!(fs::read_to_string(target.join(name)).unwrap(), text);
    }
    assert_eq!(entries(&target), 4);
}

#[test]
fn a_further_file_cannot_take_the_place_of_another() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    let target = directory.path().join("target");
    for name in ["config.json", "model.safetensors"] {
        let error = convert(&checkpoint, &names(&[name]), &target).unwrap_err();
        assert!(
            matches!(&error, ConvertError::Write(SaveError::NameTaken { path }) if path.ends_with(name)),
            "{error}"
        );
    }
    assert!(!target.exists());
}

#[test]
fn a_failed_conversion_leaves_nothing_behind() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    let target = directory.path().join("deep/target");
    let error = convert(&checkpoint, &names(&["vocab.txt"]), &target).unwrap_err();
    assert!(
        matches!(&error, ConvertError::Write(SaveError::Copy { path, .. }) if path.ends_with("vocab.txt")),
        "{error}"
    );
    let weights = directory.path().join("model.safetensors");
    let whole = fs::read(&weights).unwrap();
    fs::write(&weights, &whole[..whole.len() - 1]).unwrap();
    let error = convert(&checkpoint, &[], &target).unwrap_err();
    assert!(matches!(&error, ConvertError::Read(_)), "{error}");
    assert!(!directory.path().join("deep").exists());
}
