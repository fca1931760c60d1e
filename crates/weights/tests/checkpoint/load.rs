//! A load accounts for every tensor and every parameter by name, or fails with all of them listed.

mod excuses;
mod unknown;

use bert_weights::{
    CheckpointError, Dtype, KeyMap, LoadError, LoadOptions, LoadReport, Mismatch, MisshapenTensor,
    MissingTensor, WrongDtype, load,
};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::LinearConfig;
use burn::tensor::{DType, Device, Int, Tensor};

use crate::support::{
    Base, HIDDEN, INNER, LABELS, Tensors, VOCABULARY, base, base_keys, base_tensors,
    base_tensors_as, checkpoint, classifier, classifier_keys, classifier_tensors, stored, values,
    with_prefix,
};

fn device() -> Device {
    Device::flex()
}

fn load_base(tensors: &Tensors, options: &LoadOptions) -> Result<(Base, LoadReport), LoadError> {
    let (checkpoint, _directory) = checkpoint(tensors);
    load(base(&device()), &checkpoint, &base_keys(), options)
}

fn mismatch<T>(result: Result<T, LoadError>) -> Mismatch {
    match result.err() {
        Some(LoadError::Mismatch(mismatch)) => *mismatch,
        Some(other) => panic!("expected a mismatch, found: {other}"),
        None => panic!("expected a mismatch, the load succeeded"),
    }
}

fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor
        .to_data()
        .try_into_vec()
        .expect("loaded values are F32")
}

fn prefixes(prefixes: &[&str]) -> Vec<String> {
    prefixes.iter().map(|&prefix| prefix.to_owned()).collect()
}

