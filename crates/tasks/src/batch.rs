use bert_encoder::{EncoderInput, RaggedInput};
use bert_text::Encoding;

use crate::TaskError;

/// Encodings one behind the other, and the number of their tokens.
pub(crate) fn input(encodings: &[&Encoding]) -> Result<(EncoderInput, usize), TaskError> {
    let sequences = encodings
        .iter()
        .map(|encoding| (&encoding.input_ids[..], &encoding.token_type_ids[..]));
    let ragged = RaggedInput::from_sequences(sequences)?;
    let tokens = ragged.tokens();
    Ok((ragged.into(), tokens))
}
