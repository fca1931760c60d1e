//! A checkpoint is checked in full before any value is read.

mod shards;

use std::fs;
use std::path::{Path, PathBuf};

use bert_weights::{Checkpoint, CheckpointError, Dtype, LoadOptions, load, read_config, summary};
use burn::tensor::{DType, Device};
use serde::Deserialize;
use tempfile::TempDir;

use crate::support::{
    Tensors, base, base_keys, base_tensors, checkpoint as whole_checkpoint, directory, stored,
    write_weights,
};

fn weights(directory: &TempDir) -> PathBuf {
    directory.path().join("model.safetensors")
}

fn open_error(path: impl AsRef<Path>) -> CheckpointError {
    Checkpoint::open(path).expect_err("the checkpoint is bad")
}

/// A directory whose weights are the header with its length before it, and then the data.
fn with_header(header: &str, data: &[u8]) -> TempDir {
    let directory = directory(&Tensors::new());
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    fs::write(weights(&directory), file).unwrap();
    directory
}

fn header_reason(header: &str, data: &[u8]) -> String {
    let directory = with_header(header, data);
    match open_error(directory.path()) {
        CheckpointError::InvalidHeader { path, reason } => {
            assert_eq!(path, weights(&directory));
            reason
        }
        other => panic!("expected an invalid header, found: {other}"),
    }
}

#[test]
fn a_directory_and_its_file_are_the_same_checkpoint() {
    let directory = directory(&base_tensors());
    let by_directory = Checkpoint::open(directory.path()).unwrap();
    let by_file = Checkpoint::open(weights(&directory)).unwrap();
    assert_eq!(by_directory.tensors(), by_file.tensors());
    assert_eq!(by_directory.config(), by_file.config());
    let names: Vec<&str> = by_file
        .tensors()
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    assert_eq!(
        names,
        base_tensors()
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
    );
    assert_eq!(by_file.tensors()[0].shape, [7, 5]);
    assert_eq!(by_file.tensors()[0].dtype, Dtype::F32);
    assert_eq!(by_file.tensors()[0].file, weights(&directory));
}

#[test]
fn nothing_at_the_path_is_not_found() {
    let directory = directory(&base_tensors());
    assert!(matches!(
        open_error(directory.path().join("nothing")),
        CheckpointError::NotFound { .. }
    ));
    let below_a_file = weights(&directory).join("model.safetensors");
    assert!(matches!(
        open_error(below_a_file),
        CheckpointError::NotFound { .. }
    ));
}

#[test]
fn a_file_of_another_kind_is_rejected_by_its_name() {
    let directory = directory(&base_tensors());
    assert!(matches!(
        open_error(directory.path().join("config.json")),
        CheckpointError::NotWeights { .. }
    ));
}

#[test]
fn pickled_weights_beside_safetensors_do_not_matter() {
    let directory = directory(&base_tensors());
    fs::write(directory.path().join("pytorch_model.bin"), "pickle").unwrap();
    let checkpoint = Checkpoint::open(directory.path()).unwrap();
    assert_eq!(checkpoint.pickled_file(), None);
}

#[test]
fn a_directory_without_weights_or_config_says_which() {
    let directory = directory(&base_tensors());
    fs::remove_file(directory.path().join("config.json")).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::NoConfig { .. }
    ));
    assert!(matches!(
        open_error(weights(&directory)),
        CheckpointError::NoConfig { .. }
    ));
    fs::remove_file(weights(&directory)).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::NoWeights { .. }
    ));
}

#[test]
fn a_config_that_is_no_json_object_is_rejected() {
    let directory = directory(&base_tensors());
    for text in [
        &b"{\"hidden_size\": 5,"[..],
        b"[1, 2]",
        b"",
        b"{\"a\": \"\xff\"}",
    ] {
        fs::write(directory.path().join("config.json"), text).unwrap();
        let error = open_error(directory.path());
        assert!(
            matches!(&error, CheckpointError::Json(error) if error.path.ends_with("config.json")),
            "{error}"
        );
    }
}

#[test]
fn a_directory_in_the_place_of_a_file_is_rejected() {
    let directory = directory(&base_tensors());
    fs::remove_file(directory.path().join("config.json")).unwrap();
    fs::create_dir(directory.path().join("config.json")).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::NotAFile { .. }
    ));
    fs::remove_file(weights(&directory)).unwrap();
    fs::create_dir(weights(&directory)).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::NotAFile { path } if path.ends_with("model.safetensors")
    ));
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_followed_and_a_dangling_one_is_named() {
    let blobs = directory(&base_tensors());
    let snapshot = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::os::unix::fs::symlink(blobs.path().join(name), snapshot.path().join(name)).unwrap();
    }
    assert_eq!(
        Checkpoint::open(snapshot.path()).unwrap().tensors().len(),
        base_tensors().len()
    );
    assert!(Checkpoint::open(snapshot.path().join("model.safetensors")).is_ok());
    fs::remove_file(weights(&blobs)).unwrap();
    let error = open_error(snapshot.path());
    assert!(
        matches!(&error, CheckpointError::Io { path, .. } if path.starts_with(snapshot.path())),
        "{error}"
    );
}

#[test]
fn a_file_cut_short_anywhere_is_rejected() {
    let directory = directory(&base_tensors());
    let whole = fs::read(weights(&directory)).unwrap();
    for len in 0..whole.len() {
        fs::write(weights(&directory), &whole[..len]).unwrap();
        let error = open_error(directory.path());
        let is_named = matches!(
            error,
            CheckpointError::HeaderCutShort { found, .. } | CheckpointError::WrongLength { found, .. }
                if found == len as u64
        );
        assert!(is_named, "{len} bytes: {error}");
    }
}

