//! A document in windows: its logits are the mean or the maximum of its windows', its loss is one, its gradients are those of
//! windows computed one by one.

use std::path::Path;

use bert_doctor::classifier;
use bert_tasks::text_classification::{ClassifierOptions, Split, TextClassifier};
use bert_tasks::{DropoutOverride, HeadOrigin, LongText, Position, RunOptions, Task, WindowPool};
use bert_testing::{Quantity, TestDevice, Values, assert_close, on_every_device};
use bert_tests::reviews::{reviews, write_checkpoint};
use bert_text::{Dataset, Encoding, Example};
use bert_text_classification::{Labels, ModelForSequenceClassification, ProblemType, loss};
use burn::tensor::{Int, Tensor};

on_every_device!(
    a_document_is_what_its_windows_are_together,
    evaluation_and_prediction_pool_as_training_does,
    a_trained_model_reads_long_texts_as_it_was_trained,
);

const POOLS: [WindowPool; 2] = [WindowPool::Mean, WindowPool::Max];

/// Some texts of one window and some of several, of both labels.
fn documents() -> Dataset {
    let mut data = reviews();
    data.examples.truncate(10);
    let texts: Vec<String> = data.examples.iter().map(|one| one.text.clone()).collect();
    for (index, example) in data.examples.iter_mut().enumerate() {
        let parts = texts.iter().cycle().skip(index).take(1 + index % 4);
        *example = Example {
            text: parts.cloned().collect::<Vec<_>>().join(" "),
            ..example.clone()
        };
    }
    data
}

fn classifier(
    dir: &Path,
    data: &Dataset,
    pool: WindowPool,
    device: &TestDevice,
) -> anyhow::Result<(TextClassifier, ModelForSequenceClassification, Split)> {
    write_checkpoint(dir, device.plain())?;
    let (mut classifier, _) = TextClassifier::for_training(
        dir,
        data,
        ProblemType::SingleLabelClassification,
        8,
        DropoutOverride::both(Some(0.0)),
    )?;
    classifier.long_text = LongText::Windows {
        stride: Some(2),
        pool,
    };
    let (mut model, _) = classifier.load(HeadOrigin::New, &device.autodiff())?;
    model.classifier = classifier::randomise(model.classifier, 2);
    let split = classifier.encode(data)?;
    Ok((classifier, model, split))
}

/// The logits `[1, C]` of one window.
fn of_window(
    model: &ModelForSequenceClassification,
    window: &Encoding,
) -> anyhow::Result<Tensor<2>> {
    let sequence = (&window.input_ids[..], &window.token_type_ids[..]);
    let input = bert_encoder::RaggedInput::from_sequences([sequence])?;
    Ok(model.forward(input.into())?)
}

/// The logits `[1, C]` of one document, its windows computed one by one.
fn of_document(
    model: &ModelForSequenceClassification,
    windows: &[Encoding],
    pool: WindowPool,
) -> anyhow::Result<Tensor<2>> {
    let logits = windows.iter().map(|window| of_window(model, window));
    let logits = Tensor::cat(logits.collect::<anyhow::Result<Vec<_>>>()?, 0);
    Ok(match pool {
        WindowPool::Mean => logits.mean_dim(0),
        WindowPool::Max => logits.max_dim(0),
    })
}

fn a_document_is_what_its_windows_are_together(device: &TestDevice) -> anyhow::Result<()> {
    let data = documents();
    for pool in POOLS {
        let dir = tempfile::tempdir()?;
        let (classifier, model, split) = classifier(dir.path(), &data, pool, device)?;
        assert!(split.documents.in_windows() > 2, "{:?}", split.documents);
        let all: Vec<usize> = (0..split.len()).collect();
        let has_several = |row: &usize| split.documents.of(*row).len() > 1;
        let of_several = all.iter().copied().filter(has_several).take(3).collect();
        for rows in [all, of_several] {
            check_batch(device, (&classifier, &model, &split), &rows, pool)?;
        }
    }
    Ok(())
}

