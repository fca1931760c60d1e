//! Parts of two checkpoints that are the same bytes, or not.

use bert_weights::{DifferenceKind, first_difference};

use super::support::{
    Tensors, base_keys, base_tensors, checkpoint, classifier_keys_of, classifier_tensors,
    classifier_tensors_of, prefixed, stored,
};

const ENCODER: [&str; 2] = ["bert.embeddings", "bert.encoder"];
const WEIGHT: &str = "bert.encoder.layer.1.dense.weight";

/// Name and kind of the first difference of the encoders.
fn difference(first: &Tensors, second: &Tensors) -> Option<(String, DifferenceKind)> {
    let ((first, _dir), (second, _other)) = (checkpoint(first), checkpoint(second));
    let found = first_difference(&first, &second, &base_keys(), &ENCODER).unwrap();
    found.map(|difference| (difference.name, difference.kind))
}

#[test]
fn old_names_and_other_parts_make_no_difference() {
    let mut old = Tensors::new();
    for (name, tensor) in base_tensors() {
        old.insert(name.replace("LayerNorm.weight", "LayerNorm.gamma"), tensor);
    }
    let ids = stored(&[1, 3], vec![0.0, 1.0, 2.0], burn::tensor::DType::I64);
    old.insert("embeddings.position_ids".to_owned(), ids);
    let mut current = classifier_tensors();
    current.get_mut("bert.pooler.dense.bias").unwrap().bytes[0] ^= 1;
    assert_eq!(difference(&old, &current), None);
    assert_eq!(difference(&current, &old), None);
}

#[test]
fn the_first_difference_is_named_with_its_kind() {
    let same = classifier_tensors();
    let changed = |change: &dyn Fn(&mut Tensors)| {
        let mut tensors = same.clone();
        change(&mut tensors);
        tensors
    };
    let one_bit = changed(&|tensors| tensors.get_mut(WEIGHT).unwrap().bytes[5] ^= 1);
    let turned = changed(&|tensors| tensors.get_mut(WEIGHT).unwrap().shape.reverse());
    let without = changed(&|tensors| drop(tensors.remove(WEIGHT)));
    for (first, second, kind) in [
        (&same, &one_bit, DifferenceKind::Values),
        (&same, &turned, DifferenceKind::Layout),
        (&same, &without, DifferenceKind::MissingInSecond),
        (&without, &same, DifferenceKind::MissingInFirst),
    ] {
        assert_eq!(difference(first, second), Some((WEIGHT.to_owned(), kind)));
    }
    let two = changed(&|tensors| {
        for name in [WEIGHT, "bert.embeddings.word_embeddings.weight"] {
            tensors.get_mut(name).unwrap().bytes[0] ^= 1;
        }
    });
    let (name, _) = difference(&same, &two).unwrap();
    assert_eq!(name, "bert.embeddings.word_embeddings.weight");
}

#[test]
fn the_base_model_prefix_is_the_key_maps() {
    let keys = classifier_keys_of("roberta.");
    let prefixes = ["roberta.embeddings", "roberta.encoder"];
    let difference = |first: &Tensors, second: &Tensors| {
        let ((first, _dir), (second, _other)) = (checkpoint(first), checkpoint(second));
        first_difference(&first, &second, &keys, &prefixes).unwrap()
    };
    let with_head = classifier_tensors_of("roberta.");
    assert_eq!(difference(&base_tensors(), &with_head), None);

    let other_family = prefixed("bert.", base_tensors());
    let found = difference(&other_family, &with_head).unwrap();
    assert_eq!(found.name, "roberta.embeddings.word_embeddings.weight");
    assert_eq!(found.kind, DifferenceKind::MissingInFirst);
}
