//! A conversion to another floating-point type rounds every value to the nearest one, and says what it cannot hold.

use bert_weights::{Checkpoint, ConvertError, FloatType, convert_to};
use burn::tensor::DType;

use crate::support::{base_tensors, checkpoint, read_weights, stored};

#[test]
fn values_are_rounded_to_the_nearest_and_integers_stay() {
    let mut tensors = base_tensors();
    // Two ties in half precision, one to the even number below and one to that above.
    let ties = vec![1.0 + 1.0 / 2048.0, 1.0 + 3.0 / 2048.0];
    tensors.insert("ties".to_owned(), stored(&[2], ties, DType::F32));
    let integers = stored(&[3], vec![1.0, 2.0, 3.0], DType::I64);
    tensors.insert("integers".to_owned(), integers.clone());
    let (checkpoint, _directory) = checkpoint(&tensors);
    let target = tempfile::tempdir().unwrap();
    convert_to(&checkpoint, FloatType::F16, &[], target.path()).unwrap();
    let found = read_weights(&target.path().join("model.safetensors"));
    let rounded = vec![1.0, 1.0 + 2.0 / 1024.0];
    assert_eq!(found["ties"], stored(&[2], rounded, DType::F16));
    assert_eq!(found["integers"], integers);
    let config = Checkpoint::open(target.path()).unwrap();
    assert_eq!(config.config()["dtype"], "float16");
}

/// The bits that decide are the lowest of single precision.
#[test]
fn a_value_just_above_a_tie_is_rounded_up() {
    let mut tensors = base_tensors();
    let above = f32::from_bits(0x3F80_8001);
    tensors.insert("above".to_owned(), stored(&[1], vec![above], DType::F32));
    let (checkpoint, _directory) = checkpoint(&tensors);
    let target = tempfile::tempdir().unwrap();
    convert_to(&checkpoint, FloatType::Bf16, &[], target.path()).unwrap();
    let found = read_weights(&target.path().join("model.safetensors"));
    let next = f32::from_bits(0x3F81_0000);
    assert_eq!(found["above"], stored(&[1], vec![next], DType::BF16));
}

#[test]
fn float32_holds_what_half_precision_held() {
    let (checkpoint, _directory) = checkpoint(&base_tensors());
    let [half, whole] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for float in [FloatType::F16, FloatType::Bf16] {
        convert_to(&checkpoint, float, &[], half.path()).unwrap();
        let narrow = Checkpoint::open(half.path()).unwrap();
        convert_to(&narrow, FloatType::F32, &[], whole.path()).unwrap();
        let wide = Checkpoint::open(whole.path()).unwrap();
        let back = tempfile::tempdir().unwrap();
        convert_to(&wide, float, &[], back.path()).unwrap();
        let weights = |directory: &tempfile::TempDir| {
            read_weights(&directory.path().join("model.safetensors"))
        };
        assert_eq!(weights(&half), weights(&back));
    }
}

#[test]
fn a_value_out_of_range_is_named_and_nothing_is_written() {
    let mut tensors = base_tensors();
    tensors.insert(
        "large".to_owned(),
        stored(&[2], vec![1.0, -7e4], DType::F32),
    );
    let (checkpoint, directory) = checkpoint(&tensors);
    let target = directory.path().join("target");
    let error = convert_to(&checkpoint, FloatType::F16, &[], &target).unwrap_err();
    assert!(matches!(error, ConvertError::OutOfRange { .. }));
    for word in ["large", "-7e4", "float16"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(!target.exists());
    convert_to(&checkpoint, FloatType::Bf16, &[], &target).unwrap();
}
