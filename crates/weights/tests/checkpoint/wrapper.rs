//! Prefixes that a wrapper around the model has left before the names.

use bert_weights::{Checkpoint, LoadOptions, LoadReport, load};
use burn::tensor::{DType, Device};

use crate::support::{
    Tensors, base_tensors, checkpoint, classifier, classifier_keys, classifier_keys_of,
    classifier_tensors, classifier_tensors_of, prefixed, stored,
};

/// The checkpoint without its wrapper, and what a load of it reports.
fn unwrapped(tensors: &Tensors) -> (Checkpoint, Option<LoadReport>) {
    let (checkpoint, _directory) = checkpoint(tensors);
    let keys = classifier_keys();
    let checkpoint = checkpoint.without_wrapper(&keys);
    let options = LoadOptions::default();
    let loaded = load(classifier(&Device::flex()), &checkpoint, &keys, &options);
    (checkpoint, loaded.ok().map(|(_, report)| report))
}

#[test]
fn wrappers_are_taken_away_where_the_names_then_fit() {
    for prefix in [
        "module.",
        "_orig_mod.",
        "model.",
        "net.",
        "state_dict.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "state_dict.model.",
        "state_dict.net._orig_mod.",
    ] {
        let (checkpoint, report) = unwrapped(&prefixed(prefix, classifier_tensors()));
        assert_eq!(checkpoint.wrapper(), Some(prefix));
        let report = report.unwrap_or_else(|| panic!("{prefix} is not loaded"));
        assert_eq!(report.loaded.len(), classifier_tensors().len(), "{prefix}");
        let names = checkpoint.tensors().iter().map(|tensor| &tensor.name);
        assert!(names.is_sorted());
    }
}

#[test]
fn names_that_fit_are_left_alone() {
    let mut tensors = classifier_tensors();
    tensors.extend(prefixed("module.", base_tensors()));
    let (checkpoint, report) = unwrapped(&tensors);
    assert_eq!(checkpoint.wrapper(), None);
    assert_eq!(report.unwrap().unknown.len(), base_tensors().len());
}

#[test]
fn tensors_beside_the_wrapper_keep_their_names() {
    let mut tensors = prefixed("model.", classifier_tensors());
    let other = "loss.weight".to_owned();
    tensors.insert(other.clone(), stored(&[2], vec![0.0; 2], DType::F32));
    let (checkpoint, report) = unwrapped(&tensors);
    assert_eq!(checkpoint.wrapper(), Some("model."));
    assert_eq!(report.unwrap().unknown, [other]);
}

#[test]
fn a_prefix_that_is_no_wrapper_or_one_of_two_stays() {
    let (checkpoint, report) = unwrapped(&prefixed("student.", classifier_tensors()));
    assert_eq!((checkpoint.wrapper(), report), (None, None));
    let mut two = prefixed("model.", classifier_tensors());
    two.extend(prefixed("net.", classifier_tensors()));
    let (checkpoint, report) = unwrapped(&two);
    assert_eq!((checkpoint.wrapper(), report), (None, None));
}

#[test]
fn a_base_model_prefix_that_is_called_like_a_wrapper_is_no_wrapper() {
    let keys = classifier_keys_of("model.");
    for (tensors, wrapper) in [
        (classifier_tensors_of("model."), None),
        (
            prefixed("module.", classifier_tensors_of("model.")),
            Some("module."),
        ),
    ] {
        let (checkpoint, _directory) = checkpoint(&tensors);
        let checkpoint = checkpoint.without_wrapper(&keys);
        assert_eq!(checkpoint.wrapper(), wrapper);
        let model = classifier(&Device::flex());
        assert!(load(model, &checkpoint, &keys, &LoadOptions::default()).is_ok());
    }
}
