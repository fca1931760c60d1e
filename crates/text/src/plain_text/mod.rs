//! Plain text as training data: pieces of lines, blocks of tokens, documents of sentences.

mod blocks;
mod documents;
mod error;
mod pieces;

pub use blocks::{TextBlocks, TextLayout, TokenBlock};
pub use documents::{Documents, SentencePair};
pub use error::PlainTextError;
pub use pieces::{TextPiece, TextPieces};
