use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType};
use burn::tensor::Tensor;

use crate::dispatch::kernels_are_off;
use crate::ops::BertOps;

/// The hyperparameters of one AdamW step on one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the running mean of the gradient, in [0, 1).
    pub beta_1: f64,
    /// Decay of the running mean of its square, in [0, 1).
    pub beta_2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Decoupled weight decay; 0 for parameters that are not decayed.
    pub weight_decay: f64,
    /// Scales the gradient before all else; below 1 when it is clipped.
    pub gradient_factor: f64,
    /// Number of this step, counted from 1.
    pub step: i32,
}

/// A parameter and its moments before or after a step, `[N]` each.
#[derive(Debug, Clone)]
pub struct AdamWState {
    /// The parameter.
    pub parameter: Tensor<1>,
    /// Running mean of the gradient.
    pub first_moment: Tensor<1>,
    /// Running mean of its square.
    pub second_moment: Tensor<1>,
}

/// One step of AdamW as `torch.optim.AdamW` computes it: moments, bias corrections in double precision, decoupled decay.
/// On the CPU backends it is one pass over memory, in place where the tensors are not shared.
///
/// # Shapes
///
/// All `[N]`, none of them on an autodiff graph.
pub fn adamw_update(state: AdamWState, gradient: Tensor<1>, step: AdamWStep) -> AdamWState {
    if kernels_are_off() {
        return adamw_update_composed(state, gradient, step);
    }
    let updated = <Dispatch as BertOps>::adamw_update(
        state.parameter.into_dispatch(),
        gradient.into_dispatch(),
        state.first_moment.into_dispatch(),
        state.second_moment.into_dispatch(),
        step,
    );
    AdamWState {
        parameter: Tensor::from_dispatch(updated.parameter),
        first_moment: Tensor::from_dispatch(updated.first_moment),
        second_moment: Tensor::from_dispatch(updated.second_moment),
    }
}

/// The composed body of [`adamw_update`].
///
/// # Shapes
///
/// All `[N]`.
pub fn adamw_update_composed(
    state: AdamWState,
    gradient: Tensor<1>,
    step: AdamWStep,
) -> AdamWState {
    let c = Coefficients::new(&step);
    let gradient = gradient * c.gradient_factor;
    let first_moment = state.first_moment * c.beta_1 + gradient.clone() * c.fresh_1;
    let second_moment = state.second_moment * c.beta_2 + gradient.square() * c.fresh_2;
    let denominator = second_moment.clone().sqrt() * c.inverse_root_correction_2 + c.epsilon;
    let delta = first_moment.clone() * c.step_size / denominator;
    AdamWState {
        parameter: state.parameter * c.kept - delta,
        first_moment,
        second_moment,
    }
}

/// The primitives of one backend after a step.
#[derive(ExtensionType)]
pub(crate) struct AdamWPrimitives<B: Backend> {
    /// The parameter.
    pub(crate) parameter: FloatTensor<B>,
    /// Running mean of the gradient.
    pub(crate) first_moment: FloatTensor<B>,
    /// Running mean of its square.
    pub(crate) second_moment: FloatTensor<B>,
}

/// The coefficients of a step, computed in double precision as PyTorch does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coefficients {
    pub(crate) gradient_factor: f64,
    pub(crate) beta_1: f64,
    pub(crate) fresh_1: f64,
    pub(crate) beta_2: f64,
    pub(crate) fresh_2: f64,
    pub(crate) step_size: f64,
    pub(crate) inverse_root_correction_2: f64,
    pub(crate) epsilon: f64,
    pub(crate) kept: f64,
}

impl Coefficients {
    pub(crate) fn new(step: &AdamWStep) -> Self {
        let correction_1 = 1.0 - step.beta_1.powi(step.step);
        let correction_2 = 1.0 - step.beta_2.powi(step.step);
        Self {
            gradient_factor: step.gradient_factor,
            beta_1: step.beta_1,
            fresh_1: 1.0 - step.beta_1,
            beta_2: step.beta_2,
            fresh_2: 1.0 - step.beta_2,
            step_size: step.learning_rate / correction_1,
            inverse_root_correction_2: correction_2.sqrt().recip(),
            epsilon: step.epsilon,
            kept: 1.0 - step.learning_rate * step.weight_decay,
        }
    }
}

pub(crate) fn composed_of_primitives<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    first_moment: FloatTensor<B>,
    second_moment: FloatTensor<B>,
    step: AdamWStep,
) -> AdamWPrimitives<B> {
    let c = Coefficients::new(&step);
    let scaled = |x, scale: f64| B::float_mul_scalar(x, scale.into());
    let gradient = scaled(gradient, c.gradient_factor);
    let first_moment = B::float_add(
        scaled(first_moment, c.beta_1),
        scaled(gradient.clone(), c.fresh_1),
    );
    let square = B::float_mul(gradient.clone(), gradient);
    let second_moment = B::float_add(scaled(second_moment, c.beta_2), scaled(square, c.fresh_2));
    let root = scaled(
        B::float_sqrt(second_moment.clone()),
        c.inverse_root_correction_2,
    );
    let denominator = B::float_add_scalar(root, c.epsilon.into());
    let delta = B::float_div(scaled(first_moment.clone(), c.step_size), denominator);
    AdamWPrimitives {
        parameter: B::float_sub(scaled(parameter, c.kept), delta),
        first_moment,
        second_moment,
    }
}
