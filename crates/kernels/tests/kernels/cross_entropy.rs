//! Masked cross-entropy.

use bert_kernels::{IGNORE_INDEX, masked_cross_entropy, masked_cross_entropy_composed};
use bert_testing::{TestDevice, Values, where_kernels_are, with_and_without_kernels};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::common::{assert_same, waves, with_gradients};

where_kernels_are!(cross_entropy_is_its_composed_body);

with_and_without_kernels!(a_loss_without_labels_is_zero_with_zero_gradients);

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
