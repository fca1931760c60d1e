//! Tensors that belong to no part of the model are reported; what looks like a part of it stays an error.

use super::*;

fn with(names: &[&str]) -> Tensors {
    let mut tensors = classifier_tensors();
    for name in names {
        tensors.insert(
            (*name).to_owned(),
            stored(&[2], vec![f32::NAN; 2], DType::F32),
        );
    }
    tensors
}

fn load_classifier(tensors: &Tensors) -> Result<LoadReport, LoadError> {
    let (checkpoint, _directory) = checkpoint(tensors);
    let model = classifier(&device());
    let options = LoadOptions::default();
    load(model, &checkpoint, &classifier_keys(), &options).map(|(_, report)| report)
}

#[test]
fn tensors_of_nothing_are_reported_whatever_they_hold() {
    let names = [
        "classifier_2.weight",
        "crf.transitions",
        "fit_denses.0.weight",
        "linear.weight",
        "loss.weight",
    ];
    let report = load_classifier(&with(&names)).unwrap();
    assert_eq!(report.unknown, names);
    assert_eq!(report.loaded.len(), classifier_tensors().len());
}

#[test]
fn a_tensor_among_those_of_the_model_is_an_error() {
    for name in [
        "bert.encoder.layer.2.dense.bias",
        "encoder.layer.2.dense.bias",
        "bert.encoder.layer.0.attention.distance_embedding.weight",
        "bert.embeddings.extra",
        "bert.fit_dense.weight",
        "pooler.other.weight",
        "classifier.dense.weight",
        "classifier",
    ] {
        let unexpected = mismatch(load_classifier(&with(&[name]))).unexpected;
        assert_eq!(unexpected, [name]);
    }
}

#[test]
fn where_a_parameter_lacks_its_tensor_the_unknown_ones_are_listed_beside_it() {
    let mut tensors = with(&["linear.weight"]);
    let renamed = tensors.remove("classifier.weight").unwrap();
    tensors.insert("head.weight".to_owned(), renamed);
    let mismatch = mismatch(load_classifier(&tensors));
    assert_eq!(mismatch.missing[0].name, "classifier.weight");
    assert_eq!(mismatch.unexpected, ["head.weight", "linear.weight"]);
}

#[test]
fn a_map_without_a_base_model_prefix_knows_its_first_segments() {
    let keys = base_keys().with_base_prefix("");
    let load_with = |name: &str| {
        let mut tensors = base_tensors();
        tensors.insert(name.to_owned(), stored(&[1], vec![0.0], DType::F32));
        let (checkpoint, _directory) = checkpoint(&tensors);
        let options = LoadOptions::default();
        load(base(&device()), &checkpoint, &keys, &options).map(|(_, report)| report.unknown)
    };
    assert_eq!(
        load_with("bert.encoder.layer.9.dense.bias").unwrap().len(),
        1
    );
    assert_eq!(
        mismatch(load_with("encoder.layer.9.dense.bias"))
            .unexpected
            .len(),
        1
    );
}
