use burn::module::{Initializer, Param};
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor};

/// A linear map as BERT initialises it: weights from N(0, `initializer_range`), biases zero.
///
/// # Shapes
///
/// The map takes `[.., d_input]` to `[.., d_output]`.
pub fn linear(d_input: usize, d_output: usize, initializer_range: f64, device: &Device) -> Linear {
    Linear {
        weight: normal(initializer_range).init([d_input, d_output], device),
        bias: Some(Initializer::Zeros.init([d_output], device)),
    }
}

/// An embedding table from N(0, `initializer_range`).
pub(crate) fn embedding(
    rows: usize,
    hidden_size: usize,
    initializer_range: f64,
    device: &Device,
) -> Embedding {
    Embedding {
        weight: normal(initializer_range).init([rows, hidden_size], device),
    }
}

/// The same, with the row of the padding token zero.
pub(crate) fn padded_embedding(
    rows: usize,
    hidden_size: usize,
    initializer_range: f64,
    padding_idx: usize,
    device: &Device,
) -> Embedding {
    let table = embedding(rows, hidden_size, initializer_range, device);
    if padding_idx >= rows {
        return table;
    }
    let zero_row = Tensor::zeros([1, hidden_size], device);
    let weight = table.weight.val().detach().slice_assign(
        [padding_idx..padding_idx + 1, 0..hidden_size],
        zero_row,
    );
    Embedding {
        weight: Param::from_tensor(weight.detach()),
    }
}

fn normal(std: f64) -> Initializer {
    Initializer::Normal { mean: 0.0, std }
}
