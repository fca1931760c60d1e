use burn::tensor::Tensor;

/// The values of a tensor on the host, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Vec<f32>,
}

impl Values {
    /// Reads a tensor from its device.
    pub fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        let data = tensor.into_data();
        Self {
            shape: data.shape().to_vec(),
            values: data.iter::<f32>().collect(),
        }
    }

    /// Some of the first axis's rows.
    pub fn rows(&self, rows: &[usize]) -> Self {
        let width = self.values.len() / self.shape[0];
        let picked = rows
            .iter()
            .flat_map(|row| &self.values[row * width..(row + 1) * width]);
        Self {
            shape: [&[rows.len()], &self.shape[1..]].concat(),
            values: picked.copied().collect(),
        }
    }

    /// The largest magnitude.
    pub fn largest(&self) -> f64 {
        let magnitudes = self.values.iter().map(|value| f64::from(value.abs()));
        magnitudes.fold(0.0, f64::max)
    }

    /// Whether every value is a finite number.
    pub fn are_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }

    /// The bits of every value.
    pub fn bits(&self) -> Vec<u32> {
        self.values.iter().map(|value| value.to_bits()).collect()
    }

    /// The index along each axis of the value at `index`.
    pub fn position(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let along = self.shape.iter().rev().map(|size| {
            let along = rest % size;
            rest /= size;
            along
        });
        let mut position: Vec<usize> = along.collect();
        position.reverse();
        position
    }
}
