//! The norm of all gradients, clipping by it and AdamW, without a number that the host would have to wait for.

use burn::tensor::Shape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{contiguous, cube_sum, each_element, of_shape};
use crate::adamw::{AdamWStep, Coefficients};
use crate::gpu_ops::{Clip, OUTCOME, parts_of};

/// Units of a cube that adds up squares.
const UNITS: u32 = 128;

#[cube(launch)]
fn squares_kernel(
    x: &Tensor<f32>,
    sums: &mut Tensor<f32>,
    first: usize,
    count: usize,
    parts: usize,
    #[comptime] units: usize,
) {
    let mut sum = f32::new(0.0);
    let mut at = CUBE_POS * units + UNIT_POS as usize;
    while at < count {
        sum += x[at] * x[at];
        at += parts * units;
    }
    let total = cube_sum(sum, units);
    if UNIT_POS == 0 {
        sums[first + CUBE_POS] = total;
    }
}

/// Writes the sums of squares of the [parts](parts_of) of `x`, which add up to that of the whole, to places of `sums` from
/// `first` on.
pub(super) fn squares_into(sums: &CubeTensor, x: CubeTensor, first: usize) {
    let x = contiguous(x);
    let count = x.meta.num_elements();
    let parts = parts_of(count);
    squares_kernel::launch(
        &x.client.clone(),
        CubeCount::Static(parts as u32, 1, 1),
        CubeDim::new_1d(UNITS),
        x.into_tensor_arg(),
        sums.clone().into_tensor_arg(),
        first,
        count,
        parts,
        UNITS as usize,
    );
}

#[cube(launch)]
fn total_kernel(
    parts: &Tensor<f32>,
    total: &mut Tensor<f32>,
    count: usize,
    #[comptime] units: usize,
) {
    let mut sum = f32::new(0.0);
    let mut at = UNIT_POS as usize;
    while at < count {
        sum += parts[at];
        at += units;
    }
    let sum = cube_sum(sum, units);
    if UNIT_POS == 0 {
        total[0] = sum;
    }
}

/// The sum of the squares of all elements, `[1]`.
pub(super) fn sum_of_squares(x: CubeTensor) -> CubeTensor {
    let count = parts_of(x.meta.num_elements());
    let parts = of_shape(&x, Shape::new([count]));
    squares_into(&parts, x, 0);
    let total = of_shape(&parts, Shape::new([1]));
    total_kernel::launch(
        &parts.client.clone(),
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(UNITS),
        parts.into_tensor_arg(),
        total.clone().into_tensor_arg(),
        count,
        UNITS as usize,
    );
    total
}

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn clip_kernel(
    sums: &Tensor<f32>,
    loss: &Tensor<f32>,
    outcomes: &mut Tensor<f32>,
    count: usize,
    place: usize,
    maximum: f32,
    epsilon: f32,
    largest: f32,
    #[comptime] clips: bool,
    #[comptime] units: usize,
) {
    let mut sum = f32::new(0.0);
    let mut at = UNIT_POS as usize;
    while at < count {
        sum += sums[at];
        at += units;
    }
    let total = cube_sum(sum, units);
    if UNIT_POS == 0 {
        let norm = total.sqrt();
        let mut factor = f32::new(1.0);
        if comptime![clips] {
            factor = min(maximum / (norm + epsilon), factor);
        }
        // NaN compares as false. Below zero: no step is taken.
        let is_finite = norm <= largest && loss[0].abs() <= largest;
        outcomes[place] = loss[0];
        outcomes[place + 1] = norm;
        outcomes[place + 2] = select(is_finite, factor, f32::new(-1.0));
    }
}

/// Writes the loss, the norm and the factor that clips by it to their places of `outcomes`.
pub(super) fn clip_into(outcomes: &CubeTensor, sums: CubeTensor, loss: CubeTensor, clip: Clip) {
    let count = sums.meta.num_elements();
    clip_kernel::launch(
        &sums.client.clone(),
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(UNITS),
        sums.into_tensor_arg(),
        contiguous(loss).into_tensor_arg(),
        outcomes.clone().into_tensor_arg(),
        count,
        clip.index * OUTCOME,
        clip.max_norm.unwrap_or_default() as f32,
        clip.epsilon as f32,
        f32::MAX,
        clip.max_norm.is_some(),
        UNITS as usize,
    );
}

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn adamw_kernel(
    parameter: &mut Tensor<f32>,
    gradient: &Tensor<f32>,
    first_moment: &mut Tensor<f32>,
    second_moment: &mut Tensor<f32>,
    outcomes: &Tensor<f32>,
    place: usize,
    count: usize,
    gradient_factor: f32,
    beta_1: f32,
    fresh_1: f32,
    beta_2: f32,
    fresh_2: f32,
    step_size: f32,
    inverse_root_correction_2: f32,
    epsilon: f32,
    keeps: f32,
    #[comptime] clips: bool,
) {
    if ABSOLUTE_POS < count {
        let mut factor = gradient_factor;
        if comptime![clips] {
            factor *= outcomes[place];
        }
        if factor >= 0.0f32 {
            let scaled = gradient[ABSOLUTE_POS] * factor;
            let first = first_moment[ABSOLUTE_POS] * beta_1 + scaled * fresh_1;
            let second = second_moment[ABSOLUTE_POS] * beta_2 + scaled * scaled * fresh_2;
            let denominator = second.sqrt() * inverse_root_correction_2 + epsilon;
            let delta = first * step_size / denominator;
            first_moment[ABSOLUTE_POS] = first;
            second_moment[ABSOLUTE_POS] = second;
            parameter[ABSOLUTE_POS] = parameter[ABSOLUTE_POS] * keeps - delta;
        }
    }
}

/// One step, in place where the tensors are not shared. `clip` has the outcomes of steps, and the index of this one.
pub(super) fn adamw(
    [parameter, gradient, first_moment, second_moment]: [CubeTensor; 4],
    clip: Option<(CubeTensor, usize)>,
    step: AdamWStep,
) -> [CubeTensor; 3] {
    let [parameter, first_moment, second_moment] =
        [parameter, first_moment, second_moment].map(exclusive);
    let gradient = contiguous(gradient);
    let c = Coefficients::new(&step);
    let count = gradient.meta.num_elements();
    let (cubes, units) = each_element(&gradient.client, count);
    let clips = clip.is_some();
    let (outcomes, index) = clip.unwrap_or_else(|| (gradient.clone(), 0));
    adamw_kernel::launch(
        &gradient.client.clone(),
        cubes,
        units,
        parameter.clone().into_tensor_arg(),
        gradient.into_tensor_arg(),
        first_moment.clone().into_tensor_arg(),
        second_moment.clone().into_tensor_arg(),
        outcomes.into_tensor_arg(),
        index * OUTCOME + 2,
        count,
        c.gradient_factor as f32,
        c.beta_1 as f32,
        c.fresh_1 as f32,
        c.beta_2 as f32,
        c.fresh_2 as f32,
        c.step_size as f32,
        c.inverse_root_correction_2 as f32,
        c.epsilon as f32,
        c.kept as f32,
        clips,
    );
    [parameter, first_moment, second_moment]
}

/// The tensor in memory of its own.
fn exclusive(tensor: CubeTensor) -> CubeTensor {
    let tensor = contiguous(tensor);
    match tensor.can_mut() && tensor.is_contiguous_buffer() {
        true => tensor,
        false => tensor.copy(),
    }
}
