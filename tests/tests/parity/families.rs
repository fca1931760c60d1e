//! Every family of encoders with every head against transformers: hidden states, logits, loss, the gradient of every
//! parameter, ten optimiser steps; and what is written again has the same bytes.

use bert_doctor::families::{self, cases};
use bert_doctor::heads::Model;
use bert_encoder::{EncoderConfig, ModelType};
use bert_pretraining::ModelForMaskedLM;
use bert_question_answering::ModelForQuestionAnswering;
use bert_testing::{TestDevice, with_and_without_kernels};
use bert_tests::checks::passes;
use bert_text_classification::ModelForSequenceClassification;
use bert_token_classification::ModelForTokenClassification;
use bert_weights::{Checkpoint, Export, KeyMap, first_difference, read_config, save};
use burn::module::Module;

with_and_without_kernels!(
    sequence_classification,
    token_classification,
    question_answering,
    masked_lm,
    settings_of_deberta,
);

fn sequence_classification(device: &TestDevice) -> anyhow::Result<()> {
    check_all::<ModelForSequenceClassification>(device, &cases::<ModelForSequenceClassification>())
}

fn token_classification(device: &TestDevice) -> anyhow::Result<()> {
    check_all::<ModelForTokenClassification>(device, &cases::<ModelForTokenClassification>())
}

fn question_answering(device: &TestDevice) -> anyhow::Result<()> {
    check_all::<ModelForQuestionAnswering>(device, &cases::<ModelForQuestionAnswering>())
}

fn masked_lm(device: &TestDevice) -> anyhow::Result<()> {
    check_all::<ModelForMaskedLM>(device, &cases::<ModelForMaskedLM>())
}

fn settings_of_deberta(device: &TestDevice) -> anyhow::Result<()> {
    let classifiers = families::settings_of_deberta::<ModelForSequenceClassification>();
    check_all::<ModelForSequenceClassification>(device, &classifiers)?;
    let masked_lms = families::settings_of_deberta::<ModelForMaskedLM>();
    check_all::<ModelForMaskedLM>(device, &masked_lms)
}

fn check_all<M: Model>(device: &TestDevice, cases: &[(&str, ModelType)]) -> anyhow::Result<()> {
    for (name, model_type) in cases {
        passes(device, |check| {
            let golden = families::case::<M>(check, name)?;
            families::check::<M>(check, &golden)
        })?;
        check_export::<M>(device, name, *model_type)?;
    }
    Ok(())
}

/// What is written again has the same tensors, byte for byte.
fn check_export<M: Model>(
    device: &TestDevice,
    name: &str,
    model_type: ModelType,
) -> anyhow::Result<()> {
    let golden = bert_testing::Golden::open(&format!("families/{name}/{}", M::HEAD))?;
    let (model, checkpoint, keys) = families::load::<M>(&golden, &device.autodiff())?;
    let config: EncoderConfig = read_config(&checkpoint)?;
    assert_eq!(config.model_type, model_type);
    assert_written_again(&checkpoint, &model, &keys)
}

fn assert_written_again<M: Module>(
    checkpoint: &Checkpoint,
    model: &M,
    keys: &KeyMap,
) -> anyhow::Result<()> {
    let export = Export {
        config: checkpoint.config().clone(),
        tokenizer_files: &[],
    };
    let dir = tempfile::tempdir()?;
    save(model, keys, &export, dir.path())?;
    let exported = Checkpoint::open(dir.path())?;
    let tensors = checkpoint.tensors().iter();
    let names: Vec<&str> = tensors.map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(exported.tensors().len(), names.len());
    assert_eq!(first_difference(checkpoint, &exported, keys, &names)?, None);
    Ok(())
}
