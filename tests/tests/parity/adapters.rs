//! LoRA and DoRA against PEFT: logits, loss, the gradients of what is trained, and optimiser steps.

use anyhow::Context;
use bert_encoder::{LowRankConfig, ModelType};
use bert_tasks::adapters::{LoraOptions, LoraTargets, adapt};
use bert_testing::named::{Named, gradients, parameters};
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number,
    with_and_without_kernels,
};
use bert_tests::adapters::{adapter_keys, with_adapter_values};
use bert_tests::model;
use bert_tests::steps::{Batch, batch_loss};
use bert_text_classification::ModelForSequenceClassification;
use bert_train::{AdamW, Stepper, Tune};
use burn::optim::GradientsParams;
use burn::tensor::Device;

with_and_without_kernels!(lora_is_that_of_peft, dora_is_that_of_peft);

fn lora_is_that_of_peft(device: &TestDevice) -> anyhow::Result<()> {
    check(device, "lora")
}

fn dora_is_that_of_peft(device: &TestDevice) -> anyhow::Result<()> {
    check(device, "dora")
}

fn options(case: &str) -> LoraOptions {
    let targets = ["query", "value", "intermediate.dense", "output.dense"];
    LoraOptions {
        config: LowRankConfig {
            rank: 3,
            alpha: 5.0,
            dropout: 0.0,
            use_dora: case == "dora",
            use_rslora: case == "dora",
        },
        targets: LoraTargets::Named(targets.map(str::to_owned).into()),
    }
}

/// The golden model with the golden adapter.
fn adapted(
    golden: &Golden,
    case: &str,
    on: &Device,
) -> anyhow::Result<ModelForSequenceClassification> {
    let mut model = model::load_classifier(&golden.checkpoint()?, 0.0, on)?;
    let options = options(case);
    adapt(&mut model.encoder, ModelType::Bert, &options, on)?;
    let file = golden.path().join("adapter/adapter_model.safetensors");
    let model = with_adapter_values(model, &file, on)?;
    Ok(Tune::Lora(options).apply(model, 2)?)
}

fn check(device: &TestDevice, case: &str) -> anyhow::Result<()> {
    let golden = Golden::open(case)?;
    let on = device.autodiff();
    let model = adapted(&golden, case, &on)?;
    let batch = Batch::read(&golden, "", &on)?;
    let logits = model.forward(batch.input.clone())?;
    let expected = golden.floats("logits")?;
    assert_close(
        device,
        Quantity::Output,
        case,
        &Values::of(logits),
        &expected,
    );

    let loss = batch_loss(&model, &batch)?.loss;
    let of_loss = GradientsParams::from_grads(loss.backward(), &model);
    let found = gradients(&model, &of_loss, &adapter_keys()?)?;
    let mut expected = golden.names_under("gradients.")?;
    expected.sort();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), expected);
    assert_named(
        device,
        Quantity::Gradient,
        case,
        &found,
        &golden,
        "gradients.",
    )?;
    check_steps(device, case, &golden, model, &batch)
}

fn check_steps(
    device: &TestDevice,
    case: &str,
    golden: &Golden,
    mut model: ModelForSequenceClassification,
    batch: &Batch,
) -> anyhow::Result<()> {
    let on = device.autodiff();
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let max_norm = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(max_norm), 0);
    let rate = golden.number("/settings/learning_rate")?;
    let batches = [(batch.clone(), 6.0)];
    for step in 0..golden.index("/settings/steps")? {
        let outcome;
        (model, outcome) = stepper.step(model, &batches, rate, &on, batch_loss)?;
        for (quantity, key, found) in [
            (Quantity::TrainingLoss, "loss", outcome.loss),
            (Quantity::GradientNorm, "gradient_norm", outcome.grad_norm),
        ] {
            let expected = golden.number(&format!("/steps/{step}/{key}"))?;
            let name = format!("{case} step {step} {key}");
            assert_close_number(device, quantity, &name, found, expected);
        }
    }
    let found = parameters(&model, &adapter_keys()?)?;
    assert_named(
        device,
        Quantity::FinalParameter,
        case,
        &found,
        golden,
        "final.",
    )
}

fn assert_named(
    device: &TestDevice,
    quantity: Quantity,
    case: &str,
    found: &Named,
    golden: &Golden,
    prefix: &str,
) -> anyhow::Result<()> {
    for name in golden.names_under(prefix)? {
        let found = found.get(&name).with_context(|| name.clone())?;
        let expected = golden.floats(&format!("{prefix}{name}"))?;
        assert_close(
            device,
            quantity,
            &format!("{case}/{name}"),
            found,
            &expected,
        );
    }
    Ok(())
}
