//! Weights that change between their header and their values.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bert_weights::{TensorInfo, read_tensors};

fn golden(root: &Path, golden: &str, file: &str) -> Vec<TensorInfo> {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens");
    fs::copy(goldens.join(golden).join(file), root.join(file)).unwrap();
    read_tensors(root.join(file)).unwrap()
}

fn is_refused(tensor: &TensorInfo) {
    let message = tensor.floats().unwrap_err().to_string();
    assert!(message.contains("changed or replaced"), "{message}");
    assert!(message.contains(tensor.file.to_str().unwrap()), "{message}");
}

fn set_time(path: &Path, time: SystemTime) {
    File::options()
        .append(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

#[test]
fn a_file_that_another_takes_the_place_of_gives_no_values() {
    let root = tempfile::tempdir().unwrap();
    let tensors = golden(root.path(), "gelu", "model.safetensors");
    tensors[0].floats().unwrap();
    let path = root.path().join("model.safetensors");
    let copy = root.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    set_time(&copy, SystemTime::now() + Duration::from_secs(9));
    fs::rename(copy, &path).unwrap();
    is_refused(&tensors[0]);
}

#[test]
fn a_file_that_is_written_to_or_cut_gives_no_values() {
    let root = tempfile::tempdir().unwrap();
    let tensors = golden(root.path(), "gelu", "model.safetensors");
    let path = root.path().join("model.safetensors");
    set_time(&path, SystemTime::now() + Duration::from_secs(9));
    is_refused(&tensors[0]);
    let tensors = read_tensors(&path).unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(100)
        .unwrap();
    is_refused(&tensors[0]);
    fs::remove_file(&path).unwrap();
    tensors[0].floats().unwrap_err();
}
