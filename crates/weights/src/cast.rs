//! Values of one floating-point type as another.

use half::{bf16, f16};
use safetensors::Dtype;
use serde_json::{Map, Value, json};

use crate::TensorInfo;
use crate::convert::ConvertError;
use crate::values::float_dtype;

/// The floating-point type of a checkpoint that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatType {
    /// IEEE 754's single precision.
    F32,
    /// IEEE 754's half precision: 11 bits of a number up to 65504.
    F16,
    /// bfloat16: 8 bits of a number as large as a float32.
    Bf16,
}

/// The older name of `dtype` in config.json, whose value is not true any more.
const OLD_KEY: &str = "torch_dtype";

impl FloatType {
    /// `dtype` of config.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    /// The type of a tensor's values when its floating-point values are of this type.
    pub(crate) fn of(self, tensor: &TensorInfo) -> Dtype {
        match (float_dtype(tensor.dtype), self) {
            (None, _) => tensor.dtype,
            (Some(_), Self::F32) => Dtype::F32,
            (Some(_), Self::F16) => Dtype::F16,
            (Some(_), Self::Bf16) => Dtype::BF16,
        }
    }

    /// A configuration that says that the weights are of this type.
    pub(crate) fn stated_in(self, config: &Map<String, Value>) -> Map<String, Value> {
        let mut config = config.clone();
        config.shift_remove(OLD_KEY);
        config.insert("dtype".to_owned(), json!(self.name()));
        config
    }

    /// Whole values of a tensor in its own type → the same in this type, each rounded to the nearest one.
    pub(crate) fn cast(self, tensor: &TensorInfo, bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
        match tensor.dtype {
            dtype if dtype == self.of(tensor) => Ok(bytes.to_vec()),
            Dtype::F16 => self.cast_each(tensor, bytes, |one| f16::from_le_bytes(one).to_f64()),
            Dtype::BF16 => self.cast_each(tensor, bytes, |one| bf16::from_le_bytes(one).to_f64()),
            Dtype::F32 => self.cast_each(tensor, bytes, |one| f64::from(f32::from_le_bytes(one))),
            _ => self.cast_each(tensor, bytes, f64::from_le_bytes),
        }
    }

    fn cast_each<const N: usize>(
        self,
        tensor: &TensorInfo,
        bytes: &[u8],
        read: impl Fn([u8; N]) -> f64,
    ) -> Result<Vec<u8>, ConvertError> {
        let mut cast = Vec::with_capacity(bytes.len());
        for &one in bytes.as_chunks::<N>().0 {
            let value = read(one);
            // By way of f32, as in PyTorch: `half` cuts off the lowest bits of an f64 before it rounds.
            let single = value as f32;
            let is_kept = match self {
                Self::F32 => {
                    cast.extend(single.to_le_bytes());
                    single.is_finite()
                }
                Self::F16 => {
                    let short = f16::from_f32(single);
                    cast.extend(short.to_le_bytes());
                    short.is_finite()
                }
                Self::Bf16 => {
                    let short = bf16::from_f32(single);
                    cast.extend(short.to_le_bytes());
                    short.is_finite()
                }
            };
            if value.is_finite() && !is_kept {
                return Err(ConvertError::OutOfRange {
                    name: tensor.name.clone(),
                    value,
                    dtype: self.name(),
                });
            }
        }
        Ok(cast)
    }
}
