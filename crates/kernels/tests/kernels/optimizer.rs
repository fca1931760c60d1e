//! AdamW and the sum of squares. They write in place where tensors are not shared; shared tensors must not change.

use bert_kernels::{AdamWState, AdamWStep, adamw_update, adamw_update_composed, sum_of_squares};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_equal_bits, on_every_device,
};
use burn::tensor::{Device, Tensor, TensorData};

on_every_device!(
    an_update_is_its_composed_body,
    an_update_is_its_formula,
    an_update_of_parts_and_of_reversed_tensors_is_its_composed_body,
    an_update_leaves_what_others_hold_unchanged,
    a_sum_of_squares_is_its_composed_body,
);

/// More than three times what the CPU kernels give to one thread, and no multiple of it.
const ELEMENTS: usize = 100_003;

const STEP: AdamWStep = AdamWStep {
    learning_rate: 1e-3,
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.01,
    gradient_factor: 0.37,
    step: 3,
};

fn an_update_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.plain();
    check_update(device, state(ELEMENTS, on), waves(ELEMENTS, 4.0, on));
    Ok(())
}

/// In double precision, as `torch.optim.AdamW` has it. ε is large enough to be seen.
fn an_update_is_its_formula(device: &TestDevice) -> anyhow::Result<()> {
    let step = AdamWStep {
        learning_rate: 0.1,
        weight_decay: 0.5,
        epsilon: 0.25,
        ..STEP
    };
    let state = state(50, device.plain());
    let gradient = waves(50, 4.0, device.plain());
    let [(_, parameter), (_, first), (_, second)] = values(state.clone());
    let correction = |beta: f64| 1.0 - beta.powi(step.step);
    let mut expected = [Vec::new(), Vec::new(), Vec::new()];
    for (index, g) in Values::of(gradient.clone()).values.into_iter().enumerate() {
        let [p, m, v] = [&parameter, &first, &second].map(|of| f64::from(of.values[index]));
        let g = f64::from(g) * step.gradient_factor;
        let m = step.beta_1 * m + (1.0 - step.beta_1) * g;
        let v = step.beta_2 * v + (1.0 - step.beta_2) * g * g;
        let direction =
            m / correction(step.beta_1) / ((v / correction(step.beta_2)).sqrt() + step.epsilon);
        let p = p - step.learning_rate * (step.weight_decay * p + direction);
        for (expected, value) in expected.iter_mut().zip([p, m, v]) {
            expected.push(value as f32);
        }
    }
    for update in [adamw_update, adamw_update_composed] {
        let found = values(update(state.clone(), gradient.clone(), step));
        for ((name, found), expected) in found.iter().zip(&expected) {
            let expected = Values {
                shape: found.shape.clone(),
                values: expected.clone(),
            };
            assert_close(device, Quantity::KernelForward, name, found, &expected);
        }
    }
    Ok(())
}

type View = fn(Tensor<1>) -> Tensor<1>;

fn an_update_of_parts_and_of_reversed_tensors_is_its_composed_body(
    device: &TestDevice,
) -> anyhow::Result<()> {
    // Every second row of a transposed matrix: no order in memory that a slice could have.
    let gradient = waves(1000, 4.0, device.plain()).reshape([20, 50]);
    let gradient = gradient.swap_dims(0, 1).narrow(1, 0, 10).flatten(0, 1);
    let views: [(usize, View); 2] = [
        (1000, |tensor| tensor.narrow(0, 11, 500)),
        (500, |tensor| tensor.flip([0])),
    ];
    for (elements, view) in views {
        let whole = state(elements, device.plain());
        let state = AdamWState {
            parameter: view(whole.parameter),
            first_moment: view(whole.first_moment),
            second_moment: view(whole.second_moment),
        };
        check_update(device, state, gradient.clone());
    }
    Ok(())
}

fn an_update_leaves_what_others_hold_unchanged(device: &TestDevice) -> anyhow::Result<()> {
    let state = state(1000, device.plain());
    let gradient = waves(1000, 4.0, device.plain());
    let (held, held_gradient) = (state.clone(), gradient.clone());
    let before = values(held.clone());
    let gradient_before = Values::of(held_gradient.clone());
    let after = values(adamw_update(state, gradient, STEP));
    for ((name, held), (_, before)) in values(held).iter().zip(&before) {
        assert_equal_bits(device, name, held, before);
    }
    assert_equal_bits(
        device,
        "gradient",
        &Values::of(held_gradient),
        &gradient_before,
    );
    for ((name, after), (_, before)) in after.iter().zip(&before) {
        assert_ne!(after.bits(), before.bits(), "{name} is not updated");
    }
    Ok(())
}

fn a_sum_of_squares_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let x = waves(ELEMENTS - 3, 4.0, device.plain()).reshape([1000, 100]);
    for (name, x) in [
        ("whole", x.clone()),
        ("transposed", x.clone().swap_dims(0, 1)),
        ("part", x.narrow(1, 7, 31)),
    ] {
        let expected = Values::of(x.clone().square().sum());
        let found = Values::of(sum_of_squares(x));
        assert_close(device, Quantity::SumOfSquares, name, &found, &expected);
    }
    Ok(())
}

fn check_update(device: &TestDevice, state: AdamWState, gradient: Tensor<1>) {
    let expected = values(adamw_update_composed(state.clone(), gradient.clone(), STEP));
    let found = values(adamw_update(state, gradient, STEP));
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        assert_close(device, Quantity::KernelForward, name, found, expected);
    }
}

fn values(state: AdamWState) -> [(&'static str, Values); 3] {
    [
        ("parameter", Values::of(state.parameter)),
        ("first moment", Values::of(state.first_moment)),
        ("second moment", Values::of(state.second_moment)),
    ]
}

fn state(elements: usize, device: &Device) -> AdamWState {
    AdamWState {
        parameter: waves(elements, 1.0, device),
        first_moment: waves(elements, 2.0, device),
        second_moment: waves(elements, 3.0, device).square(),
    }
}

/// Numbers between -1 and 1 without a pattern that a mistake in the order could repeat.
fn waves(elements: usize, phase: f32, device: &Device) -> Tensor<1> {
    let values: Vec<f32> = (0..elements)
        .map(|index| (index as f32 * 0.618 + phase).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, [elements]), device)
}
