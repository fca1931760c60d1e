//! What the launches of all kernels share.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;
use cubecl::server::CubeCountSelection;

/// Units that work on one row, or on one sum.
pub(super) const UNITS: u32 = 64;

/// The tensor with its elements in order.
pub(super) fn contiguous(tensor: CubeTensor) -> CubeTensor {
    into_contiguous(tensor)
}

/// Memory of this shape where the tensor is, not yet written.
pub(super) fn of_shape(tensor: &CubeTensor, shape: Shape) -> CubeTensor {
    let (client, device) = (tensor.client.clone(), tensor.device.clone());
    empty_device_contiguous_dtype(client, device, shape, DType::F32)
}

pub(super) fn like(tensor: &CubeTensor) -> CubeTensor {
    of_shape(tensor, tensor.meta.shape().clone())
}

/// `[H]`.
pub(super) fn row_like(tensor: &CubeTensor, width: usize) -> CubeTensor {
    of_shape(tensor, Shape::new([width]))
}

/// One unit an element, and a few more.
pub(super) fn each_element(client: &Client, count: usize) -> (CubeCount, CubeDim) {
    let units = CubeDim::new(client, count);
    (calculate_cube_count_elemwise(client, count, units), units)
}

/// One cube a row, and perhaps more.
pub(super) fn each_row(client: &Client, rows: usize) -> (CubeCount, CubeDim) {
    let cubes = CubeCountSelection::new(client, rows as u32).cube_count();
    (cubes, CubeDim::new_1d(UNITS))
}

/// The sum of the values of all units of the cube.
#[cube]
pub(super) fn cube_sum(value: f32, #[comptime] units: usize) -> f32 {
    let mut parts = Shared::<[f32]>::new_slice(units);
    parts[UNIT_POS as usize] = value;
    sync_cube();
    let mut sum = f32::new(0.0);
    for unit in 0..units {
        sum += parts[unit];
    }
    sum
}

/// The highest of the values of all units of the cube.
#[cube]
pub(super) fn cube_max(value: f32, #[comptime] units: usize) -> f32 {
    let mut parts = Shared::<[f32]>::new_slice(units);
    parts[UNIT_POS as usize] = value;
    sync_cube();
    let mut highest = value;
    for unit in 0..units {
        highest = max(highest, parts[unit]);
    }
    highest
}
