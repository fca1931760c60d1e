//! Logits, loss and the gradient of every parameter of `BertForTokenClassification` against transformers.

use bert_encoder::EncoderConfig;
use bert_testing::head::check_loss_and_gradients;
use bert_testing::named::head_keys;
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_equal_bits, with_and_without_kernels,
};
use bert_token_classification::{
    KEY_MAP, ModelForTokenClassification, TokenClassificationConfig, loss,
};
use bert_weights::{LoadOptions, load, read_config};
use burn::tensor::{Device, Tensor};

with_and_without_kernels!(
    logits_loss_and_gradients,
    a_batch_without_a_label_has_loss_zero_and_no_nan,
);

fn classifier(golden: &Golden, device: &Device) -> anyhow::Result<ModelForTokenClassification> {
    let checkpoint = golden.checkpoint()?;
    let encoder: EncoderConfig = read_config(&checkpoint)?;
    let config = TokenClassificationConfig {
        encoder,
        num_labels: 7,
    };
    let options = LoadOptions::default();
    let model = config.init(device)?;
    Ok(load(model, &checkpoint, &head_keys(KEY_MAP)?, &options)?.0)
}

fn logits_loss_and_gradients(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("token_classification")?;
    let on = device.autodiff();
    let model = classifier(&golden, &on)?;
    let logits = model.forward(golden.input("", &on)?)?;
    let found = Values::of(logits.clone());
    let expected = golden.floats("logits")?;
    assert_close(device, Quantity::Output, golden.case(), &found, &expected);

    let hidden = model.bert.forward(golden.input("", &on)?)?;
    let shared = Values::of(model.forward_hidden(hidden.last_hidden_state));
    assert_equal_bits(device, "on a shared encoder", &shared, &found);

    let loss = loss(logits, golden.ints("labels", &on)?);
    check_loss_and_gradients(device, &golden, &model, loss, &head_keys(KEY_MAP)?)?;
    Ok(())
}

fn a_batch_without_a_label_has_loss_zero_and_no_nan(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("token_classification")?;
    let on = device.autodiff();
    let model = classifier(&golden, &on)?;
    let logits = model.forward(golden.input("", &on)?)?;
    let labels = Tensor::full([6, 8], bert_kernels::IGNORE_INDEX, &on);
    let loss = loss(logits, labels);
    assert_eq!(loss.clone().into_scalar::<f32>(), 0.0);
    let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &model);
    assert_eq!(bert_train::global_norm(&model, &gradients), 0.0);
    Ok(())
}