/// Loss and gradient of a batch against those of windows computed one by one.
fn check_batch(
    device: &TestDevice,
    (classifier, model, split): (&TextClassifier, &ModelForSequenceClassification, &Split),
    rows: &[usize],
    pool: WindowPool,
) -> anyhow::Result<()> {
    let on = device.autodiff();
    let position = Position { seed: 1, epoch: 0 };
    let found = classifier.loss(model, split, rows, position, &on)?;
    let lengths = split.documents.lengths();
    let tokens: usize = rows.iter().map(|&row| lengths[row]).sum();
    assert_eq!(found.tokens, tokens);

    let logits = rows
        .iter()
        .map(|&row| of_document(model, split.documents.of(row), pool));
    let logits = Tensor::cat(logits.collect::<anyhow::Result<Vec<_>>>()?, 0);
    let all = classifier.classes(split).expect("one class a row");
    let classes: Vec<i32> = rows.iter().map(|&row| all[row] as i32).collect();
    let classes = Tensor::<1, Int>::from_data(classes.as_slice(), &on);
    let expected = loss(logits, Labels::Classes(classes));
    let name = format!("{pool:?}, {} documents", rows.len());
    assert_close(
        device,
        Quantity::Loss,
        &name,
        &Values::of(found.loss.clone()),
        &Values::of(expected.clone()),
    );
    let gradient = |loss: Tensor<1>| {
        let weight = model.classifier.weight.val();
        let gradients = loss.backward();
        Values::of(weight.grad(&gradients).expect("a gradient"))
    };
    let (found, expected) = (gradient(found.loss), gradient(expected));
    assert_close(device, Quantity::Gradient, &name, &found, &expected);
    Ok(())
}

fn evaluation_and_prediction_pool_as_training_does(device: &TestDevice) -> anyhow::Result<()> {
    let data = documents();
    for pool in POOLS {
        let dir = tempfile::tempdir()?;
        let (classifier, model, split) = classifier(dir.path(), &data, pool, device)?;
        let model = burn::module::Module::valid(&model);
        let mut progress = |_| {};
        let scored = classifier.evaluate(
            &model,
            &split,
            RunOptions::new(device.plain(), &mut progress),
        )?;
        let predicted = classifier.predict(
            &model,
            &data.texts(),
            RunOptions::new(device.plain(), &mut progress),
        )?;
        for (row, (scored, predicted)) in scored.predictions.iter().zip(&predicted).enumerate() {
            assert_eq!(scored.logits, predicted.logits, "row {row}");
            assert_eq!(predicted.windows, split.documents.of(row).len());
            let expected = of_document(&model, split.documents.of(row), pool)?;
            let found = Tensor::<1>::from_data(predicted.logits.as_slice(), device.plain());
            assert_close(
                device,
                Quantity::Output,
                &format!("{pool:?}, row {row}"),
                &Values::of(found),
                &Values::of(expected.reshape([-1])),
            );
        }
    }
    Ok(())
}

fn a_trained_model_reads_long_texts_as_it_was_trained(device: &TestDevice) -> anyhow::Result<()> {
    let data = documents();
    let dir = tempfile::tempdir()?;
    let (classifier, model, _) = classifier(dir.path(), &data, WindowPool::Max, device)?;
    let saved = tempfile::tempdir()?;
    classifier.save(&burn::module::Module::valid(&model), saved.path())?;

    let opened = TextClassifier::open(saved.path(), None)?;
    assert_eq!(opened.long_text, classifier.long_text);
    assert_eq!(opened.pretrained.max_length, 8);
    let longer = TextClassifier::open(saved.path(), Some(12))?;
    assert_eq!(longer.pretrained.max_length, 12);
    let cut = ClassifierOptions {
        long_text: Some(LongText::Truncate),
        ..ClassifierOptions::default()
    };
    let cut = TextClassifier::open_with(saved.path(), cut)?;
    assert_eq!(cut.long_text, LongText::Truncate);
    assert!(cut.pretrained.max_length > 8);
    // A model that cuts says nothing.
    let plain = tempfile::tempdir()?;
    let (network, _) = cut.load(HeadOrigin::Checkpoint, device.plain())?;
    cut.save(&network, plain.path())?;
    let config = std::fs::read_to_string(plain.path().join("config.json"))?;
    assert!(!config.contains("long_text"), "{config}");
    Ok(())
}
