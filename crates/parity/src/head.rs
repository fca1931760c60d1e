//! A head against its golden case: loss and the gradient of every parameter.

use bert_weights::KeyMap;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::named::{Named, gradients, has_vanishing_gradient};
use crate::{Comparisons, Golden, ParityError, Quantity};

/// Holds a loss against `/loss` of the case, and the gradient of every parameter against `gradients.NAME`; gives the
/// gradients back.
///
/// # Errors
/// A golden value is missing.
pub fn loss_and_gradients<M: Module>(
    comparisons: &mut Comparisons,
    golden: &Golden,
    model: &M,
    loss: Tensor<1>,
    keys: &KeyMap,
) -> Result<Named, ParityError> {
    let found = loss.clone().into_scalar::<f32>().into();
    let expected = golden.number("/loss")?;
    comparisons.number(Quantity::Loss, golden.case(), found, expected);
    named_gradients(comparisons, golden, model, loss, keys, |_| true)
}

/// Holds the gradients of a loss against `gradients.NAME` of the case: exactly the parameters that `is_trained` names have
/// one. Gives the gradients back.
///
/// # Errors
/// A golden value is missing.
pub fn named_gradients<M: Module>(
    comparisons: &mut Comparisons,
    golden: &Golden,
    model: &M,
    loss: Tensor<1>,
    keys: &KeyMap,
    is_trained: impl Fn(&str) -> bool,
) -> Result<Named, ParityError> {
    let case = golden.case();
    let of_loss = GradientsParams::from_grads(loss.backward(), model);
    let found = gradients(model, &of_loss, keys)?;
    let mut names = golden.names_under("gradients.")?;
    names.retain(|name| is_trained(name));
    names.sort();
    let are_those = found.keys().eq(names.iter());
    let what = format!(
        "the gradients are {:?}, expected {names:?}",
        found.keys().collect::<Vec<_>>()
    );
    comparisons.holds(&format!("{case}: what has a gradient"), are_those, &what);
    let largest = golden.number("/float32_error/largest_gradient")?;
    for (name, found) in found.iter().filter(|(name, _)| names.contains(name)) {
        let expected = golden.floats(&format!("gradients.{name}"))?;
        let (quantity, scale) = if has_vanishing_gradient(name) {
            (Quantity::VanishingGradient, largest)
        } else {
            (Quantity::Gradient, expected.largest())
        };
        let found = comparisons.gradient(name, found.clone());
        let name = format!("{case}/{name}");
        comparisons.values_at_scale(quantity, scale, &name, &found, &expected);
    }
    Ok(found)
}
