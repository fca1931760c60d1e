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

#[test]
fn config_and_further_files_are_copies() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    let text = "{\"b\": 1,\n \"a\":  Infinity-free}".replace("Infinity-free", "2.50");
    fs::write(directory.path().join("config.json"), &text).unwrap();
    let vocabulary = directory.path().join("vocab.txt");
    fs::write(&vocabulary, "[PAD]\r\nä").unwrap();
    let target = directory.path().join("deep/target");
    convert(&checkpoint, &[vocabulary], &target).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("config.json")).unwrap(),
        text
    );
    assert_eq!(
        fs::read_to_string(target.join("vocab.txt")).unwrap(),
        "[PAD]\r\nä"
    );
    assert_eq!(entries(&target), 3);
}

#[test]
fn a_failed_conversion_leaves_nothing_behind() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    let target = directory.path().join("deep/target");
    let missing = directory.path().join("vocab.txt");
    let error = convert(&checkpoint, &[missing], &target).unwrap_err();
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
