//! One safetensors file of named tensors that belong to no checkpoint of transformers, such as the state of an optimiser.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use burn::tensor::{DType, Tensor, TensorData};
use safetensors::tensor::{SafeTensorError, View};
use safetensors::{Dtype, serialize_to_file};

use crate::{CheckpointError, TensorInfo, values};

/// A tensor to be written under a name. Its values are fetched from the device when their turn comes.
#[derive(Debug, Clone)]
pub struct NamedTensor {
    /// The name in the file.
    pub name: String,
    /// The shape in the file.
    pub shape: Vec<usize>,
    /// The values, flattened.
    pub values: Tensor<1>,
}

impl NamedTensor {
    /// A tensor of any rank.
    pub fn new<const D: usize>(name: String, tensor: Tensor<D>) -> Self {
        Self {
            name,
            shape: tensor.dims().to_vec(),
            values: tensor.flatten(0, D.saturating_sub(1)),
        }
    }
}

/// A tensor of a floating-point type.
struct Floats {
    tensor: NamedTensor,
    dtype: Dtype,
}

impl View for Floats {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes = self.tensor.values.to_data().into_bytes();
        Cow::Owned(bytes.to_vec())
    }

    fn data_len(&self) -> usize {
        self.tensor.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Writes a file, tensor by tensor: never more than one of them is on the host twice. [`read_tensors`](crate::read_tensors)
/// and [`TensorInfo::data`] read it back, bit for bit.
///
/// # Errors
///
/// The file cannot be written, or a tensor is of a type that no weight has.
pub fn write_tensors(path: &Path, tensors: Vec<NamedTensor>) -> io::Result<()> {
    let floats = tensors.into_iter().map(|tensor| {
        let dtype = values::file_dtype(tensor.values.dtype())
            .ok_or_else(|| io::Error::other(format!("`{}` holds no floats", tensor.name)))?;
        Ok((tensor.name.clone(), Floats { tensor, dtype }))
    });
    let floats: Vec<(String, Floats)> = floats.collect::<io::Result<_>>()?;
    serialize_to_file(floats, None, path).map_err(|error| match error {
        SafeTensorError::IoError(error) => error,
        error => io::Error::other(error),
    })
}

impl TensorInfo {
    /// The values in the type of the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read any more, or the values are no floats.
    pub fn data(&self) -> Result<TensorData, CheckpointError> {
        let bytes = values::read(self).map_err(|reason| values::unreadable(self, reason))?;
        let dtype: DType = values::float_dtype(self.dtype).ok_or_else(|| {
            values::unreadable(
                self,
                io::Error::other(format!("`{}` holds no floats", self.name)),
            )
        })?;
        Ok(TensorData::from_bytes_vec(bytes, self.shape.clone(), dtype))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::read_tensors;

    #[test]
    fn tensors_come_back_bit_for_bit() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state.safetensors");
        let values = [[1.0_f32, f32::MIN_POSITIVE / 2.0], [-0.0, f32::NAN]];
        let matrix = Tensor::<2>::from_data(values, &Device::flex());
        let vector = Tensor::<1>::from_data([7.0_f32], &Device::flex());
        write_tensors(
            &path,
            vec![
                NamedTensor::new("matrix".to_owned(), matrix.clone().reshape([4])),
                NamedTensor::new("vector".to_owned(), vector),
                NamedTensor::new("square".to_owned(), matrix),
            ],
        )
        .unwrap();
        let tensors = read_tensors(&path).unwrap();
        let shapes: Vec<(&str, &[usize])> = tensors
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice()))
            .collect();
        assert_eq!(
            shapes,
            [("matrix", &[4][..]), ("square", &[2, 2]), ("vector", &[1])]
        );
        let data = tensors[1].data().unwrap();
        let bits: Vec<u32> = data.iter::<f32>().map(f32::to_bits).collect();
        let expected: Vec<u32> = values
            .concat()
            .iter()
            .map(|value| value.to_bits())
            .collect();
        assert_eq!(bits, expected);
    }
}