#[test]
fn every_tensor_reaches_the_parameter_of_its_name() {
    let (model, report) = load_base(&base_tensors(), &LoadOptions::default()).unwrap();
    let expected = base_tensors();
    let bytes = |name: &str| expected[name].bytes.clone();
    let of = |values: Vec<f32>| {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    assert_eq!(
        of(floats(&model.embedding.weight)),
        bytes("embeddings.word_embeddings.weight")
    );
    for (index, layer) in model.layers.iter().enumerate() {
        let name = |rest: &str| format!("encoder.layer.{index}.{rest}");
        assert_eq!(
            of(floats(&layer.dense.weight.val().transpose())),
            bytes(&name("dense.weight"))
        );
        assert_eq!(
            of(floats(layer.dense.bias.as_ref().unwrap())),
            bytes(&name("dense.bias"))
        );
        assert_eq!(
            of(floats(&layer.layer_norm.gamma)),
            bytes(&name("LayerNorm.weight"))
        );
        assert_eq!(
            of(floats(layer.layer_norm.beta.as_ref().unwrap())),
            bytes(&name("LayerNorm.bias"))
        );
    }
    let mut loaded = report.loaded.clone();
    loaded.sort();
    assert_eq!(loaded, expected.keys().cloned().collect::<Vec<_>>());
    assert_eq!(
        report,
        LoadReport {
            loaded: report.loaded.clone(),
            ..LoadReport::default()
        }
    );
}

#[test]
fn a_loaded_linear_computes_what_pytorch_computes() {
    let mut tensors = base_tensors();
    let weight = values(&[INNER, HIDDEN], 3);
    let bias = vec![1.0, -2.0, 4.0];
    tensors.insert(
        "pooler.dense.weight".to_owned(),
        stored(&[INNER, HIDDEN], weight.clone(), DType::F32),
    );
    tensors.insert(
        "pooler.dense.bias".to_owned(),
        stored(&[INNER], bias.clone(), DType::F32),
    );
    let (model, _) = load_base(&tensors, &LoadOptions::default()).unwrap();
    let input = [1.0_f32, 2.0, -1.0, 0.5, 3.0];
    let output = floats(
        &model
            .pooler
            .forward(Tensor::<2>::from_data([input], &device())),
    );
    let expected: Vec<f32> = (0..INNER)
        .map(|row| {
            bias[row]
                + (0..HIDDEN)
                    .map(|column| weight[row * HIDDEN + column] * input[column])
                    .sum::<f32>()
        })
        .collect();
    assert_eq!(output, expected);
}

#[test]
fn every_floating_point_type_is_loaded_as_f32() {
    let (expected, _) = load_base(&base_tensors(), &LoadOptions::default()).unwrap();
    for dtype in [DType::F16, DType::BF16, DType::F64] {
        let (model, _) = load_base(&base_tensors_as(dtype), &LoadOptions::default()).unwrap();
        assert_eq!(
            floats(&model.embedding.weight),
            floats(&expected.embedding.weight),
            "{dtype:?}"
        );
        assert_eq!(
            floats(&model.pooler.weight),
            floats(&expected.pooler.weight),
            "{dtype:?}"
        );
        assert_eq!(
            floats(&model.layers[1].layer_norm.gamma),
            floats(&expected.layers[1].layer_norm.gamma)
        );
    }
}

#[test]
fn the_prefix_may_be_in_the_file_and_not_in_the_model() {
    let (model, _) = load_base(&with_prefix(base_tensors()), &LoadOptions::default()).unwrap();
    let (expected, _) = load_base(&base_tensors(), &LoadOptions::default()).unwrap();
    assert_eq!(
        floats(&model.pooler.weight),
        floats(&expected.pooler.weight)
    );
}

#[test]
fn the_prefix_may_be_in_the_model_and_not_in_the_file() {
    let (checkpoint, _directory) = checkpoint(&base_tensors());
    let options = LoadOptions {
        fresh: prefixes(&["classifier"]),
        ..LoadOptions::default()
    };
    let (model, report) = load(
        classifier(&device()),
        &checkpoint,
        &classifier_keys(),
        &options,
    )
    .unwrap();
    let (expected, _) = load_base(&base_tensors(), &LoadOptions::default()).unwrap();
    assert_eq!(
        floats(&model.bert.embedding.weight),
        floats(&expected.embedding.weight)
    );
    assert_eq!(report.new, ["classifier.weight", "classifier.bias"]);
    assert_eq!(report.loaded.len(), base_tensors().len());
}

#[test]
fn one_tensor_with_and_without_the_prefix_is_a_collision() {
    let mut tensors = base_tensors();
    let pooler = tensors["pooler.dense.bias"].clone();
    tensors.insert("bert.pooler.dense.bias".to_owned(), pooler);
    let error = load_base(&tensors, &LoadOptions::default()).unwrap_err();
    assert!(
        matches!(&error, LoadError::Collision { path, .. } if path == "pooler.bias"),
        "{error}"
    );
}

#[test]
fn legacy_layer_norm_names_are_read() {
    let legacy = |name: String| {
        name.replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta")
    };
    let tensors: Tensors = base_tensors()
        .into_iter()
        .map(|(name, tensor)| (legacy(name), tensor))
        .collect();
    let (model, report) = load_base(&tensors, &LoadOptions::default()).unwrap();
    let (expected, _) = load_base(&base_tensors(), &LoadOptions::default()).unwrap();
    assert_eq!(
        floats(&model.layers[1].layer_norm.gamma),
        floats(&expected.layers[1].layer_norm.gamma)
    );
    assert!(
        report
            .loaded
            .contains(&"encoder.layer.0.LayerNorm.beta".to_owned())
    );

    let mut both = base_tensors();
    let gamma = both["encoder.layer.0.LayerNorm.weight"].clone();
    both.insert("encoder.layer.0.LayerNorm.gamma".to_owned(), gamma);
    assert!(matches!(
        load_base(&both, &LoadOptions::default()),
        Err(LoadError::Collision { .. })
    ));
}

#[test]
fn position_ids_are_skipped() {
    let mut tensors = with_prefix(base_tensors());
    let name = "bert.embeddings.position_ids".to_owned();
    tensors.insert(
        name.clone(),
        stored(&[1, 4], vec![0.0, 1.0, 2.0, 3.0], DType::I64),
    );
    let (_, report) = load_base(&tensors, &LoadOptions::default()).unwrap();
    assert_eq!(report.skipped, [name]);
}

#[test]
fn all_differences_are_listed_at_once() {
    let mut tensors = base_tensors();
    tensors.remove("pooler.dense.bias");
    tensors.remove("encoder.layer.0.LayerNorm.bias");
    tensors.insert(
        "encoder.layer.2.dense.bias".to_owned(),
        stored(&[INNER], vec![0.0; 3], DType::F32),
    );
    tensors.insert("cls.bias".to_owned(), stored(&[1], vec![0.0], DType::F32));
    tensors.insert(
        "pooler.dense.weight".to_owned(),
        stored(&[HIDDEN, INNER], vec![0.0; 15], DType::F32),
    );
    tensors.insert(
        "encoder.layer.1.dense.bias".to_owned(),
        stored(&[INNER], vec![1.0; 3], DType::I64),
    );
    tensors.insert(
        "encoder.layer.0.dense.bias".to_owned(),
        stored(&[INNER], vec![f32::NAN; 3], DType::F32),
    );
    let (checkpoint, _directory) = checkpoint(&tensors);
    let mismatch = mismatch(load(
        base(&device()),
        &checkpoint,
        &base_keys(),
        &LoadOptions::default(),
    ));
    let missing = |name: &str, path: &str| MissingTensor {
        name: name.to_owned(),
        path: path.to_owned(),
    };
    let expected = Mismatch {
        checkpoint: checkpoint.path().to_owned(),
        missing: vec![
            missing("encoder.layer.0.LayerNorm.bias", "layers.0.layer_norm.beta"),
            missing("pooler.dense.bias", "pooler.bias"),
        ],
        unexpected: prefixes(&["cls.bias", "encoder.layer.2.dense.bias"]),
        misshapen: vec![MisshapenTensor {
            name: "pooler.dense.weight".to_owned(),
            expected: vec![INNER, HIDDEN],
            found: vec![HIDDEN, INNER],
        }],
        wrong_dtype: vec![WrongDtype {
            name: "encoder.layer.1.dense.bias".to_owned(),
            found: Dtype::I64,
        }],
        non_finite: prefixes(&["encoder.layer.0.dense.bias"]),
        unmapped: Vec::new(),
    };
    assert_eq!(mismatch, expected);
    let message = mismatch.to_string();
    assert!(
        message.contains("2 missing") && message.contains("expected [3, 5], found [5, 3]"),
        "{message}"
    );
}

#[test]
fn the_message_shortens_long_lists_and_keeps_their_counts() {
    let mut tensors = base_tensors();
    for index in 10..35 {
        tensors.insert(
            format!("encoder.extra.{index}"),
            stored(&[1], vec![0.0], DType::F32),
        );
    }
    let mismatch = mismatch(load_base(&tensors, &LoadOptions::default()));
    assert_eq!(mismatch.unexpected.len(), 25);
    let message = mismatch.to_string();
    assert!(
        message.contains("25 unexpected") && message.contains("and 15 more"),
        "{message}"
    );
    assert!(
        message.contains("encoder.extra.19") && !message.contains("encoder.extra.20"),
        "{message}"
    );
}

#[test]
fn values_that_are_not_finite_are_found_in_every_type() {
    for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut tensors = base_tensors_as(dtype);
            tensors.insert(
                "pooler.dense.bias".to_owned(),
                stored(&[INNER], vec![1.0, value, 2.0], dtype),
            );
            let mismatch = mismatch(load_base(&tensors, &LoadOptions::default()));
            assert_eq!(
                mismatch.non_finite,
                ["pooler.dense.bias"],
                "{value} as {dtype:?}"
            );
        }
    }
}

