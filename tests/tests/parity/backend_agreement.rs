//! The same short training run on texts has the same losses on every backend as on flex.

use std::path::Path;

use bert_device::Backend;
use bert_doctor::classifier;
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::{DropoutOverride, HeadOrigin};
use bert_testing::{Quantity, TestDevice, assert_close_number, on_every_device};
use bert_tests::reviews::{reviews, write_checkpoint};
use bert_text_classification::ProblemType;
use bert_train::{Observer, StepReport, TrainError, TrainOptions, TrainingData, train};

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

/// The loss of every step.
fn losses(dir: &Path, device: &TestDevice) -> anyhow::Result<Vec<f64>> {
    let data = reviews();
    let problem_type = ProblemType::SingleLabelClassification;
    let dropout = DropoutOverride::default();
    let (classifier, _) = TextClassifier::for_training(dir, &data, problem_type, 16, dropout)?;
    let on = device.autodiff();
    let (mut model, _) = classifier.load(HeadOrigin::New, &on)?;
    model.classifier = classifier::randomise(model.classifier, 2);
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
