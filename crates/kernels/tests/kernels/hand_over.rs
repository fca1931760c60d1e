//! Gradients that are handed over during the backward pass.

use bert_kernels::{depths, hand_over, receive_gradients};
use bert_testing::{TestDevice, Values, assert_equal_bits, with_and_without_kernels};
use burn::tensor::{Tensor, TensorData};

use crate::common::waves;

with_and_without_kernels!(
    a_gradient_that_is_handed_over_is_the_whole_one,
    gradients_are_handed_over_while_the_backward_pass_goes_on,
    a_panic_leaves_no_receiver,
);

/// What is received by a backward pass of this scalar.
fn received(loss: Tensor<1>) -> Vec<(usize, TensorData)> {
    let mut received = Vec::new();
    receive_gradients(
        &mut |number, gradient| received.push((number, gradient.expect("it can be read"))),
        || loss.backward(),
    );
    received
}

/// The first weight is used twice.
fn a_gradient_that_is_handed_over_is_the_whole_one(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let x = waves::<2>([3, 4], 0.0, &on);
    let loss = |weights: &[Tensor<2>; 2]| {
        let y = x.clone().matmul(weights[0].clone()).tanh();
        let y = y.matmul(weights[1].clone()).tanh();
        y.matmul(weights[0].clone()).square().sum()
    };
    let leaves = [1.0, 2.0].map(|phase| waves::<2>([4, 4], phase, &on).require_grad());
    let gradients = loss(&leaves).backward();
    let depths = depths(2, &on);
    let numbers = [0, 1];
    let handed = numbers.map(|number| hand_over(leaves[number].clone(), &depths[number], number));
    for (leaf, handed) in leaves.iter().zip(&handed) {
        let (leaf, handed) = (Values::of(leaf.clone()), Values::of(handed.clone()));
        assert_equal_bits(device, "output", &handed, &leaf);
    }
    let received = received(loss(&handed));
    let order: Vec<usize> = received.iter().map(|(number, _)| *number).collect();
    assert_eq!(order, [1, 0]);
    for (number, found) in received {
        let expected = leaves[number].grad(&gradients).expect("a gradient");
        let found = Values::of(Tensor::<2>::from_data(found, device.plain()));
        assert_equal_bits(device, "gradient", &found, &Values::of(expected));
    }
    Ok(())
}

/// The gradient of the activation between two layers is computed after those of the second layer and before those of the
/// first.
fn gradients_are_handed_over_while_the_backward_pass_goes_on(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let [first_weight, second_weight, activation] = [0, 1, 2];
    let on = device.autodiff();
    let depths = depths(2, &on);
    let weight = |number: usize| hand_over(waves([4, 4], 1.0, &on), &depths[number], number);
    let first = waves::<2>([3, 4], 0.0, &on)
        .matmul(weight(first_weight))
        .tanh();
    let probe = hand_over(Tensor::zeros([3, 4], &on), &first, activation);
    let second = (first + probe).matmul(weight(second_weight));
    let order: Vec<usize> = received(second.sum()).iter().map(|one| one.0).collect();
    assert_eq!(order, [second_weight, activation, first_weight]);
    Ok(())
}

fn a_panic_leaves_no_receiver(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let mut count = 0;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        receive_gradients(&mut |_, _| count += 1, || panic!("as expected"));
    }));
    assert!(panicked.is_err());
    hand_over(Tensor::<1>::ones([2], &on), &depths(1, &on)[0], 0)
        .sum()
        .backward();
    assert_eq!(count, 0);
    Ok(())
}