#[test]
fn a_number_too_large_for_f32_is_not_finite() {
    let mut tensors = base_tensors_as(DType::F64);
    let mut bias = stored(&[INNER], vec![0.0; INNER], DType::F64);
    bias.bytes[..8].copy_from_slice(&1e300_f64.to_le_bytes());
    tensors.insert("pooler.dense.bias".to_owned(), bias);
    assert_eq!(
        mismatch(load_base(&tensors, &LoadOptions::default())).non_finite,
        ["pooler.dense.bias"]
    );
}

#[test]
fn a_parameter_that_the_key_map_does_not_know_is_listed() {
    let (checkpoint, _directory) = checkpoint(&Tensors::new());
    let mismatch = mismatch(load(
        base(&device()),
        &checkpoint,
        &KeyMap::default(),
        &LoadOptions::default(),
    ));
    assert_eq!(mismatch.unmapped.len(), base_tensors().len());
    assert!(
        mismatch
            .unmapped
            .contains(&"layers.1.layer_norm.beta".to_owned())
    );
}

#[derive(Module, Debug)]
struct WithPositions {
    positions: Param<Tensor<1, Int>>,
}

#[test]
fn an_integer_parameter_is_refused() {
    let positions = Tensor::<1, Int>::from_data([0, 1, 2], &device());
    let model = WithPositions {
        positions: Param::initialized(ParamId::new(), positions),
    };
    let (checkpoint, _directory) = checkpoint(&Tensors::new());
    let error = load(
        model,
        &checkpoint,
        &KeyMap::default(),
        &LoadOptions::default(),
    )
    .unwrap_err();
    assert!(matches!(error, LoadError::UnsupportedParameter { path } if path == "positions"));
}

