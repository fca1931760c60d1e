//! A head against its golden case: loss and the gradient of every parameter.

use bert_weights::checkpoint::KeyMap;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::named::{Named, gradients, has_vanishing_gradient};
use crate::{Golden, Quantity, TestDevice, assert_close_at_scale, assert_close_number};

/// Holds a loss against `/loss` of the case, and the gradient of every parameter against `gradients.NAME`; gives the
/// gradients back.
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
    let case = golden.case();
    let found = loss.clone().into_scalar::<f32>().into();
    assert_close_number(device, Quantity::Loss, case, found, golden.number("/loss")?);

    let found = GradientsParams::from_grads(loss.backward(), model);
    let found = gradients(model, &found, keys)?;
    let mut expected = golden.names_under("gradients.")?;
    expected.sort();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), expected);
    let largest = golden.number("/float32_error/largest_gradient")?;
    for (name, found) in &found {
        let expected = golden.floats(&format!("gradients.{name}"))?;
        let (quantity, scale) = if has_vanishing_gradient(name) {
            (Quantity::VanishingGradient, largest)
        } else {
            (Quantity::Gradient, expected.largest())
        };
        let name = format!("{case}/{name}");
        assert_close_at_scale(device, quantity, scale, &name, found, &expected);
    }
    Ok(found)
}
