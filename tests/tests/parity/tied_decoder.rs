//! The decoder of masked LM is the word embeddings before training, after it, and in the file.

use bert_encoder::{EncoderConfig, EncoderInput};
use bert_pretraining::{MaskedTokens, ModelForMaskedLM, PretrainingModel, head_keys};
use bert_tasks::BatchLoss;
use bert_testing::named::{model_keys, parameters};
use bert_testing::{Golden, TestDevice, Values, assert_equal_bits, with_and_without_kernels};
use bert_train::{AdamW, Stepper};
use bert_weights::{Checkpoint, Export, LoadOptions, load, read_config, read_tensors, save};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

with_and_without_kernels!(the_decoder_is_still_the_word_embeddings_after_training_and_export);

const WORDS: &str = "bert.embeddings.word_embeddings.weight";

fn open(checkpoint: &Checkpoint, device: &Device) -> anyhow::Result<ModelForMaskedLM> {
    let model = ModelForMaskedLM::init(&read_config(checkpoint)?, device)?;
    let options = LoadOptions::default();
    Ok(load(
        model,
        checkpoint,
        &model_keys(&head_keys(
            &EncoderConfig::default(),
            ModelForMaskedLM::HEAD,
        )?)?,
        &options,
    )?
    .0)
}

fn the_decoder_is_still_the_word_embeddings_after_training_and_export(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let golden = Golden::open("masked_lm")?;
    let checkpoint = golden.checkpoint()?;
    let on = device.autodiff();
    let model = open(&checkpoint, &on)?;
    let keys = model_keys(&head_keys(
        &EncoderConfig::default(),
        ModelForMaskedLM::HEAD,
    )?)?;
    let before = parameters(&model, &keys)?;
    let labels: Tensor<2, Int> = golden.ints("labels", &on)?;
    let labels: Vec<i32> = labels.into_data().iter().collect();
    let masked = MaskedTokens::new(&labels, &on);
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0);
    let batches = [(golden.input("", &on)?, masked.count() as f64)];
    let (model, _) = stepper.step(model, &batches, 1e-2, &on, |model, input| {
        Ok(BatchLoss {
            loss: model.loss(input.clone().into(), Some(&masked), None)?,
            tokens: 0,
        })
    })?;
    let trained = model.valid();

    let dir = tempfile::tempdir()?;
    let export = Export {
        config: checkpoint.config().clone(),
        tokenizer_files: &[],
    };
    save(&trained, &keys, &export, dir.path())?;
    let names = read_tensors(dir.path())?.into_iter().map(|one| one.name);
    let (found, expected): (Vec<String>, Vec<String>) = (names.collect(), {
        let names = checkpoint.tensors().iter();
        names.map(|one| one.name.clone()).collect()
    });
    assert_eq!(found, expected, "the decoder would be a tensor of its own");

    let opened = open(&Checkpoint::open(dir.path())?, device.plain())?;
    let after = parameters(&opened, &keys)?;
    assert_ne!(after[WORDS], before[WORDS], "nothing was trained");
    for (name, expected) in parameters(&trained, &keys)? {
        assert_equal_bits(device, &name, &after[&name], &expected);
    }
    let input = EncoderInput::from(golden.input("", device.plain())?);
    let logits = |model: &ModelForMaskedLM| -> anyhow::Result<Values> {
        Ok(Values::of(model.forward(input.clone())?))
    };
    assert_equal_bits(device, "logits", &logits(&opened)?, &logits(&trained)?);
    Ok(())
}
