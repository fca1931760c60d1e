//! The same short training run on texts has the same losses on every backend as on flex.

use std::fs;
use std::path::Path;

use bert_device::Backend;
use bert_encoder::EncoderConfig;
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::{DropoutOverride, HeadOrigin};
use bert_testing::model::PooledEncoder;
use bert_testing::named::pooled_keys;
use bert_testing::{Quantity, TestDevice, assert_close_number, golden, on_every_device};
use bert_tests::model;
use bert_text::{Dataset, Example, Label};
use bert_text_classification::ProblemType;
use bert_train::{Observer, StepReport, TrainError, TrainOptions, TrainingData, train};
use bert_weights::{Export, save};
use burn::tensor::Device;
use serde_json::Value;

on_every_device!(twenty_steps_have_the_losses_they_have_on_flex);

const STEPS: usize = 20;

fn twenty_steps_have_the_losses_they_have_on_flex(device: &TestDevice) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    write_checkpoint(dir.path(), device.plain())?;
    let expected = losses(dir.path(), &TestDevice::open(Backend::Flex)?)?;
    let found = losses(dir.path(), device)?;
    assert_eq!((found.len(), expected.len()), (STEPS, STEPS));
    for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let name = format!("step {step}");
        assert_close_number(device, Quantity::BackendLoss, &name, *found, *expected);
    }
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    assert!(
        mean(&expected[STEPS - 4..]) < 0.8 * mean(&expected[..4]),
        "nothing was learnt: {expected:?}"
    );
    Ok(())
}

/// A tiny random classifier of two labels.
fn write_checkpoint(dir: &Path, device: &Device) -> anyhow::Result<()> {
    let vocabulary = golden::folder().join("tokenization/vocab.txt");
    let config = EncoderConfig {
        vocab_size: fs::read_to_string(&vocabulary)?.lines().count(),
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 48,
        max_position_embeddings: 24,
        ..EncoderConfig::default()
    }
    .with_dropout(0.0);
    fs::copy(vocabulary, dir.join("vocab.txt"))?;
    let Value::Object(json) = serde_json::to_value(&config)? else {
        anyhow::bail!("a configuration is an object");
    };
    let encoder = model::randomise(PooledEncoder::new(&config, device)?, 1);
    let export = Export {
        config: json,
        tokenizer_files: &[],
    };
    Ok(save(&encoder, &pooled_keys()?, &export, dir)?)
}

/// The loss of every step.
fn losses(dir: &Path, device: &TestDevice) -> anyhow::Result<Vec<f64>> {
    let data = reviews();
    let problem_type = ProblemType::SingleLabelClassification;
    let dropout = DropoutOverride::default();
    let (classifier, _) = TextClassifier::for_training(dir, &data, problem_type, 16, dropout)?;
    let on = device.autodiff();
    let (mut model, _) = classifier.load(HeadOrigin::New, &on)?;
    model.classifier = model::randomise(model.classifier, 2);
    let split = classifier.encode(&data)?;
    let data = TrainingData {
        train: &split,
        eval: None,
    };
    let options = TrainOptions {
        epochs: STEPS as f64,
        max_steps: Some(STEPS),
        batch_size: 6,
        accumulation_steps: 2,
        learning_rate: 2e-3,
        ..TrainOptions::default()
    };
    let mut losses = Losses(Vec::new());
    train(&classifier, model, data, &options, &on, None, &mut losses)?;
    Ok(losses.0)
}

struct Losses(Vec<f64>);

impl Observer for Losses {
    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        self.0.push(report.loss);
        Ok(())
    }
}

/// Sentences of several lengths about films, half of them kind.
fn reviews() -> Dataset {
    let subjects = [
        "the movie",
        "the film is good and the movie",
        "New York",
        "the cafe and the film",
    ];
    let verdicts = [
        ("is good", "kind"),
        ("is great!", "kind"),
        ("is not bad", "kind"),
        ("is bad", "unkind"),
        ("is not good, and not great.", "unkind"),
        ("is unaffable", "unkind"),
    ];
    let examples = subjects.iter().flat_map(|subject| {
        verdicts.iter().map(move |(verdict, label)| Example {
            text: format!("{subject} {verdict}"),
            text_pair: None,
            label: Some(Label::Name((*label).to_owned())),
            file: Path::new("reviews").into(),
            line: 1,
        })
    });
    Dataset::new("reviews".into(), examples.collect())
}
