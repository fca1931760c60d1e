//! An export is the exact inverse of a load, and appears whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bert_weights::{Checkpoint, Export, KeyMap, LoadOptions, SaveError, load, save};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use serde_json::{Map, Value, json};

use crate::support::{
    Base, Tensors, base, base_keys, base_tensors, base_tensors_as, checkpoint, classifier,
    classifier_keys, classifier_tensors, read_weights, stored, with_prefix, write_weights,
};

fn config() -> Map<String, Value> {
    let config = json!({"architectures": ["BertModel"], "id2label": {"0": "negative"}, "layer_norm_eps": 1e-12});
    config.as_object().unwrap().clone()
}

fn export(tokenizer_files: &[PathBuf]) -> Export<'_> {
    Export {
        config: config(),
        tokenizer_files,
    }
}

fn loaded(tensors: &Tensors) -> Base {
    let (checkpoint, _directory) = checkpoint(tensors);
    load(
        base(&Device::flex()),
        &checkpoint,
        &base_keys(),
        &LoadOptions::default(),
    )
    .unwrap()
    .0
}

/// Every file below a directory with its content, to see that nothing changed.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.insert(path.clone(), Vec::new());
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn an_f32_file_is_exported_byte_for_byte() {
    let target = tempfile::tempdir().unwrap();
    save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap();
    assert_eq!(
        read_weights(&target.path().join("model.safetensors")),
        base_tensors()
    );
}

#[test]
fn import_export_import_is_bit_equal_for_every_type() {
    for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
        let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        save(
            &loaded(&base_tensors_as(dtype)),
            &base_keys(),
            &export(&[]),
            first.path(),
        )
        .unwrap();
        let checkpoint = Checkpoint::open(first.path()).unwrap();
        let again = load(
            base(&Device::flex()),
            &checkpoint,
            &base_keys(),
            &LoadOptions::default(),
        )
        .unwrap()
        .0;
        save(&again, &base_keys(), &export(&[]), second.path()).unwrap();
        let bytes = |directory: &Path| fs::read(directory.join("model.safetensors")).unwrap();
        assert_eq!(bytes(first.path()), bytes(second.path()), "{dtype:?}");
    }
}

#[test]
fn signs_of_zero_and_subnormal_numbers_survive() {
    let mut tensors = base_tensors();
    let values = vec![-0.0, f32::from_bits(1), f32::MAX];
    tensors.insert(
        "pooler.dense.bias".to_owned(),
        stored(&[3], values, DType::F32),
    );
    let target = tempfile::tempdir().unwrap();
    save(&loaded(&tensors), &base_keys(), &export(&[]), target.path()).unwrap();
    assert_eq!(
        read_weights(&target.path().join("model.safetensors")),
        tensors
    );
}

