//! Files in SentencePiece's format: a protocol buffer, of which a few fields count.

use tokenizers::normalizers::Precompiled;
use tokenizers::{AddedToken, NormalizerWrapper, Result};

use super::charsmap;
use super::unigram::Piece;

/// Field numbers of `ModelProto`.
const PIECES: u64 = 1;
const TRAINER_SPEC: u64 = 2;
const NORMALIZER_SPEC: u64 = 3;
/// Field numbers of `SentencePiece`.
const PIECE_TEXT: u64 = 1;
const PIECE_SCORE: u64 = 2;
const PIECE_TYPE: u64 = 3;
/// The field number of `unk_id` in `TrainerSpec`.
const UNK_ID: u64 = 40;
/// The field number of `precompiled_charsmap` in `NormalizerSpec`.
const CHARSMAP: u64 = 2;
/// The types of pieces that a text spells out whole.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// What such a file says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SentencePieceModel {
    pieces: Vec<ScoredPiece>,
    pub(super) unk_id: usize,
    charsmap: Vec<u8>,
}

#[derive(Debug, PartialEq)]
struct ScoredPiece {
    text: String,
    score: f32,
    kind: u64,
}

impl SentencePieceModel {
    /// Reads a file's bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let mut model = Self::default();
        for field in Fields(bytes) {
            match field? {
                (PIECES, Value::Bytes(piece)) => model.pieces.push(ScoredPiece::parse(piece)?),
                (TRAINER_SPEC, Value::Bytes(spec)) => {
                    for field in Fields(spec) {
                        if let (UNK_ID, Value::Number(id)) = field? {
                            model.unk_id = usize::try_from(id).unwrap_or(usize::MAX);
                        }
                    }
                }
                (NORMALIZER_SPEC, Value::Bytes(spec)) => {
                    for field in Fields(spec) {
                        if let (CHARSMAP, Value::Bytes(charsmap)) = field? {
                            model.charsmap = charsmap.to_vec();
                        }
                    }
                }
                _ => {}
            }
        }
        if model.pieces.is_empty() {
            return Err("a SentencePiece model without pieces".into());
        }
        Ok(model)
    }

    /// Tokens that stay whole; control tokens are special.
    pub(super) fn control_tokens(&self) -> Vec<AddedToken> {
        let whole = self
            .pieces
            .iter()
            .filter(|piece| matches!(piece.kind, CONTROL | USER_DEFINED));
        whole
            .map(|piece| {
                AddedToken::from(piece.text.clone(), piece.kind == CONTROL).normalized(false)
            })
            .collect()
    }

    /// The table of characters that a text goes through first.
    pub(super) fn charsmap(&self) -> Result<Option<NormalizerWrapper>> {
        if self.charsmap.is_empty() {
            return Ok(None);
        }
        charsmap::check(&self.charsmap)?;
        Ok(Some(Precompiled::from(&self.charsmap)?.into()))
    }

    /// The tokens with their scores.
    pub(super) fn into_scores(self) -> Vec<Piece> {
        let pieces = self.pieces.into_iter();
        pieces
            .map(|piece| (piece.text, f64::from(piece.score)))
            .collect()
    }
}

impl ScoredPiece {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut piece = Self {
            text: String::new(),
            score: 0.0,
            kind: 1,
        };
        for field in Fields(bytes) {
            match field? {
                (PIECE_TEXT, Value::Bytes(text)) => piece.text = str::from_utf8(text)?.to_owned(),
                (PIECE_SCORE, Value::Single(score)) => piece.score = score,
                (PIECE_TYPE, Value::Number(kind)) => piece.kind = kind,
                _ => {}
            }
        }
        Ok(piece)
    }
}

/// A value of a protocol buffer.
enum Value<'a> {
    Number(u64),
    Single(f32),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of a message, each with its number.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "not a SentencePiece model, or one that is cut short".into()))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => {
                self.take(8)?;
                Value::Other
            }
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                let bytes = self.take(4)?.try_into().ok()?;
                Value::Single(f32::from_le_bytes(bytes))
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("a short message");
        [&[number << 3 | 2, length], bytes].concat()
    }

    #[test]
    fn pieces_have_texts_scores_and_kinds() {
        let score = [&[2 << 3 | 5][..], &(-1.5_f32).to_le_bytes()].concat();
        let piece = [field(1, b"ab"), score].concat();
        let control = [field(1, b"<s>"), vec![3 << 3, 3]].concat();
        let trainer = [&[0xc0, 0x02][..], &[2]].concat();
        let bytes = [field(1, &piece), field(1, &control), field(2, &trainer)].concat();
        let model = SentencePieceModel::parse(&bytes).expect("a model");
        assert_eq!(model.unk_id, 2);
        assert_eq!(model.control_tokens()[0].content, "<s>");
        let scores = model.into_scores();
        assert_eq!(scores, [("ab".to_owned(), -1.5), ("<s>".to_owned(), 0.0)]);
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error() {
        let cut = field(1, &field(1, b"abc"));
        for bytes in [
            &b"\xff\xff"[..],
            &cut[..4],
            b"",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            SentencePieceModel::parse(bytes).expect_err("no model");
        }
    }
}
