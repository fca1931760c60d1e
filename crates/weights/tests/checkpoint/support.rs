//! A small model of every kind of layer, and checkpoints for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bert_weights::{Checkpoint, Dtype, KeyMap};
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, TensorData};
use safetensors::tensor::TensorView;
use tempfile::TempDir;

pub(crate) const VOCABULARY: usize = 7;
pub(crate) const HIDDEN: usize = 5;
pub(crate) const INNER: usize = 3;
pub(crate) const LABELS: usize = 2;
pub(crate) const LAYERS: usize = 2;

const KEYS: &str = "\
# checkpoint name\tmodule path
embeddings.word_embeddings.weight\tembedding.weight
encoder.layer.{n}.dense.weight\tlayers.{n}.dense.weight
encoder.layer.{n}.dense.bias\tlayers.{n}.dense.bias
encoder.layer.{n}.LayerNorm.weight\tlayers.{n}.layer_norm.gamma
encoder.layer.{n}.LayerNorm.bias\tlayers.{n}.layer_norm.beta
pooler.dense.weight\tpooler.weight
pooler.dense.bias\tpooler.bias
";

#[derive(Module, Debug)]
pub(crate) struct Layer {
    pub(crate) dense: Linear,
    pub(crate) layer_norm: LayerNorm,
}

#[derive(Module, Debug)]
pub(crate) struct Base {
    pub(crate) embedding: Embedding,
    pub(crate) layers: Vec<Layer>,
    pub(crate) pooler: Linear,
}

#[derive(Module, Debug)]
pub(crate) struct Classifier {
    pub(crate) bert: Base,
    pub(crate) classifier: Linear,
}

pub(crate) fn base(device: &Device) -> Base {
    let layer = || Layer {
        dense: LinearConfig::new(HIDDEN, INNER).init(device),
        layer_norm: LayerNormConfig::new(INNER).init(device),
    };
    Base {
        embedding: EmbeddingConfig::new(VOCABULARY, HIDDEN).init(device),
        layers: (0..LAYERS).map(|_| layer()).collect(),
        pooler: LinearConfig::new(HIDDEN, INNER).init(device),
    }
}

pub(crate) fn classifier(device: &Device) -> Classifier {
    Classifier {
        bert: base(device),
        classifier: LinearConfig::new(INNER, LABELS).init(device),
    }
}

pub(crate) fn base_keys() -> KeyMap {
    KeyMap::parse(KEYS).unwrap().with_base_prefix("bert.")
}

pub(crate) fn classifier_keys() -> KeyMap {
    classifier_keys_of("bert.")
}

/// The classifier's map for a family with this base-model prefix; the module's paths stay.
pub(crate) fn classifier_keys_of(prefix: &str) -> KeyMap {
    let head = "classifier.weight classifier.weight\nclassifier.bias classifier.bias";
    base_keys()
        .with_prefix(prefix, "bert.")
        .with_base_prefix(prefix)
        .join(KeyMap::parse(head).unwrap())
        .unwrap()
}

/// One tensor of a file written by hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) type Tensors = BTreeMap<String, Stored>;

pub(crate) fn stored(shape: &[usize], values: Vec<f32>, dtype: DType) -> Stored {
    let stored_dtype = match dtype {
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
        DType::I64 => Dtype::I64,
        other => panic!("the tests store no {other:?}"),
    };
    let data = TensorData::new(values, shape.to_vec()).convert_dtype(dtype);
    Stored {
        dtype: stored_dtype,
        shape: shape.to_vec(),
        bytes: data.as_bytes().to_vec(),
    }
}

/// Halves, which every floating-point type holds exactly; `start` tells the tensors apart.
pub(crate) fn values(shape: &[usize], start: usize) -> Vec<f32> {
    (0..shape.iter().product())
        .map(|index| (start * 16 + index) as f32 * 0.5 - 40.0)
        .collect()
}

pub(crate) fn base_tensors_as(dtype: DType) -> Tensors {
    let mut shapes = vec![(
        "embeddings.word_embeddings.weight".to_owned(),
        vec![VOCABULARY, HIDDEN],
    )];
    for layer in 0..LAYERS {
        shapes.push((
            format!("encoder.layer.{layer}.dense.weight"),
            vec![INNER, HIDDEN],
        ));
        for vector in ["dense.bias", "LayerNorm.weight", "LayerNorm.bias"] {
            shapes.push((format!("encoder.layer.{layer}.{vector}"), vec![INNER]));
        }
    }
    shapes.push(("pooler.dense.weight".to_owned(), vec![INNER, HIDDEN]));
    shapes.push(("pooler.dense.bias".to_owned(), vec![INNER]));
    let tensor = |(index, (name, shape)): (usize, (String, Vec<usize>))| {
        let tensor = stored(&shape, values(&shape, index), dtype);
        (name, tensor)
    };
    shapes.into_iter().enumerate().map(tensor).collect()
}

pub(crate) fn base_tensors() -> Tensors {
    base_tensors_as(DType::F32)
}

pub(crate) fn with_prefix(tensors: Tensors) -> Tensors {
    prefixed("bert.", tensors)
}

pub(crate) fn prefixed(prefix: &str, tensors: Tensors) -> Tensors {
    tensors
        .into_iter()
        .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
        .collect()
}

pub(crate) fn classifier_tensors() -> Tensors {
    classifier_tensors_of("bert.")
}

pub(crate) fn classifier_tensors_of(prefix: &str) -> Tensors {
    let mut tensors = prefixed(prefix, base_tensors());
    let shape = [LABELS, INNER];
    tensors.insert(
        "classifier.weight".to_owned(),
        stored(&shape, values(&shape, 20), DType::F32),
    );
    tensors.insert(
        "classifier.bias".to_owned(),
        stored(&[LABELS], values(&[LABELS], 21), DType::F32),
    );
    tensors
}

pub(crate) fn write_weights(path: &Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, tensor)| {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap();
        (name.as_str(), view)
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

pub(crate) fn read_weights(path: &Path) -> Tensors {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            let bytes = view.data().to_vec();
            (
                name.to_owned(),
                Stored {
                    dtype: view.dtype(),
                    shape: view.shape().to_vec(),
                    bytes,
                },
            )
        })
        .collect()
}

pub(crate) fn directory(tensors: &Tensors) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("config.json"),
        r#"{"model_type": "bert", "hidden_size": 5}"#,
    )
    .unwrap();
    write_weights(&directory.path().join("model.safetensors"), tensors);
    directory
}

/// The checkpoint and the directory it lies in, which goes when it is dropped.
pub(crate) fn checkpoint(tensors: &Tensors) -> (Checkpoint, TempDir) {
    let directory = directory(tensors);
    (Checkpoint::open(directory.path()).unwrap(), directory)
}