#[test]
fn names_are_those_of_the_model_not_of_the_file_it_came_from() {
    let target = tempfile::tempdir().unwrap();
    save(
        &loaded(&with_prefix(base_tensors())),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap();
    assert_eq!(
        read_weights(&target.path().join("model.safetensors")),
        base_tensors()
    );
}

#[test]
fn a_model_with_a_head_round_trips() {
    let (checkpoint, _directory) = checkpoint(&classifier_tensors());
    let model = load(
        classifier(&Device::flex()),
        &checkpoint,
        &classifier_keys(),
        &LoadOptions::default(),
    )
    .unwrap()
    .0;
    let target = tempfile::tempdir().unwrap();
    save(&model, &classifier_keys(), &export(&[]), target.path()).unwrap();
    assert_eq!(
        read_weights(&target.path().join("model.safetensors")),
        classifier_tensors()
    );
}

#[test]
fn a_model_on_an_autodiff_device_is_exported_too() {
    let (checkpoint, _directory) = checkpoint(&base_tensors());
    let model = base(&Device::flex().autodiff());
    let model = load(model, &checkpoint, &base_keys(), &LoadOptions::default())
        .unwrap()
        .0;
    let target = tempfile::tempdir().unwrap();
    save(&model, &base_keys(), &export(&[]), target.path()).unwrap();
    assert_eq!(
        read_weights(&target.path().join("model.safetensors")),
        base_tensors()
    );
}

#[test]
fn the_header_says_pt_alone_and_lists_the_names_in_order() {
    let target = tempfile::tempdir().unwrap();
    save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap();
    let bytes = fs::read(target.path().join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(header["__metadata__"], json!({"format": "pt"}));
    let mut by_offset: Vec<(u64, &str)> = header
        .iter()
        .filter(|(name, _)| *name != "__metadata__")
        .map(|(name, info)| (info["data_offsets"][0].as_u64().unwrap(), name.as_str()))
        .collect();
    by_offset.sort();
    let names: Vec<&str> = by_offset.into_iter().map(|(_, name)| name).collect();
    assert_eq!(
        names,
        base_tensors()
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_config_is_written_with_two_spaces_and_a_last_newline() {
    let target = tempfile::tempdir().unwrap();
    save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap();
    let text = fs::read_to_string(target.path().join("config.json")).unwrap();
    let expected = "{\n  \"architectures\": [\n    \"BertModel\"\n  ],\n  \"id2label\": {\n    \"0\": \"negative\"\n  \
                    },\n  \"layer_norm_eps\": 1e-12\n}\n";
    assert_eq!(text, expected);
}

#[test]
fn the_directory_holds_the_named_files_alone() {
    let source = tempfile::tempdir().unwrap();
    let vocabulary = source.path().join("vocab.txt");
    fs::write(&vocabulary, "[PAD]\n[UNK]\n").unwrap();
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("deep").join("model");
    save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[vocabulary]),
        &target,
    )
    .unwrap();
    let files = contents(&target);
    let names: Vec<&Path> = files
        .keys()
        .map(|path| path.strip_prefix(&target).unwrap())
        .collect();
    assert_eq!(
        names,
        ["config.json", "model.safetensors", "vocab.txt"].map(Path::new)
    );
    assert_eq!(files[&target.join("vocab.txt")], b"[PAD]\n[UNK]\n");
}

#[cfg(unix)]
#[test]
fn all_files_have_the_same_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let target = tempfile::tempdir().unwrap();
    save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap();
    let mode = |name: &str| {
        target
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("model.safetensors"), mode("config.json"));
}

#[test]
fn a_checkpoint_can_be_replaced_by_its_own_export() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    let vocabulary = directory.path().join("vocab.txt");
    fs::write(&vocabulary, "[PAD]\n").unwrap();
    let model = load(
        base(&Device::flex()),
        &checkpoint,
        &base_keys(),
        &LoadOptions::default(),
    )
    .unwrap()
    .0;
    save(
        &model,
        &base_keys(),
        &export(std::slice::from_ref(&vocabulary)),
        directory.path(),
    )
    .unwrap();
    assert_eq!(
        read_weights(&directory.path().join("model.safetensors")),
        base_tensors()
    );
    assert_eq!(fs::read(vocabulary).unwrap(), b"[PAD]\n");
    assert_eq!(contents(directory.path()).len(), 3);
}

#[test]
fn a_file_at_the_path_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("model");
    fs::write(&target, "precious").unwrap();
    let error = save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        &target,
    )
    .unwrap_err();
    assert!(matches!(error, SaveError::NotADirectory { .. }), "{error}");
    let below = save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        &target.join("below"),
    )
    .unwrap_err();
    assert!(matches!(below, SaveError::Write { .. }), "{below}");
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    assert_eq!(contents(parent.path()).len(), 1);
}

