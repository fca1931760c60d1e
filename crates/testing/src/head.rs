//! A head against its golden case: loss and the gradient of every parameter.

use bert_parity::head::loss_and_gradients;
use bert_parity::named::Named;
use bert_parity::{Comparisons, Golden};
use bert_weights::KeyMap;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::TestDevice;
use crate::compare::assert_all;

/// As [`loss_and_gradients`], for tests.
///
/// # Errors
/// A golden value is missing.
///
/// # Panics
/// When a value is too far off, or a parameter has no gradient.
#[track_caller]
pub fn check_loss_and_gradients<M: Module>(
    device: &TestDevice,
    golden: &Golden,
    model: &M,
    loss: Tensor<1>,
    keys: &KeyMap,
) -> anyhow::Result<Named> {
    let mut comparisons = Comparisons::on(device.backend());
    let gradients = loss_and_gradients(&mut comparisons, golden, model, loss, keys)?;
    assert_all(comparisons);
    Ok(gradients)
}
