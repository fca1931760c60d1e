//! Dropout, and the memory of GPUs. A device's random numbers and its memory are global, so these tests have a process of their
//! own and take turns.

#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod mask;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod memory;

use std::sync::{Mutex, PoisonError};

use bert_doctor::classifier::{self, Batch, batch_loss, classifier_keys};
use bert_encoder::{EncoderConfig, RaggedInput};
use bert_testing::named::{Named, parameters};
use bert_testing::{
    Golden, TestDevice, Values, assert_equal_bits, on_every_device, where_kernels_are,
};
use bert_text_classification::SequenceClassificationConfig;
use bert_train::{AdamW, Stepper};
use burn::module::Module;
use burn::tensor::Tensor;

static TURN: Mutex<()> = Mutex::new(());

on_every_device!(
    the_seed_decides_what_is_dropped,
    an_evaluated_model_drops_nothing,
);

where_kernels_are!(the_number_of_threads_changes_no_bit_of_a_trained_model);

fn the_seed_decides_what_is_dropped(device: &TestDevice) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let first = losses(device, 0.3, 7)?;
    assert_eq!(losses(device, 0.3, 7)?, first, "the same seed");
    assert_ne!(losses(device, 0.3, 8)?, first, "another seed");
    let without = losses(device, 0.0, 7)?;
    assert_ne!(without, first, "no dropout");
    assert_eq!(losses(device, 0.0, 8)?, without, "no dropout, another seed");
    Ok(())
}

/// The losses of three steps.
fn losses(device: &TestDevice, dropout: f64, seed: u64) -> anyhow::Result<Vec<f64>> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let mut classifier = classifier::load_classifier(&golden.checkpoint()?, dropout, &on)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6.0)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), seed);
    let mut losses = Vec::new();
    for _ in 0..3 {
        let outcome;
        (classifier, outcome) = stepper.step(classifier, &batches, 1e-3, &on, batch_loss)?;
        losses.push(outcome.loss);
    }
    Ok(losses)
}

fn an_evaluated_model_drops_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let golden = Golden::open("single_label")?;
    let logits = |dropout| -> anyhow::Result<Values> {
        let trained =
            classifier::load_classifier(&golden.checkpoint()?, dropout, &device.autodiff())?;
        Ok(Values::of(
            trained
                .valid()
                .forward(golden.input("", device.plain())?.into())?,
        ))
    };
    assert_equal_bits(device, "logits", &logits(0.5)?, &logits(0.0)?);
    Ok(())
}

/// With enough rows of very different lengths, and a wide enough model, for all ways in which work is shared out.
fn the_number_of_threads_changes_no_bit_of_a_trained_model(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let trained = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool?.install(|| trained_for_three_steps(device))
    };
    let one = trained(1)?;
    for threads in [2, 3] {
        for ((name, found), (_, expected)) in trained(threads)?.iter().zip(&one) {
            let name = format!("{name} on {threads} threads");
            assert_equal_bits(device, &name, found, expected);
        }
    }
    Ok(())
}

/// The parameters of a classifier, with dropout.
fn trained_for_three_steps(device: &TestDevice) -> anyhow::Result<Named> {
    let on = device.autodiff();
    let config = SequenceClassificationConfig {
        encoder: EncoderConfig {
            vocab_size: 211,
            hidden_size: 96,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            intermediate_size: 389,
            max_position_embeddings: 130,
            ..EncoderConfig::default()
        },
        num_labels: 3,
    };
    let mut classifier = classifier::randomise(config.init(&on)?, 5);
    let lengths = vec![128, 1, 70, 33, 99];
    let [batch, sequence] = [lengths.len(), 128];
    let ids = (0..batch * sequence).map(|place| (place * 7 % 211) as u32);
    let ids: Vec<u32> = ids.collect();
    let types = [0; 128];
    let rows = ids.chunks(sequence).zip(&lengths);
    let sequences = rows.map(|(row, &length)| (&row[..length], &types[..length]));
    let input = RaggedInput::from_sequences(sequences)?.into();
    let labels = Tensor::from_data([0, 1, 2, 1, 0], &on);
    let batches = [(Batch { input, labels }, batch as f64)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 7);
    for _ in 0..3 {
        (classifier, _) = stepper.step(classifier, &batches, 1e-3, &on, batch_loss)?;
    }
    Ok(parameters(&classifier, &classifier_keys()?)?)
}