#[test]
fn a_failed_export_removes_the_directories_it_created() {
    let parent = tempfile::tempdir().unwrap();
    let missing = parent.path().join("tokenizer.json");
    let target = parent.path().join("deep").join("model");
    let error = save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[missing]),
        &target,
    )
    .unwrap_err();
    assert!(
        matches!(&error, SaveError::Copy { path, .. } if path.ends_with("tokenizer.json")),
        "{error}"
    );
    assert!(contents(parent.path()).is_empty());
}

#[test]
fn a_failed_export_leaves_an_earlier_one_as_it_was() {
    let target = tempfile::tempdir().unwrap();
    save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap();
    fs::write(target.path().join("notes.txt"), "mine").unwrap();
    let before = contents(target.path());
    let unreadable = tempfile::tempdir().unwrap();
    let mut tensors = base_tensors();
    tensors.insert(
        "pooler.dense.bias".to_owned(),
        stored(&[3], vec![9.0; 3], DType::F32),
    );
    let changed = loaded(&tensors);
    let error = save(
        &changed,
        &base_keys(),
        &export(&[unreadable.path().to_owned()]),
        target.path(),
    )
    .unwrap_err();
    assert!(matches!(error, SaveError::Copy { .. }), "{error}");
    assert_eq!(contents(target.path()), before);
}

#[test]
fn a_directory_in_the_place_of_a_file_stops_the_export_before_it_writes() {
    let target = tempfile::tempdir().unwrap();
    write_weights(&target.path().join("model.safetensors"), &Tensors::new());
    fs::create_dir(target.path().join("config.json")).unwrap();
    let before = contents(target.path());
    let error = save(
        &loaded(&base_tensors()),
        &base_keys(),
        &export(&[]),
        target.path(),
    )
    .unwrap_err();
    assert!(matches!(error, SaveError::NotAFile { .. }), "{error}");
    assert_eq!(contents(target.path()), before);
}

#[test]
fn a_tokenizer_file_may_not_replace_another_file() {
    let target = tempfile::tempdir().unwrap();
    for files in [
        vec!["a/config.json"],
        vec!["a/vocab.txt", "b/vocab.txt"],
        vec![".."],
    ] {
        let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
        let error = save(
            &loaded(&base_tensors()),
            &base_keys(),
            &export(&files),
            target.path(),
        )
        .unwrap_err();
        assert!(matches!(error, SaveError::NameTaken { .. }), "{error}");
    }
    assert!(contents(target.path()).is_empty());
}

#[test]
fn parameters_without_a_name_are_all_listed() {
    let target = tempfile::tempdir().unwrap();
    let error = save(
        &loaded(&base_tensors()),
        &KeyMap::default(),
        &export(&[]),
        target.path(),
    )
    .unwrap_err();
    assert!(
        matches!(&error, SaveError::Unmapped { paths } if paths.len() == base_tensors().len()),
        "{error}"
    );
    assert!(contents(target.path()).is_empty());
}

#[test]
fn a_model_with_a_weight_that_is_no_number_is_refused_and_leaves_what_was_there() {
    let target = tempfile::tempdir().unwrap();
    let model = loaded(&base_tensors());
    save(&model, &base_keys(), &export(&[]), target.path()).unwrap();
    let before = contents(target.path());
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let broken = model.clone().map(&mut FirstValue(Some(value)));
        let error = save(&broken, &base_keys(), &export(&[]), target.path()).unwrap_err();
        let SaveError::NotFinite { names, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(names.len(), 1);
        assert!(error.to_string().contains("diverged"), "{error}");
        assert_eq!(contents(target.path()), before);
    }
}

/// Puts a value into the first parameter.
struct FirstValue(Option<f32>);

impl ModuleMapper for FirstValue {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.0.take() else {
            return param;
        };
        param.map(|tensor| {
            let shape = tensor.shape();
            let flat = tensor.flatten::<1>(0, D - 1);
            let first = Tensor::<1>::from_data([value], &flat.device());
            let rest = flat.clone().narrow(0, 1, flat.dims()[0] - 1);
            Tensor::cat(vec![first, rest], 0).reshape(shape)
        })
    }
}
