//! Losses with class weights, label smoothing and focus against torch, and schedules against transformers.

use bert_kernels::CrossEntropyOptions;
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number,
    with_and_without_kernels,
};
use bert_text_classification::{Labels, weighted_loss};
use bert_train::{Schedule, ScheduleShape};
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

with_and_without_kernels!(
    losses_of_one_class_a_row,
    losses_of_several_classes_a_row,
    a_focal_loss_of_certain_rows_has_a_finite_gradient,
);

fn losses_of_one_class_a_row(device: &TestDevice) -> anyhow::Result<()> {
    check(device, "classes_", |golden, on| {
        Ok(Labels::Classes(golden.ints("labels", on)?))
    })
}

fn losses_of_several_classes_a_row(device: &TestDevice) -> anyhow::Result<()> {
    check(device, "multi_hot_", |golden, on| {
        let targets = golden.floats("targets")?;
        Ok(Labels::MultiHot(tensor(&targets, on)))
    })
}

fn check(
    device: &TestDevice,
    kind: &str,
    labels: impl Fn(&Golden, &Device) -> anyhow::Result<Labels>,
) -> anyhow::Result<()> {
    let golden = Golden::open("losses")?;
    let on = device.autodiff();
    let Value::Object(cases) = golden.scalar("/losses")? else {
        anyhow::bail!("losses is an object");
    };
    let cases: Vec<_> = cases
        .iter()
        .filter(|(name, _)| name.starts_with(kind))
        .collect();
    assert!(cases.len() >= 3, "{kind}");
    for (name, case) in cases {
        let number = |key: &str| case.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        let is_weighted = case.get("weighted").is_some();
        let weights = golden.floats("class_weights")?.values;
        let options = CrossEntropyOptions {
            class_weights: is_weighted.then_some(weights),
            label_smoothing: number("smoothing"),
            focal_gamma: number("gamma"),
        };
        let logits = tensor(&golden.floats("logits")?, &on).require_grad();
        let loss = weighted_loss(logits.clone(), labels(&golden, &on)?, &options);
        let gradients = loss.backward();
        let found = loss.into_scalar::<f32>().into();
        assert_close_number(device, Quantity::Loss, name, found, number("loss"));
        let gradient = logits
            .grad(&gradients)
            .expect("the logits require a gradient");
        let expected = golden.floats(&format!("{name}.gradient"))?;
        assert_close(
            device,
            Quantity::Gradient,
            name,
            &Values::of(gradient),
            &expected,
        );
    }
    Ok(())
}

fn tensor(values: &Values, device: &Device) -> Tensor<2> {
    let shape = [values.shape[0], values.shape[1]];
    Tensor::from_data(TensorData::new(values.values.clone(), shape), device)
}

/// A power below 1 has a slope without a bound where a probability is 1.
fn a_focal_loss_of_certain_rows_has_a_finite_gradient(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let options = CrossEntropyOptions {
        focal_gamma: 0.5,
        ..CrossEntropyOptions::default()
    };
    let labels = [
        Labels::Classes(Tensor::from_data([0], &on)),
        Labels::MultiHot(Tensor::from_floats([[1.0, 0.0]], &on)),
    ];
    for labels in labels {
        let logits = Tensor::<2>::from_floats([[80.0, -80.0]], &on).require_grad();
        let loss = weighted_loss(logits.clone(), labels, &options);
        let gradients = loss.backward();
        let gradient = logits
            .grad(&gradients)
            .expect("the logits require a gradient");
        let gradient = Values::of(gradient).values;
        assert!(
            gradient.iter().all(|value| value.abs() < 1e-6),
            "{gradient:?}"
        );
        assert!(loss.into_scalar::<f32>().abs() < 1e-6);
    }
    Ok(())
}

#[test]
fn learning_rates_are_those_of_transformers() -> anyhow::Result<()> {
    let golden = Golden::open("losses")?;
    let shapes = [
        ScheduleShape::Linear,
        ScheduleShape::Cosine,
        ScheduleShape::Constant,
        ScheduleShape::ConstantWithWarmup,
    ];
    for shape in shapes {
        let place = format!("/learning_rates/{shape}");
        let schedule = Schedule {
            shape,
            peak: 1.0,
            warmup_steps: golden.index(&format!("{place}/warmup_steps"))?,
            total_steps: golden.index(&format!("{place}/total_steps"))?,
        };
        for step in 0..schedule.total_steps + 2 {
            let expected = golden.number(&format!("{place}/rates/{step}"))?;
            let found = schedule.learning_rate(step);
            assert!(
                (found - expected).abs() < 1e-12,
                "{shape} step {step}: {found} {expected}"
            );
        }
    }
    Ok(())
}
