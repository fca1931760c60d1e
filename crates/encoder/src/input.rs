// B sequences, S positions, T tokens of all sequences

use bert_kernels::has_kernels;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::EncoderError;

/// One batch for the encoder. The variant says what padding there is.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for a batch, and it is moved"
)]
pub enum EncoderInput {
    /// Sequences of any lengths, without padding. On devices that [have kernels](bert_kernels::has_kernels) the arithmetic
    /// sees these tokens alone. For other devices the encoder pads.
    Ragged(RaggedInput),
    /// Rows of one length. Padding takes part in the arithmetic, as in transformers: it has hidden states, and nothing
    /// attends to it.
    Padded(PaddedInput),
}

/// Token ids of sequences, one sequence behind the other, in memory of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RaggedInput {
    input_ids: Vec<i32>,
    token_type_ids: Vec<i32>,
    lengths: Vec<usize>,
}

/// Token ids in rows of one length, on a device.
#[derive(Debug, Clone)]
pub struct PaddedInput {
    /// Token ids `[B, S]`, each below `vocab_size`.
    pub input_ids: Tensor<2, Int>,
    /// Segment of each token `[B, S]`; all zero when `None`. A model without token types does not look at them.
    pub token_type_ids: Option<Tensor<2, Int>>,
    /// One for a real token, zero for padding `[B, S]`; `None` where every token is real.
    pub attention_mask: Option<Tensor<2, Int>>,
}

impl EncoderInput {
    /// A batch of one segment without padding, `[B, S]`.
    pub fn new(input_ids: Tensor<2, Int>) -> Self {
        Self::Padded(PaddedInput {
            input_ids,
            token_type_ids: None,
            attention_mask: None,
        })
    }

    /// B, and the S of the hidden states that come out: the length of the longest sequence.
    pub fn dims(&self) -> [usize; 2] {
        match self {
            Self::Ragged(ragged) => ragged.dims(),
            Self::Padded(padded) => padded.input_ids.dims(),
        }
    }

    /// Whether there is a sequence, a token in each, and a row of the tables for each token. Ids that lie on a GPU are not
    /// looked at: that would wait for it.
    pub(crate) fn check(&self, tables: Tables) -> Result<(), EncoderError> {
        let [batch_size, sequence_length] = self.dims();
        if batch_size == 0 || sequence_length == 0 {
            return Err(EncoderError::EmptyInput {
                batch_size,
                sequence_length,
            });
        }
        if sequence_length > tables.max_length {
            return Err(EncoderError::SequenceTooLong {
                sequence_length,
                max_length: tables.max_length,
            });
        }
        match self {
            Self::Ragged(ragged) => ragged.check(tables),
            Self::Padded(padded) => padded.check(tables),
        }
    }
}

/// What the embeddings have rows for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tables {
    pub(crate) max_length: usize,
    pub(crate) vocab_size: usize,
    /// `None` where token types are not looked at.
    pub(crate) type_vocab_size: Option<usize>,
}

impl Tables {
    fn check_tokens(self, ids: impl Iterator<Item = i64>) -> Result<(), EncoderError> {
        check_ids("input_ids", "vocab_size", ids, self.vocab_size)
    }

    fn check_types(self, ids: impl Iterator<Item = i64>) -> Result<(), EncoderError> {
        match self.type_vocab_size {
            Some(rows) => check_ids("token_type_ids", "type_vocab_size", ids, rows),
            None => Ok(()),
        }
    }
}

fn check_ids(
    name: &'static str,
    key: &'static str,
    mut ids: impl Iterator<Item = i64>,
    rows: usize,
) -> Result<(), EncoderError> {
    let is_in_table = |&id: &i64| usize::try_from(id).is_ok_and(|id| id < rows);
    match ids.find(|id| !is_in_table(id)) {
        Some(id) => Err(EncoderError::IdOutOfRange {
            name,
            id,
            key,
            rows,
        }),
        None => Ok(()),
    }
}

impl From<RaggedInput> for EncoderInput {
    fn from(ragged: RaggedInput) -> Self {
        Self::Ragged(ragged)
    }
}

