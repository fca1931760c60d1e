//! The golden files; `tests/goldens/README.md` says what is in them.

use std::path::{Path, PathBuf};

#[cfg(feature = "encoder")]
use bert_encoder::PaddedInput;
#[cfg(feature = "encoder")]
use bert_weights::Checkpoint;
use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::{ParityError, Values};

/// One case: a checkpoint, and what transformers computes with it.
#[derive(Debug)]
pub struct Golden {
    case: String,
    path: PathBuf,
    tensors: Vec<u8>,
    scalars: Value,
}

impl Golden {
    /// Reads a case of the folder of all cases, by its name there.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn open_in(folder: &Path, case: &str) -> Result<Self, ParityError> {
        let path = folder.join(case);
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| ParityError::Read {
                path: path.to_owned(),
                source,
            })
        };
        let scalars = path.join("golden.json");
        Ok(Self {
            case: case.to_owned(),
            tensors: read(&path.join("golden.safetensors"))?,
            scalars: serde_json::from_slice(&read(&scalars)?).map_err(|source| {
                ParityError::Json {
                    path: scalars,
                    source,
                }
            })?,
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
    pub fn checkpoint(&self) -> Result<Checkpoint, ParityError> {
        Ok(Checkpoint::open(&self.path)?)
    }

    /// A value of `golden.json`, by JSON pointer (`/steps/0/loss`).
    ///
    /// # Errors
    /// There is none.
    pub fn scalar(&self, pointer: &str) -> Result<&Value, ParityError> {
        self.pointed(pointer, "value", Some)
    }

    /// A number of `golden.json`.
    ///
    /// # Errors
    /// There is none.
    pub fn number(&self, pointer: &str) -> Result<f64, ParityError> {
        self.pointed(pointer, "number", Value::as_f64)
    }

    /// A count or index of `golden.json`.
    ///
    /// # Errors
    /// There is none.
    pub fn index(&self, pointer: &str) -> Result<usize, ParityError> {
        let as_index = |value: &Value| usize::try_from(value.as_u64()?).ok();
        self.pointed(pointer, "index", as_index)
    }

    /// What `golden.json` has at a pointer, as `read` takes it.
    fn pointed<'a, T>(
        &'a self,
        pointer: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, ParityError> {
        let value = self.scalars.pointer(pointer).and_then(read);
        value.ok_or_else(|| ParityError::NoScalar {
            case: self.case.clone(),
            pointer: pointer.to_owned(),
            expected,
        })
    }

    /// The names of all tensors that start with a prefix, the prefix cut off.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn names_under(&self, prefix: &str) -> Result<Vec<String>, ParityError> {
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
    pub fn floats(&self, name: &str) -> Result<Values, ParityError> {
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
    ) -> Result<Tensor<D, Int>, ParityError> {
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
    pub fn input(&self, prefix: &str, device: &Device) -> Result<PaddedInput, ParityError> {
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

    fn tensors(&self) -> Result<SafeTensors<'_>, ParityError> {
        SafeTensors::deserialize(&self.tensors).map_err(|source| ParityError::Tensors {
            case: self.case.clone(),
            source,
        })
    }

    fn raw(&self, name: &str, dtype: Dtype) -> Result<(Vec<usize>, Vec<u8>), ParityError> {
        let tensors = self.tensors()?;
        let view = tensors.tensor(name).ok();
        let view = view.filter(|view| view.dtype() == dtype);
        let view = view.ok_or_else(|| ParityError::NoTensor {
            case: self.case.clone(),
            name: name.to_owned(),
            dtype,
        })?;
        Ok((view.shape().to_vec(), view.data().to_vec()))
    }
}
