//! The golden files; `tests/goldens/README.md` says what is in them.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
#[cfg(feature = "encoder")]
use bert_encoder::PaddedInput;
#[cfg(feature = "encoder")]
use bert_weights::Checkpoint;
use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::Values;

/// The folder of all cases, `tests/goldens` of the workspace.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens")
}

/// One case: a checkpoint, and what transformers computes with it.
#[derive(Debug)]
pub struct Golden {
    case: String,
    path: PathBuf,
    tensors: Vec<u8>,
    scalars: Value,
}

impl Golden {
    /// Reads a case by the name of its folder.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn open(case: &str) -> anyhow::Result<Self> {
        let path = folder().join(case);
        let read = |name: &str| {
            let path = path.join(name);
            std::fs::read(&path).with_context(|| path.display().to_string())
        };
        Ok(Self {
            case: case.to_owned(),
            tensors: read("golden.safetensors")?,
            scalars: serde_json::from_slice(&read("golden.json")?)?,
            path,
        })
    }

    /// The name of its folder.
    pub fn case(&self) -> &str {
        &self.case
    }

    /// Its folder, a checkpoint directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The case's checkpoint.
    ///
    /// # Errors
    /// It does not open.
    #[cfg(feature = "encoder")]
    pub fn checkpoint(&self) -> anyhow::Result<Checkpoint> {
        Ok(Checkpoint::open(&self.path)?)
    }

    /// A value of `golden.json`, by JSON pointer (`/steps/0/loss`).
    ///
    /// # Errors
    /// There is none.
    pub fn scalar(&self, pointer: &str) -> anyhow::Result<&Value> {
        let missing = || format!("{}: no {pointer} in golden.json", self.case);
        self.scalars.pointer(pointer).with_context(missing)
    }

    /// A number of `golden.json`.
    ///
    /// # Errors
    /// There is none.
    pub fn number(&self, pointer: &str) -> anyhow::Result<f64> {
        self.scalar(pointer)?
            .as_f64()
            .with_context(|| format!("{pointer} is no number"))
    }

    /// A count or index of `golden.json`.
    ///
    /// # Errors
    /// There is none.
    pub fn index(&self, pointer: &str) -> anyhow::Result<usize> {
        let value = self.scalar(pointer)?.as_u64();
        Ok(value
            .with_context(|| format!("{pointer} is no index"))?
            .try_into()?)
    }

    /// The names of all tensors that start with a prefix, the prefix cut off.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn names_under(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let tensors = self.tensors()?;
        let names = tensors.names().into_iter();
        Ok(names
            .filter_map(|name| name.strip_prefix(prefix))
            .map(str::to_owned)
            .collect())
    }

    /// A tensor of floating-point numbers.
    ///
    /// # Errors
    /// There is none of this name and type.
    pub fn floats(&self, name: &str) -> anyhow::Result<Values> {
        let (shape, bytes) = self.raw(name, Dtype::F32)?;
        let values = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four));
        Ok(Values {
            shape,
            values: values.collect(),
        })
    }

    /// A tensor of integers, on a device.
    ///
    /// # Errors
    /// There is none of this name and type.
    pub fn ints<const D: usize>(
        &self,
        name: &str,
        device: &Device,
    ) -> anyhow::Result<Tensor<D, Int>> {
        let (shape, bytes) = self.raw(name, Dtype::I64)?;
        let values = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|eight| i64::from_le_bytes(*eight));
        let data = TensorData::new(values.collect::<Vec<i64>>(), shape);
        Ok(Tensor::from_data(data, device))
    }

    /// A batch for the encoder: `input_ids`, `attention_mask` and, if the case has them, `token_type_ids`, each name with the
    /// prefix.
    ///
    /// # Errors
    /// One of them is missing.
    #[cfg(feature = "encoder")]
    pub fn input(&self, prefix: &str, device: &Device) -> anyhow::Result<PaddedInput> {
        let tensor = |name: &str| self.ints::<2>(&format!("{prefix}{name}"), device);
        let has_types = !self
            .names_under(&format!("{prefix}token_type_ids"))?
            .is_empty();
        Ok(PaddedInput {
            input_ids: tensor("input_ids")?,
            token_type_ids: has_types.then(|| tensor("token_type_ids")).transpose()?,
            attention_mask: Some(tensor("attention_mask")?),
        })
    }

    fn tensors(&self) -> anyhow::Result<SafeTensors<'_>> {
        Ok(SafeTensors::deserialize(&self.tensors)?)
    }

    fn raw(&self, name: &str, dtype: Dtype) -> anyhow::Result<(Vec<usize>, Vec<u8>)> {
        let tensors = self.tensors()?;
        let missing = || format!("{}: no tensor {name}", self.case);
        let view = tensors.tensor(name).with_context(missing)?;
        ensure!(
            view.dtype() == dtype,
            "{name} is {:?}, not {dtype:?}",
            view.dtype()
        );
        Ok((view.shape().to_vec(), view.data().to_vec()))
    }
}
