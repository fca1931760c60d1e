//! What a load may leave out, and only when it is told to.

use super::*;

#[test]
fn a_part_declared_new_keeps_its_values_whatever_the_file_has() {
    let mut tensors = classifier_tensors();
    tensors.insert(
        "classifier.weight".to_owned(),
        stored(&[9, INNER], vec![f32::NAN; 27], DType::F32),
    );
    let (checkpoint, _directory) = checkpoint(&tensors);
    let model = classifier(&device());
    let initial = floats(&model.classifier.weight);
    let options = LoadOptions {
        fresh: prefixes(&["classifier"]),
        ..LoadOptions::default()
    };
    let (model, report) = load(model, &checkpoint, &classifier_keys(), &options).unwrap();
    assert_eq!(floats(&model.classifier.weight), initial);
    assert_eq!(report.new, ["classifier.weight", "classifier.bias"]);
    assert_eq!(report.replaced, ["classifier.weight", "classifier.bias"]);
    assert_eq!(report.loaded.len(), base_tensors().len());
}

#[test]
fn a_head_that_is_not_declared_new_must_be_in_the_file() {
    let (checkpoint, _directory) = checkpoint(&base_tensors());
    let result = load(
        classifier(&device()),
        &checkpoint,
        &classifier_keys(),
        &LoadOptions::default(),
    );
    let missing: Vec<String> = mismatch(result)
        .missing
        .into_iter()
        .map(|missing| missing.name)
        .collect();
    assert_eq!(missing, ["classifier.weight", "classifier.bias"]);
}

#[test]
fn declaring_new_what_the_model_lacks_is_an_error() {
    let options = LoadOptions {
        fresh: prefixes(&["clasifier"]),
        ..LoadOptions::default()
    };
    let error = load_base(&base_tensors(), &options).unwrap_err();
    assert!(matches!(error, LoadError::NoSuchParameter { prefix } if prefix == "clasifier"));
}

#[test]
fn an_optional_part_is_loaded_whole_or_missing_whole() {
    let options = LoadOptions {
        optional: prefixes(&["pooler"]),
        ..LoadOptions::default()
    };
    let (_, report) = load_base(&base_tensors(), &options).unwrap();
    assert_eq!(report.new, Vec::<String>::new());

    let mut tensors = base_tensors();
    tensors.remove("pooler.dense.weight");
    let mismatch = mismatch(load_base(&tensors, &options));
    assert_eq!(mismatch.missing.len(), 1);

    tensors.remove("pooler.dense.bias");
    let (_, report) = load_base(&tensors, &options).unwrap();
    assert_eq!(report.new, ["pooler.weight", "pooler.bias"]);
}

#[test]
fn tensors_of_other_heads_are_ignored_only_by_name() {
    let mut tensors = base_tensors();
    let names = ["cls.predictions.bias", "cls.seq_relationship.weight"];
    for name in names {
        tensors.insert(name.to_owned(), stored(&[2], vec![0.0; 2], DType::F32));
    }
    let options = LoadOptions {
        ignored: prefixes(&["cls."]),
        ..LoadOptions::default()
    };
    let (_, report) = load_base(&tensors, &options).unwrap();
    assert_eq!(report.ignored, names);

    tensors.insert(
        "qa_outputs.bias".to_owned(),
        stored(&[2], vec![0.0; 2], DType::F32),
    );
    assert_eq!(
        mismatch(load_base(&tensors, &options)).unexpected,
        ["qa_outputs.bias"]
    );
}

#[test]
fn a_tensor_that_a_parameter_wants_is_loaded_although_its_prefix_may_be_ignored() {
    let options = LoadOptions {
        ignored: prefixes(&["pooler"]),
        ..LoadOptions::default()
    };
    let (_, report) = load_base(&base_tensors(), &options).unwrap();
    assert!(report.loaded.contains(&"pooler.dense.weight".to_owned()));
    assert!(report.ignored.is_empty());
}