impl From<PaddedInput> for EncoderInput {
    fn from(padded: PaddedInput) -> Self {
        Self::Padded(padded)
    }
}

impl RaggedInput {
    /// Adds a sequence: a row of the word table and a segment for each token.
    ///
    /// # Errors
    ///
    /// There is not one token type for each token.
    pub fn push(&mut self, input_ids: &[u32], token_type_ids: &[u32]) -> Result<(), EncoderError> {
        if input_ids.len() != token_type_ids.len() {
            return Err(EncoderError::TokenTypeCount {
                sequence: self.lengths.len(),
                input_ids: input_ids.len(),
                token_type_ids: token_type_ids.len(),
            });
        }
        let signed = |id: &u32| id.cast_signed();
        self.input_ids.extend(input_ids.iter().map(signed));
        self.token_type_ids
            .extend(token_type_ids.iter().map(signed));
        self.lengths.push(input_ids.len());
        Ok(())
    }

    /// A batch of sequences, each with its token ids and token types.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn from_sequences<'a>(
        sequences: impl IntoIterator<Item = (&'a [u32], &'a [u32])>,
    ) -> Result<Self, EncoderError> {
        let mut ragged = Self::default();
        for (input_ids, token_type_ids) in sequences {
            ragged.push(input_ids, token_type_ids)?;
        }
        Ok(ragged)
    }

    /// Tokens of each sequence, `[B]`.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The token ids of each sequence.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = &[i32]> {
        self.split(&self.input_ids)
    }

    fn split<'a>(&'a self, mut rest: &'a [i32]) -> impl Iterator<Item = &'a [i32]> {
        self.lengths.iter().map(move |&length| {
            let (sequence, others) = rest.split_at(length);
            rest = others;
            sequence
        })
    }

    /// The segment of each token of each sequence.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &[i32]> {
        self.split(&self.token_type_ids)
    }

    /// Some of the sequences, by their indices.
    pub(crate) fn subset(&self, picked: &[usize]) -> Self {
        let sequences: Vec<&[i32]> = self.sequences().collect();
        let segments: Vec<&[i32]> = self.segments().collect();
        Self {
            input_ids: picked
                .iter()
                .flat_map(|&row| sequences[row])
                .copied()
                .collect(),
            token_type_ids: picked
                .iter()
                .flat_map(|&row| segments[row])
                .copied()
                .collect(),
            lengths: picked.iter().map(|&row| self.lengths[row]).collect(),
        }
    }

    /// Number T of tokens.
    pub fn tokens(&self) -> usize {
        self.input_ids.len()
    }

    /// The same batch with padding behind each sequence, and a mask where there is any.
    pub fn to_padded(&self, pad_token_id: usize, device: &Device) -> PaddedInput {
        let [batch, sequence] = self.dims();
        let fill = |values: &[i32], filler: i32| {
            let mut padded = Vec::with_capacity(batch * sequence);
            let mut rest = values;
            for (row, &length) in self.lengths.iter().enumerate() {
                let (tokens, others) = rest.split_at(length);
                padded.extend_from_slice(tokens);
                padded.resize((row + 1) * sequence, filler);
                rest = others;
            }
            Tensor::from_data(TensorData::new(padded, [batch, sequence]), device)
        };
        let has_padding = self.tokens() < batch * sequence;
        PaddedInput {
            input_ids: fill(&self.input_ids, pad_token_id as i32),
            token_type_ids: self.has_segments().then(|| fill(&self.token_type_ids, 0)),
            attention_mask: has_padding.then(|| fill(&vec![1; self.tokens()], 0)),
        }
    }

    /// The token ids and, if there is more than one segment, the token types, `[T]` each.
    pub(crate) fn to_flat(&self, device: &Device) -> (Tensor<1, Int>, Option<Tensor<1, Int>>) {
        let flat = |values: &[i32]| Tensor::from_data(values, device);
        let token_type_ids = self.has_segments().then(|| flat(&self.token_type_ids));
        (flat(&self.input_ids), token_type_ids)
    }

    fn has_segments(&self) -> bool {
        self.token_type_ids.iter().any(|&id| id != 0)
    }

    pub(crate) fn dims(&self) -> [usize; 2] {
        let longest = self.lengths.iter().copied().max();
        [self.lengths.len(), longest.unwrap_or(0)]
    }

    fn check(&self, tables: Tables) -> Result<(), EncoderError> {
        if let Some(sequence) = self.lengths.iter().position(|&length| length == 0) {
            return Err(EncoderError::EmptySequence { sequence });
        }
        tables.check_tokens(self.input_ids.iter().copied().map(i64::from))?;
        tables.check_types(self.token_type_ids.iter().copied().map(i64::from))
    }
}

