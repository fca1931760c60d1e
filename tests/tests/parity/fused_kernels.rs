//! The fused operations of `bert-kernels` against their composed bodies, forward and backward, on the devices that have
//! them, with dropout and without.

use bert_device::Backend;
use bert_kernels::{
    AttentionNumbers, DropoutMask, NormNumbers, attention, attention_composed, dropout,
    dropout_add_norm, dropout_add_norm_composed, is_fused,
};
use bert_tests::{Quantity, TestDevice, Values, assert_close, on_every_device};
use burn::tensor::{Device, Tensor, TensorData};

on_every_device!(
    dropout_add_norm_is_its_composed_body,
    attention_is_its_composed_body,
    attention_without_any_position_is_even,
    what_is_not_a_number_stays_visible,
);

/// The CPU backends have them and no other: there the composed bodies do the work, which the golden files hold.
fn has_kernels(device: &TestDevice) -> bool {
    let is_cpu = matches!(device.backend(), Backend::Flex | Backend::NdArray);
    assert_eq!(is_fused(&device.autodiff()), is_cpu, "{}", device.backend());
    is_cpu
}

const MASKS: [DropoutMask; 2] = [
    DropoutMask::NONE,
    DropoutMask {
        probability: 0.3,
        seed: 0x1234_5678_9abc,
    },
];

/// Numbers in (−2, 2) that look like none in particular.
fn numbers<const D: usize>(shape: [usize; D], phase: f32, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count)
        .map(|index| 2.0 * (index as f32 * 0.731 + phase).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// What the mask multiplies a tensor of this shape by.
fn factors<const D: usize>(shape: [usize; D], mask: DropoutMask, device: &Device) -> Tensor<D> {
    dropout(Tensor::ones(shape, device), mask)
}

/// The outputs, and the gradients of the inputs under a weighted sum.
fn with_gradients<const N: usize>(
    inputs: [Tensor<2>; N],
    f: impl FnOnce([Tensor<2>; N]) -> Tensor<2>,
) -> Vec<Values> {
    let inputs = inputs.map(Tensor::require_grad);
    let y = f(inputs.clone());
    let weights = numbers(y.dims(), 0.4, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let gradient = |input: &Tensor<2>| {
        let gradient = input.grad(&gradients);
        Values::of(gradient.expect("every input requires a gradient"))
    };
    let mut all = vec![Values::of(y)];
    all.extend(inputs.iter().map(gradient));
    all
}

fn assert_same(device: &TestDevice, name: &str, found: &[Values], expected: &[Values]) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (quantity, what) = match index {
            0 => (Quantity::FusedForward, "output".to_owned()),
            input => (
                Quantity::FusedBackward,
                format!("gradient of input {input}"),
            ),
        };
        assert_close(
            device,
            quantity,
            &format!("{name}, {what}"),
            found,
            expected,
        );
    }
}

fn dropout_add_norm_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    if !has_kernels(device) {
        return Ok(());
    }
    // More rows than a thread takes at a time, and a width that is no multiple of any register's.
    let (rows, width, epsilon) = (71, 37, 1e-12);
    for mask in MASKS {
        let inputs = || {
            [
                numbers([rows, width], 0.0, &on),
                numbers([rows, width], 1.0, &on),
                numbers([1, width], 2.0, &on),
                numbers([1, width], 3.0, &on),
            ]
        };
        let flat = |x: Tensor<2>| x.reshape([width]);
        let found = with_gradients(inputs(), |[x, residual, gamma, beta]| {
            let numbers = NormNumbers {
                epsilon,
                dropout: mask,
            };
            dropout_add_norm(x, residual, flat(gamma), flat(beta), numbers)
        });
        let kept = factors([rows, width], mask, &on);
        let expected = with_gradients(inputs(), |[x, residual, gamma, beta]| {
            dropout_add_norm_composed(x, residual, kept, flat(gamma), flat(beta), epsilon)
        });
        let name = format!("dropout {} add norm", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

/// Sequences of very different lengths; in the second a hole, too.
const MASK: [[f32; 19]; 3] = {
    let mut mask = [[0.0; 19]; 3];
    let mut position = 0;
    while position < 19 {
        if position > 0 {
            mask[2][position] = f32::MIN;
        }
        if position == 4 || position > 11 {
            mask[1][position] = f32::MIN;
        }
        position += 1;
    }
    mask
};

fn attention_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    if !has_kernels(device) {
        return Ok(());
    }
    let (batch, sequence, heads, head) = (3, 19, 5, 7);
    for mask in MASKS {
        let inputs = || [0.0, 1.0, 2.0].map(|phase| numbers([57, heads * head], phase, &on));
        let hidden = Tensor::<2>::from_data(MASK, &on);
        let found = with_gradients(inputs(), |[query, key, value]| {
            let numbers = AttentionNumbers {
                batch,
                heads,
                dropout: mask,
            };
            attention(query, key, value, hidden.clone(), numbers)
        });
        // Scores behind the last position of a sequence are not computed, so their factors do not matter; those of a
        // row follow each other, `S` apart from the next row's.
        let factors = factors([batch, heads, sequence, sequence], mask, &on);
        let expected = with_gradients(inputs(), |[query, key, value]| {
            let hidden = hidden.clone().reshape([batch, 1, 1, sequence]);
            let drop = |probabilities| probabilities * factors;
            attention_composed(query, key, value, Some(hidden), [batch, heads], drop).0
        });
        let name = format!("attention, dropout {}", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

fn attention_without_any_position_is_even(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    if !has_kernels(device) {
        return Ok(());
    }
    let (sequence, width) = (5, 4);
    let hidden = Tensor::<2>::full([1, sequence], f32::MIN, &on);
    let inputs = [0.0, 1.0, 2.0].map(|phase| numbers([sequence, width], phase, &on));
    let mean = Values::of(inputs[2].clone().mean_dim(0));
    let found = with_gradients(inputs, |[query, key, value]| {
        let numbers = AttentionNumbers {
            batch: 1,
            heads: 2,
            dropout: DropoutMask::NONE,
        };
        attention(query, key, value, hidden, numbers)
    });
    for row in 0..sequence {
        let row = found[0].rows(&[row]);
        assert_close(
            device,
            Quantity::FusedForward,
            "even attention",
            &row,
            &mean,
        );
    }
    assert!(found.iter().all(Values::are_finite));
    Ok(())
}

fn what_is_not_a_number_stays_visible(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    if !has_kernels(device) {
        return Ok(());
    }
    for bad in [f32::NAN, f32::INFINITY] {
        let x = numbers([4, 6], 0.0, &on).slice_fill([1..2, 2..3], bad);
        let ones = Tensor::<1>::ones([6], &on);
        let norm = NormNumbers {
            epsilon: 1e-12,
            dropout: DropoutMask::NONE,
        };
        let y = dropout_add_norm(x.clone(), x.clone(), ones.clone(), ones, norm);
        let y = Values::of(y);
        assert!(!y.rows(&[1]).are_finite(), "{bad} vanished in LayerNorm");
        assert!(
            y.rows(&[0, 2, 3]).are_finite(),
            "{bad} spread to other rows"
        );
        let numbers = AttentionNumbers {
            batch: 1,
            heads: 2,
            dropout: DropoutMask::NONE,
        };
        let mask = Tensor::<2>::zeros([1, 4], &on);
        let y = attention(x.clone(), x.clone(), x, mask, numbers);
        assert!(!Values::of(y).are_finite(), "{bad} vanished in attention");
    }
    Ok(())
}
