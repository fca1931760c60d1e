//! Plain text as rows of tokens, as transformers' `run_mlm` makes them.

use std::io::BufRead;

use super::{PlainTextError, TextPiece, TextPieces};
use crate::tokenizer::Tokens;
use crate::{Encoding, Tokenizer};

/// Pieces that are tokenized together, on all cores.
const PIECES_AT_ONCE: usize = 512;

/// How a plain text becomes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLayout {
    /// The tokens of all lines in a row, cut into blocks of the maximum length: no padding, and the context of a token is
    /// as long as it can be.
    Grouped,
    /// One row a line, longer lines cut off.
    LineByLine,
}

/// The tokens of one row, with special tokens. All vectors have one entry a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenBlock {
    /// Rows of the word-embedding table.
    pub input_ids: Vec<u32>,
    /// 0 for the first text and its special tokens, 1 for the second.
    pub token_type_ids: Vec<u32>,
    /// Equal for neighbours that are pieces of one word; `None` for a special token.
    pub word_ids: Vec<Option<u32>>,
}

/// The rows of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextBlocks {
    /// In the order of the text.
    pub blocks: Vec<TokenBlock>,
    /// Rows that were cut off.
    pub truncated: usize,
}

impl TextBlocks {
    /// Tokenizes a text. Lines without tokens give no row. The last block of [`TextLayout::Grouped`] is as long as what is
    /// left, where `run_mlm` drops it; of a line that is longer than a piece ([`TextPieces`]), [`TextLayout::LineByLine`]
    /// looks at the first piece alone.
    ///
    /// # Errors
    /// The text cannot be read or tokenized, has no token, or `max_length` has no room for one beside the special tokens.
    pub fn read<R: BufRead>(
        mut pieces: TextPieces<R>,
        tokenizer: &Tokenizer,
        layout: TextLayout,
        max_length: usize,
    ) -> Result<Self, PlainTextError> {
        let room = tokenizer.capacity(max_length)?;
        let mut rows = Rows {
            tokenizer,
            room,
            pending: Tokens::default(),
            words: 0,
            read: Self::default(),
        };
        loop {
            let wanted = |piece: &TextPiece| layout == TextLayout::Grouped || piece.starts_line;
            let batch: Vec<TextPiece> = pieces
                .by_ref()
                .take(PIECES_AT_ONCE)
                .collect::<Result<_, _>>()?;
            let texts: Vec<&str> = batch
                .iter()
                .filter(|piece| wanted(piece))
                .map(|piece| piece.text.as_str())
                .collect();
            for tokens in tokenizer.tokens_batch(&texts)? {
                match layout {
                    TextLayout::Grouped => rows.append(tokens),
                    TextLayout::LineByLine => rows.line(tokens),
                }
            }
            if batch.len() < PIECES_AT_ONCE {
                break;
            }
        }
        let read = rows.finish();
        if read.blocks.is_empty() {
            return Err(PlainTextError::NoText {
                path: pieces.path().to_owned(),
            });
        }
        Ok(read)
    }
}

struct Rows<'a> {
    tokenizer: &'a Tokenizer,
    /// Tokens of a block without the special ones.
    room: usize,
    /// Tokens that are not a whole block yet.
    pending: Tokens,
    /// Words in all pieces so far.
    words: u32,
    read: TextBlocks,
}

impl Rows<'_> {
    /// Adds a piece to the blocks.
    fn append(&mut self, tokens: Tokens) {
        let first_word = self.words;
        self.pending.ids.extend(tokens.ids);
        for word in tokens.word_ids {
            let word = first_word.wrapping_add(word);
            self.words = word.wrapping_add(1);
            self.pending.word_ids.push(word);
        }
        let whole = self.pending.ids.len() / self.room * self.room;
        let left = Tokens {
            ids: self.pending.ids.split_off(whole),
            word_ids: self.pending.word_ids.split_off(whole),
        };
        let blocks = std::mem::replace(&mut self.pending, left);
        self.push_blocks(&blocks);
    }

    /// Adds a line as a row of its own.
    fn line(&mut self, tokens: Tokens) {
        self.read.truncated += usize::from(tokens.ids.len() > self.room);
        let kept = self.tokenizer.kept(tokens.ids.len(), self.room);
        self.push_blocks(&Tokens {
            ids: tokens.ids[kept.clone()].to_vec(),
            word_ids: tokens.word_ids[kept].to_vec(),
        });
    }

    fn push_blocks(&mut self, tokens: &Tokens) {
        let ids = tokens.ids.chunks(self.room);
        let blocks = ids
            .zip(tokens.word_ids.chunks(self.room))
            .map(|(ids, words)| self.block(ids, words));
        let blocks: Vec<TokenBlock> = blocks.collect();
        self.read.blocks.extend(blocks);
    }

    fn block(&self, ids: &[u32], words: &[u32]) -> TokenBlock {
        let around = self.tokenizer.surroundings();
        let none = |special: &[u32]| vec![None; special.len()];
        let words: Vec<Option<u32>> = words.iter().map(|&word| Some(word)).collect();
        let input_ids = [&around.before, ids, &around.after].concat();
        TokenBlock {
            token_type_ids: vec![0; input_ids.len()],
            word_ids: [none(&around.before), words, none(&around.after)].concat(),
            input_ids,
        }
    }

    fn finish(mut self) -> TextBlocks {
        let left = std::mem::take(&mut self.pending);
        self.push_blocks(&left);
        self.read
    }
}

impl TokenBlock {
    /// The number of tokens, special ones included.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }
}

/// A special token stands between the two texts of a pair, so words of both are never neighbours.
impl From<Encoding> for TokenBlock {
    fn from(encoding: Encoding) -> Self {
        Self {
            input_ids: encoding.input_ids,
            token_type_ids: encoding.token_type_ids,
            word_ids: encoding.word_ids,
        }
    }
}
