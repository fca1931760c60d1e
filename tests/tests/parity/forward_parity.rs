//! Embeddings, every layer, attention probabilities and pooler against transformers.

use anyhow::ensure;
use bert_encoder::{Encoder, EncoderOutput, Pooling, Want};
use bert_testing::named::{encoder_keys, parameters};
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_equal_bits, model,
    with_and_without_kernels,
};
use bert_tests::model::classifier_keys;
use bert_text_classification::SequenceClassificationConfig;
use bert_weights::checkpoint::{LoadOptions, load, read_config};

with_and_without_kernels!(
    every_intermediate_result_of_the_main_case,
    every_activation,
    every_kind_of_checkpoint,
    old_names_give_the_same_parameters_as_new_ones,
    the_encoder_of_a_pretraining_checkpoint,
    a_row_that_is_all_padding_disturbs_no_other,
    an_encoder_without_pooler_has_the_same_hidden_states,
);

const EVERYTHING: Want = Want {
    hidden_states: true,
    attentions: true,
};

fn every_intermediate_result_of_the_main_case(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("gelu")?;
    let (encoder, _) = model::load_encoder(&golden.checkpoint()?, device.plain())?;
    let output = forward(&encoder, &golden, device)?;
    assert_eq!(output.attentions.len(), 3);
    for (layer, found) in output.attentions.iter().enumerate() {
        let name = format!("attentions.{layer}");
        check(device, &golden, &name, &Values::of(found.clone()))?;
    }
    check_outputs(device, &golden, output)
}

fn every_activation(device: &TestDevice) -> anyhow::Result<()> {
    for case in ["gelu_new", "gelu_pytorch_tanh", "relu", "silu"] {
        let golden = Golden::open(case)?;
        let (encoder, _) = model::load_encoder(&golden.checkpoint()?, device.plain())?;
        let output = forward(&encoder, &golden, device)?;
        check_outputs(device, &golden, output)?;
    }
    Ok(())
}

fn every_kind_of_checkpoint(device: &TestDevice) -> anyhow::Result<()> {
    for case in ["sharded", "legacy_names", "f16", "bf16"] {
        let golden = Golden::open(case)?;
        let (encoder, _) = model::load_encoder(&golden.checkpoint()?, device.plain())?;
        let output = forward(&encoder, &golden, device)?;
        check_last(device, &golden, &output)?;
    }
    Ok(())
}

fn old_names_give_the_same_parameters_as_new_ones(device: &TestDevice) -> anyhow::Result<()> {
    let (new, _) = model::load_encoder(&Golden::open("sharded")?.checkpoint()?, device.plain())?;
    let legacy = Golden::open("legacy_names")?.checkpoint()?;
    let (old, report) = model::load_encoder(&legacy, device.plain())?;
    assert_eq!(report.skipped, ["bert.embeddings.position_ids"]);
    let keys = encoder_keys()?;
    let (old, new) = (parameters(&old, &keys)?, parameters(&new, &keys)?);
    assert_eq!(
        old.len(),
        39,
        "5 of the embeddings, 16 of each of two layers, 2 of the pooler"
    );
    for (name, expected) in &new {
        assert_equal_bits(device, name, &old[name], expected);
    }
    Ok(())
}

fn the_encoder_of_a_pretraining_checkpoint(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("pretraining_checkpoint")?;
    let checkpoint = golden.checkpoint()?;
    let config = SequenceClassificationConfig {
        encoder: read_config(&checkpoint)?,
        num_labels: 2,
    };
    let options = LoadOptions {
        fresh: vec!["classifier".into()],
        ignored: vec!["cls".into()],
        ..LoadOptions::default()
    };
    let fresh = config.init(device.plain())?;
    let (classifier, report) = load(fresh, &checkpoint, &classifier_keys()?, &options)?;
    assert_eq!(report.new, ["classifier.weight", "classifier.bias"]);
    ensure!(report.ignored.iter().all(|name| name.starts_with("cls.")));
    let output = forward(&classifier.bert, &golden, device)?;
    check_last(device, &golden, &output)
}

fn a_row_that_is_all_padding_disturbs_no_other(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("fully_masked_row")?;
    let (encoder, _) = model::load_encoder(&golden.checkpoint()?, device.plain())?;
    let output = forward(&encoder, &golden, device)?;
    let masked = golden.index("/masked_row")?;
    let (last, pooled) = last(output)?;
    let rows: Vec<usize> = (0..last.shape[0]).filter(|&row| row != masked).collect();
    assert!(last.are_finite(), "the masked row is not finite");
    check(device, &golden, "last_hidden_state", &last.rows(&rows))?;
    check(device, &golden, "pooler_output", &pooled.rows(&rows))
}

fn an_encoder_without_pooler_has_the_same_hidden_states(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("gelu")?;
    let checkpoint = golden.checkpoint()?;
    let config: bert_encoder::EncoderConfig = read_config(&checkpoint)?;
    let options = LoadOptions {
        ignored: vec!["pooler".into()],
        ..LoadOptions::default()
    };
    let fresh = config.init_with(Pooling::None, device.plain())?;
    let (encoder, _) = load(fresh, &checkpoint, &encoder_keys()?, &options)?;
    let output = encoder.forward(golden.input("", device.plain())?)?;
    assert!(output.pooler_output.is_none());
    check(
        device,
        &golden,
        "last_hidden_state",
        &Values::of(output.last_hidden_state),
    )
}

fn forward(
    encoder: &Encoder,
    golden: &Golden,
    device: &TestDevice,
) -> anyhow::Result<EncoderOutput> {
    Ok(encoder.forward_with(golden.input("", device.plain())?, EVERYTHING)?)
}

/// Every hidden state, and what [`check_last`] does.
fn check_outputs(
    device: &TestDevice,
    golden: &Golden,
    output: EncoderOutput,
) -> anyhow::Result<()> {
    let expected = golden.names_under("hidden_states.")?.len();
    assert_eq!(output.hidden_states.len(), expected);
    for (index, found) in output.hidden_states.iter().enumerate() {
        let name = format!("hidden_states.{index}");
        check(device, golden, &name, &Values::of(found.clone()))?;
    }
    check_last(device, golden, &output)
}

fn check_last(device: &TestDevice, golden: &Golden, output: &EncoderOutput) -> anyhow::Result<()> {
    let (last, pooled) = last(output.clone())?;
    check(device, golden, "last_hidden_state", &last)?;
    check(device, golden, "pooler_output", &pooled)
}

fn last(output: EncoderOutput) -> anyhow::Result<(Values, Values)> {
    let pooled = output
        .pooler_output
        .ok_or_else(|| anyhow::anyhow!("there is no pooler"))?;
    Ok((Values::of(output.last_hidden_state), Values::of(pooled)))
}

fn check(device: &TestDevice, golden: &Golden, name: &str, found: &Values) -> anyhow::Result<()> {
    let full_name = format!("{}/{name}", golden.case());
    assert_close(
        device,
        Quantity::Output,
        &full_name,
        found,
        &golden.floats(name)?,
    );
    Ok(())
}
