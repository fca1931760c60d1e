//! Models from golden checkpoints.

use bert_encoder::{Encoder, EncoderConfig};
use bert_weights::checkpoint::{Checkpoint, LoadOptions, LoadReport, load, read_config};
use burn::tensor::Device;

use crate::named::encoder_keys;

/// Loads an encoder with its pooler.
///
/// # Errors
/// The checkpoint is none of an encoder alone.
pub fn load_encoder(
    checkpoint: &Checkpoint,
    device: &Device,
) -> anyhow::Result<(Encoder, LoadReport)> {
    let config: EncoderConfig = read_config(checkpoint)?;
    let options = LoadOptions::default();
    Ok(load(
        config.init(device)?,
        checkpoint,
        &encoder_keys()?,
        &options,
    )?)
}

/// The rows of the classifier's matrix; 0 where there is none.
pub fn num_labels(checkpoint: &Checkpoint) -> usize {
    let tensors = checkpoint.tensors().iter();
    let mut heads = tensors.filter(|tensor| tensor.name == "classifier.weight");
    heads.next().map_or(0, |head| head.shape[0])
}
