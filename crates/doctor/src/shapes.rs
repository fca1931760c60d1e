//! Padding, single rows, and the shortest and the longest sequences.

use bert_device::{Backend, DeviceSpec};
use bert_encoder::{EncoderConfig, EncoderInput, PaddedInput};
use bert_kernels::without_kernels;
use bert_parity::model::{PooledEncoder, load_encoder};
use bert_parity::named::{Named, gradients, has_vanishing_gradient};
use bert_parity::{Comparisons, ParityError, Quantity, Values};
use bert_text_classification::{ModelForSequenceClassification, SequenceClassificationConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::classifier::{Batch, batch_loss, classifier_keys, randomise};
use crate::{Check, DoctorError};

/// A golden encoder whose masks have holes.
const MASKED_CASE: &str = "gelu";
/// Rows and tokens of each row.
pub const SHAPES: [[usize; 2]; 4] = [[1, 1], [3, 1], [1, 17], [2, 512]];
const VOCABULARY: usize = 41;
const LABELS: usize = 3;

/// A statement of `bert_parity::invariance`.
pub type Invariance = fn(&mut Comparisons, &PooledEncoder, &PaddedInput) -> Result<(), ParityError>;

/// Holds the hidden states of a golden encoder against those of the same tokens in another batch.
///
/// # Errors
/// A golden file is missing, or the device fails.
pub fn invariant(check: &mut Check, invariance: Invariance) -> Result<(), DoctorError> {
    let golden = check.golden(MASKED_CASE)?;
    let (encoder, _) = load_encoder(&golden.checkpoint()?, &check.plain)?;
    let input = golden.input("", &check.plain)?;
    Ok(invariance(&mut check.comparisons, &encoder, &input)?)
}

/// Logits, loss and gradients of a batch of this shape, held against the composed bodies on flex.
///
/// # Errors
/// This build has no flex, or a device fails.
pub fn of_shape(check: &mut Check, shape: [usize; 2]) -> Result<(), DoctorError> {
    let reference = DeviceSpec::new(Backend::Flex).open()?.autodiff();
    let (logits, loss, expected) = without_kernels(|| compute(shape, &reference))?;
    let (found_logits, found_loss, found) = compute(shape, &check.on)?;
    let [rows, tokens] = shape;
    let name = format!("{rows} x {tokens}");
    let comparisons = &mut check.comparisons;
    comparisons.values(Quantity::Output, &name, &found_logits, &logits);
    comparisons.number(Quantity::Loss, &name, found_loss, loss);
    let are_those = found.keys().eq(expected.keys());
    comparisons.holds(&name, are_those, "every parameter has a gradient");
    // Those that are nothing but rounding are rounded differently on every device.
    for (parameter, expected) in expected
        .iter()
        .filter(|(parameter, _)| !has_vanishing_gradient(parameter))
    {
        if let Some(found) = found.get(parameter) {
            let found = comparisons.gradient(parameter, found.clone());
            let name = format!("{name} {parameter}");
            comparisons.values(Quantity::Gradient, &name, &found, expected);
        }
    }
    Ok(())
}

type Computed = (Values, f64, Named);

fn compute(shape: [usize; 2], on: &Device) -> Result<Computed, DoctorError> {
    let model = randomise(tiny(on)?, 3);
    let batch = batch(shape, on);
    let logits = Values::of(model.forward(batch.input.clone())?);
    let loss = batch_loss(&model, &batch)?.loss;
    let figure = loss.clone().into_scalar::<f32>().into();
    let of_loss = GradientsParams::from_grads(loss.backward(), &model);
    Ok((
        logits,
        figure,
        gradients(&model, &of_loss, &classifier_keys()?)?,
    ))
}

/// A tiny BERT with as many positions as the published ones.
fn tiny(on: &Device) -> Result<ModelForSequenceClassification, DoctorError> {
    let encoder = EncoderConfig {
        vocab_size: VOCABULARY,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 48,
        max_position_embeddings: 512,
        ..EncoderConfig::default()
    };
    let config = SequenceClassificationConfig {
        encoder: encoder.with_dropout(0.0),
        num_labels: LABELS,
    };
    Ok(config.init(on)?)
}

/// Real tokens without a pattern.
fn batch([rows, tokens]: [usize; 2], on: &Device) -> Batch {
    let integer = |index: usize, below: usize| ((index * 7919) % below) as i64;
    let ids = (0..rows * tokens).map(|index| 1 + integer(index, VOCABULARY - 1));
    let ids = TensorData::new(ids.collect::<Vec<i64>>(), [rows, tokens]);
    let labels = (0..rows).map(|row| integer(row, LABELS));
    let labels = TensorData::new(labels.collect::<Vec<i64>>(), [rows]);
    Batch {
        input: EncoderInput::new(Tensor::<2, Int>::from_data(ids, on)),
        labels: Tensor::from_data(labels, on),
    }
}
