//! A saved model is the model.

use std::path::Path;

use bert_doctor::classifier::{self, Batch, batch_loss, classifier_keys};
use bert_testing::named::parameters;
use bert_testing::{Golden, TestDevice, Values, assert_equal_bits, on_every_device};
use bert_text_classification::ModelForSequenceClassification;
use bert_train::{AdamW, Stepper};
use bert_weights::{Checkpoint, Export, save};
use burn::module::Module;

on_every_device!(
    a_trained_model_that_is_saved_and_opened_is_bit_equal,
    an_export_of_an_import_has_the_same_bytes,
);

fn a_trained_model_that_is_saved_and_opened_is_bit_equal(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let classifier = classifier::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6.0)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0);
    let (classifier, _) = stepper.step(classifier, &batches, 1e-2, &on, batch_loss)?;
    let trained = classifier.valid();

    let dir = tempfile::tempdir()?;
    export(&trained, &golden.checkpoint()?, dir.path())?;
    let opened = classifier::load_classifier(&Checkpoint::open(dir.path())?, 0.0, device.plain())?;

    let keys = classifier_keys()?;
    let found = parameters(&opened, &keys)?;
    for (name, expected) in parameters(&trained, &keys)? {
        assert_equal_bits(device, &name, &found[&name], &expected);
    }
    let logits = |model: &ModelForSequenceClassification| -> anyhow::Result<Values> {
        Ok(Values::of(
            model.forward(golden.input("", device.plain())?.into())?,
        ))
    };
    assert_equal_bits(device, "logits", &logits(&opened)?, &logits(&trained)?);
    Ok(())
}

fn an_export_of_an_import_has_the_same_bytes(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("single_label")?;
    let checkpoint = golden.checkpoint()?;
    let imported = classifier::load_classifier(&checkpoint, 0.0, device.plain())?;
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    export(&imported, &checkpoint, first.path())?;

    let checkpoint = Checkpoint::open(first.path())?;
    let imported = classifier::load_classifier(&checkpoint, 0.0, device.plain())?;
    export(&imported, &checkpoint, second.path())?;

    for name in ["model.safetensors", "config.json"] {
        let read = |dir: &Path| std::fs::read(dir.join(name));
        assert!(
            read(first.path())? == read(second.path())?,
            "{name} differs"
        );
    }
    assert_eq!(tensors(first.path())?, tensors(golden.path())?);
    Ok(())
}

fn export(
    classifier: &ModelForSequenceClassification,
    checkpoint: &Checkpoint,
    dir: &Path,
) -> anyhow::Result<()> {
    let export = Export {
        config: checkpoint.config().clone(),
        tokenizer_files: &[],
    };
    Ok(save(classifier, &classifier_keys()?, &export, dir)?)
}

/// Name, shape and bytes of every tensor, and the metadata.
type Tensors = (Vec<(String, Vec<usize>, Vec<u8>)>, Option<String>);

fn tensors(dir: &Path) -> anyhow::Result<Tensors> {
    let bytes = std::fs::read(dir.join("model.safetensors"))?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes)?;
    let format = metadata
        .metadata()
        .as_ref()
        .and_then(|all| all.get("format").cloned());
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    let mut tensors: Vec<_> = file
        .iter()
        .map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    tensors.sort();
    Ok((tensors, format))
}
