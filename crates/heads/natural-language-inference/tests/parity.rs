//! Logits, loss and the gradient of every parameter of a classifier with three labels against transformers.

use bert_nli::{
    KEY_MAP, Labels, ModelForSequenceClassification, SequenceClassificationConfig, loss,
};
use bert_testing::head::check_loss_and_gradients;
use bert_testing::named::head_keys;
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_equal_bits, with_and_without_kernels,
};
use bert_weights::checkpoint::{LoadOptions, load, read_config};
use burn::tensor::Device;

with_and_without_kernels!(logits_loss_and_gradients);

fn load_classifier(
    golden: &Golden,
    device: &Device,
) -> anyhow::Result<ModelForSequenceClassification> {
    let checkpoint = golden.checkpoint()?;
    let config = SequenceClassificationConfig {
        encoder: read_config(&checkpoint)?,
        num_labels: 3,
    };
    let options = LoadOptions::default();
    let model = config.init(device)?;
    Ok(load(model, &checkpoint, &head_keys(KEY_MAP)?, &options)?.0)
}

fn logits_loss_and_gradients(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("nli")?;
    let on = device.autodiff();
    let classifier = load_classifier(&golden, &on)?;
    let logits = classifier.forward(golden.input("", &on)?)?;
    let found = Values::of(logits.clone());
    assert_close(
        device,
        Quantity::Output,
        golden.case(),
        &found,
        &golden.floats("logits")?,
    );
    let hidden = classifier
        .bert
        .forward(golden.input("", &on)?)?
        .last_hidden_state;
    let shared = Values::of(classifier.forward_hidden(hidden)?);
    assert_equal_bits(device, "on a shared encoder", &shared, &found);
    let loss = loss(logits, Labels::Classes(golden.ints("labels", &on)?));
    check_loss_and_gradients(device, &golden, &classifier, loss, &head_keys(KEY_MAP)?)?;
    Ok(())
}