#[test]
fn bytes_after_the_last_tensor_are_rejected() {
    let directory = directory(&base_tensors());
    let mut longer = fs::read(weights(&directory)).unwrap();
    let expected = longer.len() as u64;
    longer.push(0);
    fs::write(weights(&directory), longer).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::WrongLength { expected: length, found, .. } if length == expected && found == expected + 1
    ));
}

#[test]
fn a_pointer_of_git_lfs_is_recognised_as_no_safetensors_file() {
    let directory = directory(&base_tensors());
    fs::write(
        weights(&directory),
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    )
    .unwrap();
    assert!(open_error(directory.path()).to_string().contains("Git LFS"));
}

#[test]
fn a_header_larger_than_the_format_allows_is_not_read() {
    let directory = directory(&base_tensors());
    let declared = 150_000_000_u64;
    let file = fs::File::create(weights(&directory)).unwrap();
    std::io::Write::write_all(&mut &file, &declared.to_le_bytes()).unwrap();
    file.set_len(2 * declared).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::HeaderTooLarge { declared: found, .. } if found == declared
    ));
}

#[test]
fn a_header_that_lies_about_offsets_or_shapes_is_rejected() {
    let tensor = |name: &str, dtype: &str, shape: &str, begin: usize, end: usize| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    };
    let overlapping = format!(
        "{{{},{}}}",
        tensor("a", "F32", "[2]", 0, 8),
        tensor("b", "F32", "[2]", 4, 12)
    );
    assert!(header_reason(&overlapping, &[0; 12]).contains("`b`"));
    let gap = format!(
        "{{{},{}}}",
        tensor("a", "F32", "[1]", 0, 4),
        tensor("b", "F32", "[1]", 8, 12)
    );
    assert!(header_reason(&gap, &[0; 12]).contains("`b`"));
    let backwards = format!("{{{}}}", tensor("a", "F32", "[1]", 8, 4));
    header_reason(&backwards, &[0; 8]);
    let shape = format!("{{{}}}", tensor("a", "F32", "[3]", 0, 8));
    header_reason(&shape, &[0; 8]);
    let overflow = format!(
        "{{{}}}",
        tensor("a", "F32", "[4294967296,4294967296,4294967296]", 0, 8)
    );
    assert!(header_reason(&overflow, &[0; 8]).contains("overflow"));
    let dtype = format!("{{{}}}", tensor("a", "F33", "[2]", 0, 8));
    header_reason(&dtype, &[0; 8]);
    header_reason("{\"a\": ", &[]);
    header_reason("[]", &[]);
}

#[test]
fn offsets_beyond_the_end_of_the_file_are_rejected() {
    let header = r#"{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}"#;
    let directory = with_header(header, &[0; 8]);
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::WrongLength { .. }
    ));
}

#[test]
fn a_header_that_is_no_utf8_is_rejected() {
    let directory = directory(&base_tensors());
    let header = b"{\"\xff\":0}";
    let file = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    fs::write(weights(&directory), file).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::InvalidHeader { .. }
    ));
}

#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    #[serde(default)]
    id2label: std::collections::BTreeMap<String, String>,
}

#[test]
fn a_typed_config_names_the_key_at_fault() {
    let directory = directory(&base_tensors());
    let open = |text: &str| {
        fs::write(directory.path().join("config.json"), text).unwrap();
        Checkpoint::open(directory.path()).unwrap()
    };
    let config: Config = read_config(&open(r#"{"hidden_size": 5, "other": null}"#)).unwrap();
    assert_eq!((config.hidden_size, config.id2label.len()), (5, 0));
    for (text, expected) in [
        (r#"{"hidden_size": "five"}"#, "`hidden_size`"),
        (r#"{"hidden_size": -5}"#, "`hidden_size`"),
        (
            r#"{"hidden_size": 5, "id2label": {"0": 1}}"#,
            "`id2label.0`",
        ),
        (r#"{"other": 5}"#, "`hidden_size`"),
    ] {
        let message = read_config::<Config>(&open(text)).unwrap_err().to_string();
        assert!(
            message.contains("config.json") && message.contains(expected),
            "{message}"
        );
    }
}

#[test]
fn every_key_of_the_config_is_kept_in_order() {
    let directory = directory(&base_tensors());
    let text = r#"{"zeta":1e-12,"alpha":null,"nested":{"b":[1,2.5],"a":"é"}}"#;
    fs::write(directory.path().join("config.json"), text).unwrap();
    let checkpoint = Checkpoint::open(directory.path()).unwrap();
    assert_eq!(serde_json::to_string(checkpoint.config()).unwrap(), text);
}

#[test]
fn the_summary_counts_values_and_bytes_by_dtype() {
    let mut tensors = Tensors::new();
    tensors.insert("a".to_owned(), stored(&[2, 3], vec![0.0; 6], DType::F32));
    tensors.insert("b".to_owned(), stored(&[5], vec![0.0; 5], DType::F16));
    tensors.insert("c".to_owned(), stored(&[], vec![0.0], DType::F32));
    let directory = directory(&tensors);
    let summary = summary(&Checkpoint::open(directory.path()).unwrap());
    assert_eq!(
        (summary.tensors, summary.parameters, summary.bytes),
        (3, 12, 38)
    );
    let shares: Vec<_> = summary
        .dtypes
        .iter()
        .map(|share| (share.dtype, share.tensors, share.parameters, share.bytes))
        .collect();
    assert_eq!(shares, [(Dtype::F32, 2, 7, 28), (Dtype::F16, 1, 5, 10)]);
}
