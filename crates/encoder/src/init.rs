use burn::module::{Initializer, Param, ParamId};
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Shape, Tensor};

/// A linear layer as BERT initialises it: weights from N(0, `initializer_range`), biases zero.
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
    let init = move |device: &Device, require_grad: bool| {
        let table = normal(initializer_range).init([rows, hidden_size], device);
        zero_row(table.val().detach(), padding_idx).set_require_grad(require_grad)
    };
    // Lazy like every other parameter: a table that a checkpoint replaces is never drawn.
    let shape = Shape::new([rows, hidden_size]);
    Embedding {
        weight: Param::uninitialized(ParamId::new(), init, device.clone(), true, shape),
    }
}

/// `table` with one row zero; a row it does not have is no row to change.
fn zero_row(table: Tensor<2>, row: usize) -> Tensor<2> {
    let [rows, hidden_size] = table.dims();
    if row >= rows {
        return table;
    }
    let zeros = Tensor::zeros([1, hidden_size], &table.device());
    table
        .slice_assign([row..row + 1, 0..hidden_size], zeros)
        .detach()
}

fn normal(std: f64) -> Initializer {
    Initializer::Normal { mean: 0.0, std }
}
