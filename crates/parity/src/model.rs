//! Encoders from golden checkpoints, and what goes into them.

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderOutput, PaddedInput, Pooler};
use bert_encoder::{EncoderInput, RaggedInput, Want};
use bert_weights::{Checkpoint, LoadOptions, LoadReport, load, read_config};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use crate::ParityError;
use crate::named::pooled_keys;

/// `BertModel` of transformers: an encoder with its pooler.
#[derive(Module, Debug)]
pub struct PooledEncoder {
    /// The encoder.
    pub encoder: Encoder,
    /// Of the first token.
    pub pooler: Pooler,
}

impl PooledEncoder {
    /// Fresh weights.
    ///
    /// # Errors
    /// The configuration does not validate.
    pub fn new(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        Ok(Self {
            encoder: config.init(device)?,
            pooler: Pooler::new(config, device),
        })
    }

    /// The encoder's output and the pooled output `[B, H]`.
    ///
    /// # Errors
    /// The input does not fit the encoder.
    pub fn forward(
        &self,
        input: impl Into<EncoderInput>,
        want: Want,
    ) -> Result<(EncoderOutput, Tensor<2>), EncoderError> {
        let output = self.encoder.forward_with(input.into(), want)?;
        let pooled = self.pooler.forward_hidden(output.last_hidden_state.clone());
        Ok((output, pooled))
    }
}

/// Loads an encoder with its pooler.
///
/// # Errors
/// The checkpoint is none of an encoder alone.
pub fn load_encoder(
    checkpoint: &Checkpoint,
    device: &Device,
) -> Result<(PooledEncoder, LoadReport), ParityError> {
    let config: EncoderConfig = read_config(checkpoint)?;
    let options = LoadOptions::default();
    Ok(load(
        PooledEncoder::new(&config, device)?,
        checkpoint,
        &pooled_keys()?,
        &options,
    )?)
}

/// The first `lengths` tokens of each row, without a mask.
pub fn ragged(input: &PaddedInput, lengths: &[usize]) -> RaggedInput {
    let rows = |ids: &Tensor<2, Int>| -> Vec<Vec<u32>> {
        let [_, sequence] = ids.dims();
        let flat: Vec<u32> = ids.to_data().iter::<i64>().map(|id| id as u32).collect();
        flat.chunks(sequence).map(<[u32]>::to_vec).collect()
    };
    let input_ids = rows(&input.input_ids);
    let types = input.token_type_ids.as_ref();
    let token_type_ids = rows(
        &types
            .cloned()
            .unwrap_or_else(|| input.input_ids.zeros_like()),
    );
    let sequences = input_ids.iter().zip(&token_type_ids).zip(lengths);
    let sequences = sequences.map(|((ids, types), &length)| (&ids[..length], &types[..length]));
    RaggedInput::from_sequences(sequences).expect("there is a type for each token")
}

/// The rows of the classifier's matrix; 0 where there is none.
pub fn num_labels(checkpoint: &Checkpoint) -> usize {
    let tensors = checkpoint.tensors().iter();
    let mut heads = tensors.filter(|tensor| tensor.name == "classifier.weight");
    heads.next().map_or(0, |head| head.shape[0])
}
