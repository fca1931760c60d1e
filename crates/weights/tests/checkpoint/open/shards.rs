//! Weights split over several files.

use super::*;

/// The base model's tensors in two shards with an index, which the test may then spoil.
fn sharded() -> TempDir {
    let directory = directory(&Tensors::new());
    fs::remove_file(weights(&directory)).unwrap();
    let mut first = base_tensors();
    let second = first.split_off("encoder.layer.1");
    write_weights(
        &directory.path().join("model-00001-of-00002.safetensors"),
        &first,
    );
    write_weights(
        &directory.path().join("model-00002-of-00002.safetensors"),
        &second,
    );
    let map = first
        .keys()
        .map(|name| (name.clone(), 1))
        .chain(second.keys().map(|name| (name.clone(), 2)));
    let map = map.map(|(name, shard)| {
        (
            name,
            format!("model-0000{shard}-of-00002.safetensors").into(),
        )
    });
    write_index(&directory, map.collect());
    directory
}

fn write_index(directory: &TempDir, weight_map: serde_json::Map<String, serde_json::Value>) {
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": weight_map});
    fs::write(
        directory.path().join("model.safetensors.index.json"),
        index.to_string(),
    )
    .unwrap();
}

#[test]
fn shards_are_one_checkpoint() {
    let directory = sharded();
    let checkpoint = Checkpoint::open(directory.path()).unwrap();
    let names: Vec<&str> = checkpoint
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
    let base = || base(&Device::flex());
    let options = LoadOptions::default();
    let (model, _) = load(base(), &checkpoint, &base_keys(), &options).unwrap();
    let (whole, _whole_directory) = whole_checkpoint(&base_tensors());
    let (expected, _) = load(base(), &whole, &base_keys(), &options).unwrap();
    for (layer, expected) in model.layers.iter().zip(&expected.layers) {
        layer
            .dense
            .weight
            .to_data()
            .assert_eq(&expected.dense.weight.to_data(), true);
    }
}

#[test]
fn a_missing_shard_is_named() {
    let directory = sharded();
    fs::remove_file(directory.path().join("model-00002-of-00002.safetensors")).unwrap();
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::MissingShard { path } if path.ends_with("model-00002-of-00002.safetensors")
    ));
}

#[test]
fn a_tensor_that_the_index_promises_in_vain_is_named() {
    let directory = sharded();
    let shard = directory.path().join("model-00001-of-00002.safetensors");
    let mut tensors = base_tensors();
    tensors.retain(|name, _| name == "encoder.layer.0.dense.bias");
    write_weights(&shard, &tensors);
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::MissingInShard { tensor, .. } if tensor == "embeddings.word_embeddings.weight"
    ));
}

#[test]
fn a_tensor_in_two_shards_is_named() {
    let directory = sharded();
    write_weights(
        &directory.path().join("model-00002-of-00002.safetensors"),
        &base_tensors(),
    );
    assert!(matches!(
        open_error(directory.path()),
        CheckpointError::DuplicateTensor { tensor, .. } if tensor == "embeddings.word_embeddings.weight"
    ));
}

#[test]
fn a_shard_outside_the_directory_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    write_weights(&outside.path().join("x.safetensors"), &base_tensors());
    let absolute = outside.path().join("x.safetensors");
    let directory = sharded();
    for shard in [
        "../x.safetensors",
        absolute.to_str().unwrap(),
        "sub/x.safetensors",
        "..",
        "",
        "a\\b",
        "./x",
    ] {
        write_index(
            &directory,
            serde_json::Map::from_iter([("a".to_owned(), shard.into())]),
        );
        let error = open_error(directory.path());
        assert!(
            matches!(error, CheckpointError::ShardOutsideDirectory { .. }),
            "{shard}: {error}"
        );
    }
}

#[test]
fn an_index_of_another_form_is_rejected() {
    let directory = sharded();
    for text in ["{}", "not json", r#"{"weight_map": {"a": 1}}"#] {
        fs::write(directory.path().join("model.safetensors.index.json"), text).unwrap();
        assert!(
            matches!(open_error(directory.path()), CheckpointError::Json(_)),
            "{text}"
        );
    }
}