impl PaddedInput {
    fn check(&self, tables: Tables) -> Result<(), EncoderError> {
        let expected = self.input_ids.dims();
        let others = [
            ("token_type_ids", &self.token_type_ids),
            ("attention_mask", &self.attention_mask),
        ];
        for (name, tensor) in others {
            match tensor.as_ref().map(|tensor| tensor.dims()) {
                Some(found) if found != expected => {
                    return Err(EncoderError::InputShape {
                        name,
                        found,
                        expected,
                    });
                }
                _ => {}
            }
        }
        if !has_kernels(&self.input_ids.device()) {
            return Ok(());
        }
        tables.check_tokens(self.input_ids.to_data().iter::<i64>())?;
        match &self.token_type_ids {
            Some(types) => tables.check_types(types.to_data().iter::<i64>()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ragged_batch_knows_its_shape() {
        let ragged =
            RaggedInput::from_sequences([(&[5, 6, 7][..], &[0, 0, 1][..]), (&[8], &[0])]).unwrap();
        assert_eq!(ragged.lengths(), [3, 1]);
        assert_eq!(ragged.tokens(), 4);
        assert_eq!(EncoderInput::from(ragged).dims(), [2, 3]);
    }

    #[test]
    fn tokens_without_a_type_and_sequences_without_a_token_are_refused() {
        let wrong = RaggedInput::from_sequences([(&[5][..], &[0][..]), (&[6, 7], &[0])]);
        assert_eq!(
            wrong.unwrap_err(),
            EncoderError::TokenTypeCount {
                sequence: 1,
                input_ids: 2,
                token_type_ids: 1
            }
        );
        let empty = RaggedInput::from_sequences([(&[5][..], &[0][..]), (&[], &[])]).unwrap();
        assert_eq!(
            EncoderInput::from(empty).check(TABLES),
            Err(EncoderError::EmptySequence { sequence: 1 })
        );
    }

    const TABLES: Tables = Tables {
        max_length: 5,
        vocab_size: 7,
        type_vocab_size: Some(1),
    };

    fn checked(input_ids: &[u32], token_type_ids: &[u32], tables: Tables) -> String {
        let ragged = RaggedInput::from_sequences([(input_ids, token_type_ids)]).unwrap();
        match EncoderInput::from(ragged).check(tables) {
            Ok(()) => "accepted".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn ids_beyond_their_table_are_refused_by_name() {
        assert_eq!(checked(&[6, 0], &[0, 0], TABLES), "accepted");
        let refused = checked(&[6, 7], &[0, 0], TABLES);
        assert!(refused.contains("`input_ids` has the id 7") && refused.contains("vocab_size"));
        let refused = checked(&[6, u32::MAX], &[0, 0], TABLES);
        assert!(refused.contains("the id -1"), "{refused}");
        let refused = checked(&[6, 6], &[0, 1], TABLES);
        assert!(
            refused.contains("`token_type_ids` has the id 1"),
            "{refused}"
        );
        let refused = checked(&[1; 6], &[0; 6], TABLES);
        assert!(refused.contains("6 tokens long"), "{refused}");
    }

    #[test]
    fn token_types_do_not_matter_without_a_table() {
        let tables = Tables {
            type_vocab_size: None,
            ..TABLES
        };
        assert_eq!(checked(&[6, 6], &[0, 9], tables), "accepted");
    }
}
