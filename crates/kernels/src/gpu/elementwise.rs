//! Dropout, bias and GELU, an element at a time, and sums of columns.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{contiguous, each_element, like, row_like};
use crate::params::Epilogue;

/// `1 / √2` and `1 / √(2π)`.
const FRAC_1_SQRT_2: f32 = core::f32::consts::FRAC_1_SQRT_2;
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// A dropout's numbers for the kernels.
#[derive(Clone, Copy)]
pub(super) struct Dropping {
    /// Hashes below this are dropped.
    pub(super) threshold: u32,
    /// The scale of a kept element.
    pub(super) scale: f32,
    pub(super) drops: bool,
}

impl Dropping {
    pub(super) fn new(probability: f64) -> Self {
        Self {
            threshold: (probability * 2.0_f64.powi(32)) as u32,
            scale: (1.0 / (1.0 - probability)) as f32,
            drops: probability > 0.0,
        }
    }
}

/// As on the CPU (`cpu/dropout.rs`): each input bit flips each output bit with a probability of about one half.
#[cube]
fn mix(x: u32) -> u32 {
    let a = x ^ (x >> 16u32);
    let b = a * 0x7feb_352du32;
    let c = b ^ (b >> 15u32);
    let d = c * 0x846c_a68bu32;
    d ^ (d >> 16u32)
}

/// The scale of the element of this index, 0 or `scale`: the seed, two numbers in [0, 1) of 24 random bits, and the index alone
/// decide.
#[cube]
pub(super) fn kept(index: u32, seed: &Tensor<f32>, threshold: u32, scale: f32) -> f32 {
    let first = u32::cast_from(seed[0] * 16777216.0f32);
    let second = u32::cast_from(seed[1] * 16777216.0f32);
    let hash = mix(mix(index ^ first) ^ second);
    select(hash < threshold, f32::new(0.0), scale)
}

#[cube(launch)]
fn dropout_kernel(
    x: &Tensor<f32>,
    seed: &Tensor<f32>,
    y: &mut Tensor<f32>,
    count: usize,
    threshold: u32,
    scale: f32,
) {
    if ABSOLUTE_POS < count {
        let factor = kept(ABSOLUTE_POS as u32, seed, threshold, scale);
        y[ABSOLUTE_POS] = x[ABSOLUTE_POS] * factor;
    }
}

pub(super) fn dropout(x: CubeTensor, seed: CubeTensor, probability: f64) -> CubeTensor {
    let x = contiguous(x);
    let y = like(&x);
    let count = x.meta.num_elements();
    let (cubes, units) = each_element(&x.client, count);
    let dropping = Dropping::new(probability);
    dropout_kernel::launch(
        &x.client.clone(),
        cubes,
        units,
        x.into_tensor_arg(),
        contiguous(seed).into_tensor_arg(),
        y.clone().into_tensor_arg(),
        count,
        dropping.threshold,
        dropping.scale,
    );
    y
}

#[cube]
fn normal_cdf<F: Float>(x: F) -> F {
    (x * F::new(FRAC_1_SQRT_2)).erf() * F::new(0.5) + F::new(0.5)
}

#[cube]
fn gelu_slope(x: f32) -> f32 {
    let density = (x * x * -0.5f32).exp() * INV_SQRT_2PI;
    normal_cdf::<f32>(x) + x * density
}

#[cube(launch)]
fn biased_kernel(
    x: &Tensor<f32>,
    bias: &Tensor<f32>,
    y: &mut Tensor<f32>,
    count: usize,
    width: usize,
    #[comptime] is_gelu: bool,
) {
    if ABSOLUTE_POS < count {
        let sum = x[ABSOLUTE_POS] + bias[ABSOLUTE_POS % width];
        if comptime![is_gelu] {
            y[ABSOLUTE_POS] = sum * normal_cdf::<f32>(sum);
        } else {
            y[ABSOLUTE_POS] = sum;
        }
    }
}

/// `x + b` through the epilogue.
pub(super) fn biased(x: CubeTensor, bias: CubeTensor, epilogue: Epilogue) -> CubeTensor {
    let (x, bias) = (contiguous(x), contiguous(bias));
    let y = like(&x);
    let (count, width) = (x.meta.num_elements(), bias.meta.num_elements());
    let (cubes, units) = each_element(&x.client, count);
    biased_kernel::launch(
        &x.client.clone(),
        cubes,
        units,
        x.into_tensor_arg(),
        bias.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        count,
        width,
        epilogue == Epilogue::BiasGelu,
    );
    y
}

#[cube(launch)]
fn biased_gelu_backward_kernel(
    x: &Tensor<f32>,
    bias: &Tensor<f32>,
    grad: &Tensor<f32>,
    y: &mut Tensor<f32>,
    count: usize,
    width: usize,
) {
    if ABSOLUTE_POS < count {
        let sum = x[ABSOLUTE_POS] + bias[ABSOLUTE_POS % width];
        y[ABSOLUTE_POS] = grad[ABSOLUTE_POS] * gelu_slope(sum);
    }
}

