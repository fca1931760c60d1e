//! Masked cross-entropy, and the weighted one.

use bert_kernels::{
    CrossEntropyOptions, IGNORE_INDEX, focal_factor, masked_cross_entropy,
    masked_cross_entropy_composed, weighted_cross_entropy,
};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_close_number, on_every_device,
    where_kernels_are, with_and_without_kernels,
};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::common::{assert_same, waves, with_gradients};

where_kernels_are!(cross_entropy_is_its_composed_body);

with_and_without_kernels!(
    a_loss_without_labels_is_zero_with_zero_gradients,
    large_logits_do_not_overflow,
);

on_every_device!(
    weights_smoothing_and_focal_factor_are_their_formulas,
    a_focal_factor_of_a_sure_row_is_above_zero,
);

fn cross_entropy_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (rows, classes) = (23, 37);
    let labels = |every: i64| {
        let label = |row: i64| if row % every == 0 { -100 } else { row * 5 % 37 };
        let labels: Vec<i64> = (0..rows as i64).map(label).collect();
        Tensor::<1, Int>::from_data(TensorData::new(labels, [rows]), &on)
    };
    // Every fourth row is ignored, then all of them.
    for every in [4, 1] {
        let logits = || [waves([rows, classes], 0.0, &on) * 5.0];
        let found = with_gradients(logits(), |[logits]| {
            masked_cross_entropy(logits, labels(every)).unsqueeze()
        });
        let expected = with_gradients(logits(), |[logits]| {
            masked_cross_entropy_composed(logits, labels(every)).unsqueeze()
        });
        assert_same(device, "cross-entropy", &found, &expected);
    }
    Ok(())
}

fn a_loss_without_labels_is_zero_with_zero_gradients(device: &TestDevice) -> anyhow::Result<()> {
    let on: Device = device.autodiff();
    let logits =
        Tensor::<2>::from_floats([[1.0, -2.0, 3.0], [0.0, 50.0, -50.0]], &on).require_grad();
    let labels = Tensor::<1, Int>::from_data([IGNORE_INDEX, IGNORE_INDEX], &on);
    let loss = masked_cross_entropy(logits.clone(), labels);
    assert_eq!(loss.clone().into_scalar::<f32>(), 0.0);
    let gradients = loss.backward();
    let gradient = Values::of(
        logits
            .grad(&gradients)
            .expect("the logits require a gradient"),
    );
    assert_eq!(gradient.values, [0.0; 6]);
    Ok(())
}

fn large_logits_do_not_overflow(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.plain();
    let logits = [[1000.0, 998.0, -1000.0], [-1000.0, -1001.0, -2000.0]];
    let found = masked_cross_entropy(
        Tensor::from_data(logits, on),
        Tensor::from_data([1_i64, 0], on),
    );
    let rows = [2.0 + (-2.0_f64).exp().ln_1p(), (-1.0_f64).exp().ln_1p()];
    let found = f64::from(found.into_scalar::<f32>());
    let expected = (rows[0] + rows[1]) / 2.0;
    let quantity = Quantity::KernelForward;
    assert_close_number(device, quantity, "cross-entropy", found, expected);
    Ok(())
}

/// Row by row in double precision, as `torch.nn.CrossEntropyLoss` has weights and smoothing, and the paper the focal factor.
fn weighted(logits: &[[f32; 3]], labels: &[i64], options: &CrossEntropyOptions) -> f64 {
    let weights = options.class_weights.clone().unwrap_or(vec![1.0; 3]);
    let (mut losses, mut total) = (0.0, 0.0);
    let labelled = logits.iter().zip(labels);
    for (row, &label) in labelled.filter(|(_, label)| **label != IGNORE_INDEX) {
        let powers = row.map(|x| f64::from(x).exp());
        let nll = powers.map(|power| -(power / powers.iter().sum::<f64>()).ln());
        let own = f64::from(weights[label as usize]);
        let all = nll.iter().zip(&weights);
        let spread: f64 = all.map(|(nll, &weight)| nll * f64::from(weight)).sum();
        let smoothing = options.label_smoothing;
        let nll = nll[label as usize];
        let loss = own * nll * (1.0 - smoothing) + spread * smoothing / 3.0;
        losses += loss * (1.0 - (-nll).exp()).powf(options.focal_gamma);
        total += own;
    }
    losses / total
}

fn weights_smoothing_and_focal_factor_are_their_formulas(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let logits = [
        [1.5, -0.5, 0.25],
        [0.0, 2.0, -1.0],
        [3.0, 3.0, 3.0],
        [-2.0, 0.5, 1.0],
    ];
    let labels = [0, IGNORE_INDEX, 2, 1];
    for (class_weights, label_smoothing, focal_gamma) in [
        (None, 0.0, 0.0),
        (Some(vec![0.5, 2.0, 3.0]), 0.0, 0.0),
        (None, 0.3, 0.0),
        (None, 0.0, 1.5),
        (Some(vec![0.5, 2.0, 3.0]), 0.3, 1.5),
    ] {
        let options = CrossEntropyOptions {
            class_weights,
            label_smoothing,
            focal_gamma,
        };
        assert_eq!(
            options.is_plain(),
            options == CrossEntropyOptions::default()
        );
        let on = device.plain();
        let found = weighted_cross_entropy(
            Tensor::from_data(logits, on),
            Tensor::from_data(labels, on),
            &options,
        );
        let expected = Values {
            shape: vec![1],
            values: vec![weighted(&logits, &labels, &options) as f32],
        };
        let name = format!("{options:?}");
        let quantity = Quantity::KernelForward;
        assert_close(device, quantity, &name, &Values::of(found), &expected);
    }
    Ok(())
}

/// So its gradient is finite where γ is below 1.
fn a_focal_factor_of_a_sure_row_is_above_zero(device: &TestDevice) -> anyhow::Result<()> {
    let probabilities = Tensor::<2>::from_data([[1.0], [0.75]], device.plain());
    let found = Values::of(focal_factor(probabilities, 0.5));
    let expected = Values {
        shape: vec![2, 1],
        values: vec![f32::EPSILON.sqrt(), 0.5],
    };
    let quantity = Quantity::KernelForward;
    assert_close(device, quantity, "focal factor", &found, &expected);
    Ok(())
}
