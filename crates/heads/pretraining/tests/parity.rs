//! Logits, losses and the gradient of every parameter of the pre-training models against transformers.

use bert_encoder::{EncoderConfig, EncoderInput};
use bert_kernels::masked_cross_entropy;
use bert_pretraining::{
    MaskedTokens, ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining,
    PretrainingModel, head_keys,
};
use bert_testing::head::check_loss_and_gradients;
use bert_testing::named::{Named, gradients, model_keys, parameters};
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number, assert_equal_bits,
    with_and_without_kernels,
};
use bert_weights::{Checkpoint, KeyMap, LoadOptions, load, read_config};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};

with_and_without_kernels!(
    masked_lm,
    next_sentence,
    pretraining,
    the_loss_of_the_masked_tokens_alone_is_that_of_all_tokens,
    a_batch_without_masked_tokens_has_no_loss_and_moves_nothing,
);

const WORDS: &str = "bert.embeddings.word_embeddings.weight";

fn open<M: PretrainingModel>(checkpoint: &Checkpoint, device: &Device) -> anyhow::Result<M> {
    let model = M::init(&read_config(checkpoint)?, device)?;
    let options = LoadOptions::default();
    Ok(load(model, checkpoint, &pretraining_keys()?, &options)?.0)
}

fn pretraining_keys() -> anyhow::Result<KeyMap> {
    Ok(model_keys(&head_keys(
        &EncoderConfig::default(),
        ModelForPreTraining::HEAD,
    )?)?)
}

/// The labels of a batch, row by row.
fn labels(golden: &Golden, device: &Device) -> anyhow::Result<Vec<i32>> {
    let labels: Tensor<2, Int> = golden.ints("labels", device)?;
    Ok(labels.into_data().iter::<i32>().collect())
}

fn masked(golden: &Golden, device: &Device) -> anyhow::Result<MaskedTokens> {
    Ok(MaskedTokens::new(&labels(golden, device)?, device))
}

fn masked_lm(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("masked_lm")?;
    let on = device.autodiff();
    let model: ModelForMaskedLM = open(&golden.checkpoint()?, &on)?;
    let input = EncoderInput::from(golden.input("", &on)?);

    let found = Values::of(model.forward(input.clone())?);
    let expected = golden.floats("logits")?;
    assert_close(device, Quantity::Output, "masked_lm", &found, &expected);
    let hidden = model.encoder.forward(input.clone())?.last_hidden_state;
    let shared = Values::of(model.forward_hidden(hidden));
    assert_equal_bits(device, "on a shared encoder", &shared, &found);

    let masked = masked(&golden, &on)?;
    assert!(masked.count() > 5, "few tokens are masked");
    let loss = model.loss(input, Some(&masked), None)?;
    let found = check_loss_and_gradients(device, &golden, &model, loss, &pretraining_keys()?)?;
    assert!(
        found[WORDS].rows(&[0]).largest() > 0.0,
        "the padding row has no gradient from the decoder"
    );
    Ok(())
}

fn next_sentence(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("next_sentence")?;
    let on = device.autodiff();
    let model: ModelForNextSentencePrediction = open(&golden.checkpoint()?, &on)?;
    let input = EncoderInput::from(golden.input("", &on)?);

    let found = Values::of(model.forward(input.clone())?);
    let expected = golden.floats("logits")?;
    assert_close(device, Quantity::Output, "next_sentence", &found, &expected);
    let hidden = model.encoder.forward(input.clone())?.last_hidden_state;
    let shared = Values::of(model.forward_hidden(hidden));
    assert_equal_bits(device, "on a shared encoder", &shared, &found);

    let loss = model.loss(input, None, Some(golden.ints("labels", &on)?))?;
    let found = check_loss_and_gradients(device, &golden, &model, loss, &pretraining_keys()?)?;
    assert_eq!(
        found[WORDS].rows(&[0]).largest(),
        0.0,
        "the padding row has a gradient without a decoder"
    );
    Ok(())
}

fn pretraining(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("pretraining")?;
    let on = device.autodiff();
    let model: ModelForPreTraining = open(&golden.checkpoint()?, &on)?;
    let input = EncoderInput::from(golden.input("", &on)?);

    let (tokens, pairs) = model.forward(input.clone())?;
    let found = [
        ("prediction_logits", Values::of(tokens)),
        ("seq_relationship_logits", Values::of(pairs)),
    ];
    for (name, found) in found {
        let expected = golden.floats(name)?;
        assert_close(device, Quantity::Output, name, &found, &expected);
    }

    let masked = masked(&golden, &on)?;
    let pairs = golden.ints("next_sentence_label", &on)?;
    let loss = model.loss(input, Some(&masked), Some(pairs))?;
    check_loss_and_gradients(device, &golden, &model, loss, &pretraining_keys()?)?;
    Ok(())
}

fn the_loss_of_the_masked_tokens_alone_is_that_of_all_tokens(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let golden = Golden::open("masked_lm")?;
    let on = device.plain();
    let model: ModelForMaskedLM = open(&golden.checkpoint()?, on)?;
    let all = model
        .forward(golden.input("", on)?.into())?
        .flatten::<2>(0, 1);
    let labels: Tensor<2, Int> = golden.ints("labels", on)?;
    let expected = masked_cross_entropy(all, labels.flatten::<1>(0, 1));
    let masked = masked(&golden, on)?;
    let found = model.loss(golden.input("", on)?.into(), Some(&masked), None)?;
    assert_close_number(
        device,
        Quantity::Loss,
        "masked tokens alone",
        found.into_scalar::<f32>().into(),
        expected.into_scalar::<f32>().into(),
    );
    Ok(())
}

fn a_batch_without_masked_tokens_has_no_loss_and_moves_nothing(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let golden = Golden::open("masked_lm")?;
    let on = device.autodiff();
    let model: ModelForMaskedLM = open(&golden.checkpoint()?, &on)?;
    let nothing = MaskedTokens::new(&vec![-100; labels(&golden, &on)?.len()], &on);
    assert_eq!(nothing.count(), 0);
    let loss = model.loss(golden.input("", &on)?.into(), Some(&nothing), None)?;
    assert_eq!(loss.clone().into_scalar::<f32>(), 0.0);

    let keys = pretraining_keys()?;
    let found = GradientsParams::from_grads(loss.backward(), &model);
    let found: Named = gradients(&model, &found, &keys)?;
    assert_eq!(found.len(), parameters(&model, &keys)?.len());
    for (name, gradient) in &found {
        assert_eq!(gradient.largest(), 0.0, "{name} has a gradient");
        assert!(gradient.are_finite(), "{name}");
    }
    Ok(())
}
