use bert_encoder::EncoderInput;
use bert_text::{Encoding, PaddedBatch};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Pads encodings to the longest of them and moves them to a device.
pub(crate) fn input(
    encodings: &[&Encoding],
    pad_token_id: u32,
    device: &Device,
) -> (EncoderInput, usize) {
    let padded = PaddedBatch::new(encodings, pad_token_id, None);
    let shape = [padded.batch_size, padded.sequence_length];
    let has_second_segment = padded.token_type_ids.iter().any(|&id| id != 0);
    let tensor =
        |values: Vec<i32>| Tensor::<2, Int>::from_data(TensorData::new(values, shape), device);
    let input = EncoderInput {
        input_ids: tensor(padded.input_ids),
        token_type_ids: has_second_segment.then(|| tensor(padded.token_type_ids)),
        attention_mask: None,
        lengths: Some(padded.lengths),
    };
    (input, padded.real_tokens)
}
