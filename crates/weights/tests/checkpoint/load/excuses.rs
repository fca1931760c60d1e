//! What a load may leave out, and only when it is told to.

use super::*;
use crate::support::Stored;
use bert_weights::TiedCopy;

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

    let other = "qa_outputs.bias".to_owned();
    tensors.insert(other.clone(), stored(&[2], vec![0.0; 2], DType::F32));
    let (_, report) = load_base(&tensors, &options).unwrap();
    assert_eq!(
        (report.ignored, report.unknown),
        (prefixes(&names), vec![other])
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

/// The word embeddings a second time, under the name of a decoder.
fn with_copy(change: impl FnOnce(&mut Stored)) -> Tensors {
    let mut tensors = base_tensors();
    let mut copy = tensors["embeddings.word_embeddings.weight"].clone();
    change(&mut copy);
    tensors.insert("decoder.weight".to_owned(), copy);
    tensors
}

fn tied_decoder() -> LoadOptions {
    LoadOptions {
        copies: vec![TiedCopy {
            name: "decoder.weight".to_owned(),
            original: "embedding.weight".to_owned(),
        }],
        ..LoadOptions::default()
    }
}

#[test]
fn a_copy_of_a_tied_tensor_is_skipped_and_may_be_missing() {
    let (_, report) = load_base(&with_copy(|_| {}), &tied_decoder()).unwrap();
    assert_eq!(report.skipped, ["decoder.weight"]);
    assert_eq!(report.loaded.len(), base_tensors().len());
    let (_, report) = load_base(&base_tensors(), &tied_decoder()).unwrap();
    assert_eq!(report.skipped, Vec::<String>::new());
}

#[test]
fn a_copy_that_differs_from_its_original_is_an_error() {
    let changed = with_copy(|copy| copy.bytes[0] ^= 1);
    let error = load_base(&changed, &tied_decoder()).unwrap_err();
    let message = error.to_string();
    for word in [
        "`decoder.weight`",
        "`embeddings.word_embeddings.weight`",
        "not tied",
    ] {
        assert!(message.contains(word), "no {word} in {message}");
    }
    let other_shape = with_copy(|copy| copy.shape.reverse());
    let error = load_base(&other_shape, &tied_decoder()).unwrap_err();
    assert!(matches!(error, LoadError::NotTied { .. }), "{error}");
}

#[test]
fn a_copy_without_its_original_is_loaded_in_its_place() {
    let words = "embeddings.word_embeddings.weight";
    let (expected, _) = load_base(&base_tensors(), &LoadOptions::default()).unwrap();
    let mut tensors = with_copy(|_| {});
    tensors.remove(words);
    let (model, report) = load_base(&tensors, &tied_decoder()).unwrap();
    assert_eq!(
        floats(&model.embedding.weight),
        floats(&expected.embedding.weight)
    );
    assert!(report.loaded.contains(&"decoder.weight".to_owned()));
    assert_eq!(report.skipped, Vec::<String>::new());

    let mut other_shape = with_copy(|copy| copy.shape.reverse());
    other_shape.remove(words);
    let mismatch = mismatch(load_base(&other_shape, &tied_decoder()));
    assert_eq!(mismatch.misshapen[0].name, "decoder.weight");
}

#[test]
fn a_tensor_that_a_parameter_wants_is_no_copy_of_another() {
    let options = LoadOptions {
        copies: vec![TiedCopy {
            name: "pooler.dense.bias".to_owned(),
            original: "layers.0.layer_norm.beta".to_owned(),
        }],
        ..LoadOptions::default()
    };
    let mut tensors = base_tensors();
    tensors.remove("encoder.layer.0.LayerNorm.bias");
    let missing = mismatch(load_base(&tensors, &options)).missing;
    assert_eq!(missing[0].path, "layers.0.layer_norm.beta");
}

#[test]
fn a_copy_of_a_parameter_that_the_model_lacks_is_unexpected() {
    let options = LoadOptions {
        copies: vec![TiedCopy {
            name: "decoder.weight".to_owned(),
            original: "other.weight".to_owned(),
        }],
        ..LoadOptions::default()
    };
    let mismatch = mismatch(load_base(&with_copy(|_| {}), &options));
    assert_eq!(mismatch.unexpected, ["decoder.weight"]);
}

#[test]
fn a_copy_that_is_not_declared_belongs_to_nothing() {
    let (_, report) = load_base(&with_copy(|_| {}), &LoadOptions::default()).unwrap();
    assert_eq!(report.unknown, ["decoder.weight"]);
}