#[derive(Default)]
struct Identities(Vec<(ParamId, bool)>);

impl ModuleVisitor for Identities {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push((param.id, param.is_require_grad()));
    }
}

fn identities<M: Module>(module: &M) -> Vec<(ParamId, bool)> {
    let mut identities = Identities::default();
    module.visit(&mut identities);
    identities.0
}

#[test]
fn parameters_keep_device_identity_and_whether_they_are_trained() {
    let device = device().autodiff();
    let mut model = classifier(&device);
    model.bert = model.bert.no_grad();
    let before = identities(&model);
    let (checkpoint, _directory) = checkpoint(&classifier_tensors());
    let (model, _) = load(
        model,
        &checkpoint,
        &classifier_keys(),
        &LoadOptions::default(),
    )
    .unwrap();
    assert_eq!(identities(&model), before);
    assert!(
        before.iter().any(|(_, trained)| *trained) && before.iter().any(|(_, trained)| !trained)
    );
    assert!(model.classifier.weight.val().device().is_autodiff());
}

#[test]
fn loaded_parameters_get_gradients_and_frozen_ones_do_not() {
    let device = device().autodiff();
    let mut model = classifier(&device);
    model.bert = model.bert.no_grad();
    let (checkpoint, _directory) = checkpoint(&classifier_tensors());
    let (model, _) = load(
        model,
        &checkpoint,
        &classifier_keys(),
        &LoadOptions::default(),
    )
    .unwrap();
    let ids = Tensor::<2, Int>::from_data([[1, 6]], &device);
    let hidden = model.bert.embedding.forward(ids).reshape([2, HIDDEN]);
    let logits = model.classifier.forward(model.bert.pooler.forward(hidden));
    let gradients = logits.sum().backward();
    let gradient = model
        .classifier
        .weight
        .val()
        .grad(&gradients)
        .expect("the head is trained");
    assert_eq!(gradient.dims(), [INNER, LABELS]);
    assert!(model.bert.pooler.weight.val().grad(&gradients).is_none());
}

#[test]
fn a_file_that_goes_away_after_opening_is_an_error() {
    let (checkpoint, directory) = checkpoint(&base_tensors());
    drop(directory);
    let error = load(
        base(&device()),
        &checkpoint,
        &base_keys(),
        &LoadOptions::default(),
    )
    .unwrap_err();
    assert!(
        matches!(error, LoadError::Checkpoint(CheckpointError::Io { .. })),
        "{error}"
    );
}

#[test]
fn a_square_linear_is_transposed_too() {
    #[derive(Module, Debug)]
    struct Square {
        dense: burn::nn::Linear,
    }
    let weight = values(&[VOCABULARY, VOCABULARY], 0);
    let tensors = Tensors::from([
        (
            "w".to_owned(),
            stored(&[VOCABULARY, VOCABULARY], weight.clone(), DType::F32),
        ),
        (
            "b".to_owned(),
            stored(&[VOCABULARY], vec![0.0; VOCABULARY], DType::F32),
        ),
    ]);
    let (checkpoint, _directory) = checkpoint(&tensors);
    let model = Square {
        dense: LinearConfig::new(VOCABULARY, VOCABULARY).init(&device()),
    };
    let keys = KeyMap::parse("w dense.weight\nb dense.bias").unwrap();
    let (model, _) = load(model, &checkpoint, &keys, &LoadOptions::default()).unwrap();
    assert_eq!(floats(&model.dense.weight.val().transpose()), weight);
}
