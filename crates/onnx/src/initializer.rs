//! Constants of a graph.

use crate::parameters::Parameter;
use crate::proto::{DataType, TensorProto};

/// A weight or another constant.
#[derive(Debug)]
pub(crate) struct Initializer {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) dims: Vec<i64>,
    pub(crate) data: Data,
}

/// The values of a constant.
#[derive(Debug)]
pub(crate) enum Data {
    /// A parameter of the module, in float32.
    Parameter(Parameter),
    /// Row by row, in little-endian order.
    Bytes(Vec<u8>),
}

impl Initializer {
    /// A parameter under its path.
    pub(crate) fn parameter(name: &str, parameter: Parameter) -> Self {
        Self {
            name: name.to_owned(),
            data_type: DataType::Float,
            dims: dims(&parameter.shape),
            data: Data::Parameter(parameter),
        }
    }

    pub(crate) fn byte_len(&self) -> u64 {
        match &self.data {
            Data::Parameter(parameter) => parameter.shape.iter().product::<usize>() as u64 * 4,
            Data::Bytes(bytes) => bytes.len() as u64,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.data {
            Data::Parameter(parameter) => float_bytes(&parameter.values()),
            Data::Bytes(bytes) => bytes.clone(),
        }
    }

    /// Everything but the values.
    pub(crate) fn header(&self) -> TensorProto {
        TensorProto {
            dims: self.dims.clone(),
            data_type: self.data_type.into(),
            name: self.name.clone(),
            ..TensorProto::default()
        }
    }
}

pub(crate) fn float_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(crate) fn integer_bytes(values: &[i64]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(crate) fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&size| size as i64).collect()
}
