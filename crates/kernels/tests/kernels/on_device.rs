//! Optimiser steps whose outcomes stay on a GPU.

use bert_kernels::{
    AdamWState, AdamWStep, StepOutcomes, adamw_update_composed, steps_on_device, without_kernels,
};
use bert_testing::{Quantity, TestDevice, Values, assert_close, assert_equal_bits};
use burn::tensor::Tensor;

use crate::common::waves;

/// Far below the norm.
const MAX_NORM: f64 = 1.0;
/// Large enough to be seen.
const EPSILON: f64 = 0.5;
const STEP: AdamWStep = AdamWStep {
    learning_rate: 1e-3,
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.01,
    gradient_factor: 1.0,
    step: 3,
};
/// Fewer elements than a part of those that squares are summed in, and more than all parts have when each unit adds up eight;
/// together more parts than there are units.
const SIZES: [usize; 3] = [37, 70_001, 66_301];

mod a_step_on_the_device_is_that_of_the_host {
    bert_testing::gpu_tests!(a_step_on_the_device_is_that_of_the_host);
}

mod a_step_that_is_not_finite_changes_nothing {
    bert_testing::gpu_tests!(a_step_that_is_not_finite_changes_nothing);
}

mod steps_stay_on_a_gpu_that_has_kernels {
    bert_testing::gpu_tests!(steps_stay_on_a_gpu_that_has_kernels);
}

bert_testing::where_kernels_are!(steps_do_not_stay_on_a_cpu);

fn steps_stay_on_a_gpu_that_has_kernels(device: &TestDevice) -> anyhow::Result<()> {
    assert!(steps_on_device(device.plain()));
    assert!(!without_kernels(|| steps_on_device(device.plain())));
    Ok(())
}

fn steps_do_not_stay_on_a_cpu(device: &TestDevice) -> anyhow::Result<()> {
    assert!(!steps_on_device(device.plain()));
    Ok(())
}

fn gradients(device: &TestDevice) -> [Tensor<1>; 3] {
    SIZES.map(|size| waves([size], 4.0, device.plain()))
}

fn states(device: &TestDevice) -> [AdamWState; 3] {
    SIZES.map(|size| AdamWState {
        parameter: waves([size], 1.0, device.plain()),
        first_moment: waves([size], 2.0, device.plain()),
        second_moment: waves([size], 3.0, device.plain()).square(),
    })
}

fn values(state: AdamWState) -> [(&'static str, Values); 3] {
    [
        ("parameter", Values::of(state.parameter)),
        ("first moment", Values::of(state.first_moment)),
        ("second moment", Values::of(state.second_moment)),
    ]
}

fn a_step_on_the_device_is_that_of_the_host(device: &TestDevice) -> anyhow::Result<()> {
    let mut outcomes = StepOutcomes::new(2, device.plain());
    let squares = gradients(device).map(|gradient| {
        let values = gradient.into_data();
        values.iter::<f64>().map(|value| value * value).sum::<f64>()
    });
    let norm = squares.iter().sum::<f64>().sqrt();
    for (loss, max_norm) in [(0.5, Some(MAX_NORM)), (0.25, None)] {
        let loss = Tensor::from_floats([loss as f32], device.plain());
        outcomes.add(loss, gradients(device).to_vec(), max_norm, EPSILON);
        let factor = max_norm.map_or(1.0, |maximum| maximum / (norm + EPSILON));
        for (state, gradient) in states(device).into_iter().zip(gradients(device)) {
            let step = AdamWStep {
                gradient_factor: factor,
                ..STEP
            };
            let expected = values(adamw_update_composed(state.clone(), gradient.clone(), step));
            let found = values(outcomes.adamw_update(state, gradient, STEP));
            for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                assert_close(device, Quantity::KernelForward, name, found, expected);
            }
        }
    }
    assert!(outcomes.is_full() && !outcomes.is_empty());
    assert_eq!(outcomes.len(), 2);
    let read = outcomes.take()?;
    assert!(outcomes.is_empty());
    assert_eq!(read.len(), 2);
    for ([loss, found], expected) in read.into_iter().zip([0.5, 0.25]) {
        assert_eq!(loss, expected);
        assert!((found / norm - 1.0).abs() < 1e-5, "{found} is not {norm}");
    }
    Ok(())
}

fn a_step_that_is_not_finite_changes_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let [_, bad, _] = gradients(device);
    let bad = bad.slice_fill(7..8, f32::INFINITY);
    let good = || gradients(device)[1].clone();
    for (loss, gradient) in [(f32::NAN, good()), (0.5, bad)] {
        let mut outcomes = StepOutcomes::new(1, device.plain());
        let loss = Tensor::from_floats([loss], device.plain());
        outcomes.add(loss, vec![gradient.clone()], Some(MAX_NORM), EPSILON);
        let [_, state, _] = states(device);
        let before = values(state.clone());
        let after = values(outcomes.adamw_update(state, gradient, STEP));
        for ((name, after), (_, before)) in after.iter().zip(&before) {
            assert_equal_bits(device, name, after, before);
        }
        let [loss, norm] = outcomes.take()?[0];
        assert!(!(loss + norm).is_finite(), "{loss}, {norm}");
    }
    Ok(())
}