/// The gradient of `x + b` before GELU.
pub(super) fn biased_gelu_backward(
    x: CubeTensor,
    bias: CubeTensor,
    grad: CubeTensor,
) -> CubeTensor {
    let (x, bias, grad) = (contiguous(x), contiguous(bias), contiguous(grad));
    let y = like(&x);
    let (count, width) = (x.meta.num_elements(), bias.meta.num_elements());
    let (cubes, units) = each_element(&x.client, count);
    biased_gelu_backward_kernel::launch(
        &x.client.clone(),
        cubes,
        units,
        x.into_tensor_arg(),
        bias.into_tensor_arg(),
        grad.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        count,
        width,
    );
    y
}

#[cube(launch)]
fn gelu_kernel(x: &Tensor<f32>, y: &mut Tensor<f32>, count: usize) {
    if ABSOLUTE_POS < count {
        y[ABSOLUTE_POS] = x[ABSOLUTE_POS] * normal_cdf::<f32>(x[ABSOLUTE_POS]);
    }
}

pub(super) fn gelu(x: CubeTensor) -> CubeTensor {
    let x = contiguous(x);
    let y = like(&x);
    let count = x.meta.num_elements();
    let (cubes, units) = each_element(&x.client, count);
    gelu_kernel::launch(
        &x.client.clone(),
        cubes,
        units,
        x.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        count,
    );
    y
}

#[cube(launch)]
fn gelu_backward_kernel(x: &Tensor<f32>, grad: &Tensor<f32>, y: &mut Tensor<f32>, count: usize) {
    if ABSOLUTE_POS < count {
        y[ABSOLUTE_POS] = grad[ABSOLUTE_POS] * gelu_slope(x[ABSOLUTE_POS]);
    }
}

pub(super) fn gelu_backward(x: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let (x, grad) = (contiguous(x), contiguous(grad));
    let y = like(&x);
    let count = x.meta.num_elements();
    let (cubes, units) = each_element(&x.client, count);
    gelu_backward_kernel::launch(
        &x.client.clone(),
        cubes,
        units,
        x.into_tensor_arg(),
        grad.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        count,
    );
    y
}

/// Columns and rows that a cube works on at a time.
const COLUMNS: u32 = 32;
const LANES: u32 = 8;

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn column_sums_kernel(
    grad: &Tensor<f32>,
    factors: &Tensor<f32>,
    sums: &mut Tensor<f32>,
    products: &mut Tensor<f32>,
    rows: usize,
    rows_of_lane: usize,
    width: usize,
    #[comptime] has_products: bool,
    #[comptime] columns: usize,
    #[comptime] lanes: usize,
) {
    let mut sum_parts = Shared::<[f32]>::new_slice(columns * lanes);
    let mut product_parts = Shared::<[f32]>::new_slice(columns * lanes);
    let own = UNIT_POS_X as usize;
    let column = CUBE_POS * columns + own;
    let mut sum = f32::new(0.0);
    let mut product = f32::new(0.0);
    if column < width {
        let mut row = UNIT_POS_Y as usize * rows_of_lane;
        let end = min(row + rows_of_lane, rows);
        while row < end {
            let at = row * width + column;
            let value = grad[at];
            sum += value;
            if comptime![has_products] {
                product += value * factors[at];
            }
            row += 1;
        }
    }
    sum_parts[UNIT_POS as usize] = sum;
    product_parts[UNIT_POS as usize] = product;
    sync_cube();
    if UNIT_POS_Y == 0 && column < width {
        let mut sum = f32::new(0.0);
        let mut product = f32::new(0.0);
        for lane in 0..lanes {
            sum += sum_parts[lane * columns + own];
            product += product_parts[lane * columns + own];
        }
        sums[column] = sum;
        if comptime![has_products] {
            products[column] = product;
        }
    }
}

/// Sums over the rows `[T, H]` of `grad` and, where there are factors that begin with `[T, H]`, of `grad · factors`, `[H]` each.
pub(super) fn column_sums(
    grad: CubeTensor,
    factors: Option<CubeTensor>,
    width: usize,
) -> [CubeTensor; 2] {
    let grad = contiguous(grad);
    let rows = grad.meta.num_elements() / width;
    let sums = row_like(&grad, width);
    let products = match factors {
        Some(_) => row_like(&grad, width),
        None => sums.clone(),
    };
    let has_products = factors.is_some();
    let factors = factors.unwrap_or_else(|| grad.clone());
    let cubes = (width as u32).div_ceil(COLUMNS);
    column_sums_kernel::launch(
        &grad.client.clone(),
        CubeCount::Static(cubes, 1, 1),
        CubeDim::new_2d(COLUMNS, LANES),
        grad.into_tensor_arg(),
        factors.into_tensor_arg(),
        sums.clone().into_tensor_arg(),
        products.clone().into_tensor_arg(),
        rows,
        rows.div_ceil(LANES as usize),
        width,
        has_products,
        COLUMNS as usize,
        LANES as usize,
    );
    [sums, products]
}
