//! GELU, and the lookup in an embedding table.

use bert_kernels::{embedding, embedding_composed, gelu, gelu_composed};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_equal_bits, on_every_device,
};
use burn::tensor::{Int, Tensor, TensorData};

on_every_device!(
    gelu_is_its_composed_body,
    gelu_of_large_numbers_is_the_number_or_zero,
    embedding_is_its_composed_body,
    a_padding_id_outside_the_table_masks_nothing,
);

fn gelu_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    // 0 is among them, and the points near ±2.02 where tanh GELU is furthest off.
    let grid: Vec<f32> = (-1000..=1000).map(|step| step as f32 / 100.0).collect();
    let (found, found_gradient) = with_gradient(device, &grid, gelu);
    let (expected, expected_gradient) = with_gradient(device, &grid, gelu_composed);
    assert_close(device, Quantity::KernelForward, "gelu", &found, &expected);
    assert_close(
        device,
        Quantity::KernelBackward,
        "gelu",
        &found_gradient,
        &expected_gradient,
    );
    Ok(())
}

fn gelu_of_large_numbers_is_the_number_or_zero(device: &TestDevice) -> anyhow::Result<()> {
    let large = [50.0, 1e4, 1e20, -50.0, -1e4, -1e20];
    let (found, gradient) = with_gradient(device, &large, gelu);
    assert_eq!(found.values, [50.0, 1e4, 1e20, 0.0, 0.0, 0.0]);
    assert_eq!(gradient.values, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    Ok(())
}

/// `f(x)` and the gradient of its sum.
fn with_gradient(
    device: &TestDevice,
    x: &[f32],
    f: fn(Tensor<1>) -> Tensor<1>,
) -> (Values, Values) {
    let x = Tensor::<1>::from_floats(x, &device.autodiff()).require_grad();
    let y = f(x.clone());
    let gradients = y.clone().sum().backward();
    let gradient = x.grad(&gradients).expect("x requires a gradient");
    (Values::of(y), Values::of(gradient))
}

fn embedding_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let padding_idx = 3;
    let (found, found_gradient) = looked_up(device, padding_idx, embedding);
    let (expected, expected_gradient) = looked_up(device, padding_idx, embedding_composed);
    assert_equal_bits(device, "embedding", &found, &expected);
    assert_close(
        device,
        Quantity::KernelBackward,
        "embedding",
        &found_gradient,
        &expected_gradient,
    );
    let rows_with_gradient: Vec<usize> = (0..VOCABULARY)
        .filter(|&row| found_gradient.rows(&[row]).largest() > 0.0)
        .collect();
    assert_eq!(
        rows_with_gradient,
        [0, 1, 6],
        "those looked up, less the padding row"
    );
    Ok(())
}

fn a_padding_id_outside_the_table_masks_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let (found, gradient) = looked_up(device, VOCABULARY, embedding);
    let (expected, expected_gradient) = looked_up(device, VOCABULARY, embedding_composed);
    assert_equal_bits(device, "embedding", &found, &expected);
    assert_close(
        device,
        Quantity::KernelBackward,
        "embedding",
        &gradient,
        &expected_gradient,
    );
    assert!(gradient.rows(&[3]).largest() > 0.0);
    Ok(())
}

const VOCABULARY: usize = 7;

type Embedding = fn(Tensor<2>, Tensor<2, Int>, usize) -> Tensor<3>;

/// Rows looked up, one of them twice, and the gradient of their weighted sum for the table.
fn looked_up(device: &TestDevice, padding_idx: usize, embedding: Embedding) -> (Values, Values) {
    let on = device.autodiff();
    let numbers =
        |count: usize| -> Vec<f32> { (0..count).map(|index| (index as f32 * 0.7).sin()).collect() };
    let table = TensorData::new(numbers(VOCABULARY * 5), [VOCABULARY, 5]);
    let table = Tensor::<2>::from_data(table, &on).require_grad();
    let ids = Tensor::<2, Int>::from_data([[1, 3, 6], [1, 0, 3]], &on);
    let weights = Tensor::<3>::from_data(TensorData::new(numbers(30), [2, 3, 5]), &on);
    let rows = embedding(table.clone(), ids, padding_idx);
    let gradients = (rows.clone() * weights).sum().backward();
    let gradient = table
        .grad(&gradients)
        .expect("the table requires a gradient");
    (Values::of(rows), Values::of(gradient))
}
