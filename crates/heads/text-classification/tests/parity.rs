//! Logits, losses and the gradient of every parameter of `BertForSequenceClassification` against transformers.

use bert_encoder::{EncoderConfig, ModelType};
use bert_testing::head::check_loss_and_gradients;
use bert_testing::model::num_labels;
use bert_testing::named::model_keys;
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number, assert_equal_bits,
    with_and_without_kernels,
};
use bert_text_classification::{
    Labels, ModelForSequenceClassification, ProblemType, SequenceClassificationConfig, head_keys,
    loss,
};
use bert_weights::{Checkpoint, LoadOptions, load, read_config};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

with_and_without_kernels!(
    single_label,
    natural_language_inference,
    multi_label,
    regression,
    regression_of_several_values,
    ignored_labels_take_no_part_in_the_loss,
);

fn load_classifier(
    checkpoint: &Checkpoint,
    device: &Device,
) -> anyhow::Result<ModelForSequenceClassification> {
    let encoder: EncoderConfig = read_config(checkpoint)?;
    let config = SequenceClassificationConfig {
        encoder,
        num_labels: num_labels(checkpoint),
    };
    let options = LoadOptions::default();
    let model = config.init(device)?;
    Ok(load(
        model,
        checkpoint,
        &model_keys(&head_keys(ModelType::Bert)?)?,
        &options,
    )?
    .0)
}

/// The problem type that a checkpoint's configuration states, or that transformers concludes where it states none.
fn stated_problem_type(checkpoint: &Checkpoint) -> anyhow::Result<ProblemType> {
    #[derive(Deserialize)]
    struct Stated {
        problem_type: Option<ProblemType>,
    }
    let stated: Stated = read_config(checkpoint)?;
    Ok(stated.problem_type.unwrap_or(match num_labels(checkpoint) {
        1 => ProblemType::Regression,
        _ => ProblemType::SingleLabelClassification,
    }))
}

fn single_label(device: &TestDevice) -> anyhow::Result<()> {
    check_case(
        device,
        "single_label",
        ProblemType::SingleLabelClassification,
    )
}

fn natural_language_inference(device: &TestDevice) -> anyhow::Result<()> {
    check_case(device, "nli", ProblemType::SingleLabelClassification)
}

fn multi_label(device: &TestDevice) -> anyhow::Result<()> {
    check_case(device, "multi_label", ProblemType::MultiLabelClassification)
}

fn regression(device: &TestDevice) -> anyhow::Result<()> {
    check_case(device, "regression", ProblemType::Regression)
}

fn regression_of_several_values(device: &TestDevice) -> anyhow::Result<()> {
    check_case(device, "regression_multi", ProblemType::Regression)
}

fn check_case(device: &TestDevice, case: &str, problem_type: ProblemType) -> anyhow::Result<()> {
    let golden = Golden::open(case)?;
    let checkpoint = golden.checkpoint()?;
    assert_eq!(stated_problem_type(&checkpoint)?, problem_type);
    let on = device.autodiff();
    let classifier = load_classifier(&checkpoint, &on)?;

    let logits = classifier.forward(golden.input("", &on)?.into())?;
    let found = Values::of(logits.clone());
    assert_close(
        device,
        Quantity::Output,
        case,
        &found,
        &golden.floats("logits")?,
    );

    let hidden = classifier
        .encoder
        .forward(golden.input("", &on)?.into())?
        .last_hidden_state;
    let shared = Values::of(classifier.forward_hidden(hidden, &[]));
    assert_equal_bits(device, "on a shared encoder", &shared, &found);

    let loss = loss(logits, labels(&golden, problem_type, &on)?);
    let keys = model_keys(&head_keys(ModelType::Bert)?)?;
    let found = check_loss_and_gradients(device, &golden, &classifier, loss, &keys)?;
    let words = &found["bert.embeddings.word_embeddings.weight"];
    assert_eq!(
        words.rows(&[0]).largest(),
        0.0,
        "the padding row has a gradient"
    );
    Ok(())
}

fn labels(golden: &Golden, problem_type: ProblemType, device: &Device) -> anyhow::Result<Labels> {
    if problem_type == ProblemType::SingleLabelClassification {
        return Ok(Labels::Classes(golden.ints("labels", device)?));
    }
    let Values { shape, values } = golden.floats("labels")?;
    let columns = shape.get(1).copied().unwrap_or(1);
    let targets = Tensor::from_data(TensorData::new(values, [shape[0], columns]), device);
    Ok(match problem_type {
        ProblemType::MultiLabelClassification => Labels::MultiHot(targets),
        _ => Labels::Values(targets),
    })
}

fn ignored_labels_take_no_part_in_the_loss(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open("single_label")?;
    let on = device.plain();
    let classifier = load_classifier(&golden.checkpoint()?, on)?;
    let logits = classifier.forward(golden.input("", on)?.into())?;
    let labels = Labels::Classes(golden.ints("labels_with_ignored", on)?);
    let found = loss(logits, labels).into_scalar::<f32>().into();
    let expected = golden.number("/loss_with_ignored")?;
    assert_close_number(
        device,
        Quantity::Loss,
        "two of six labels ignored",
        found,
        expected,
    );
    Ok(())
}
