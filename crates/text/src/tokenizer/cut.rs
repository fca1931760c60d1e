//! Texts that are too long for the model's sequence, made shorter.

use tokenizers::Encoding;
use tokenizers::utils::truncation::{
    TruncationDirection, TruncationParams, TruncationStrategy, truncate_encodings,
};

/// Which tokens of a text or a pair are left out where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Those at one end of the longer text, until both are equally long; then of both.
    LongestFirst,
    /// Those at one end of the first text.
    OnlyFirst,
    /// As many of each text as [`LongestFirst`](Self::LongestFirst) leaves out, from its middle.
    HeadTail,
}

impl Cut {
    /// At most `room` tokens of both texts.
    pub(super) fn apply(
        self,
        first: Encoding,
        second: Option<Encoding>,
        room: usize,
        direction: TruncationDirection,
    ) -> tokenizers::Result<(Encoding, Option<Encoding>)> {
        let params = TruncationParams {
            max_length: room,
            strategy: match self {
                Self::LongestFirst | Self::HeadTail => TruncationStrategy::LongestFirst,
                Self::OnlyFirst => TruncationStrategy::OnlyFirst,
            },
            direction,
            ..TruncationParams::default()
        };
        if self != Self::HeadTail {
            let (first, second) = truncate_encodings(first, second, &params)?;
            return Ok((alone(first), second.map(alone)));
        }
        let (short, short_pair) = truncate_encodings(first.clone(), second.clone(), &params)?;
        let second = second.zip(short_pair);
        Ok((
            without_middle(first, short.len()),
            second.map(|(second, short)| without_middle(second, short.len())),
        ))
    }
}

/// The first quarter of so many tokens from the beginning of a text, the others from its end.
fn without_middle(mut text: Encoding, kept: usize) -> Encoding {
    if text.len() <= kept {
        return text;
    }
    let head = kept.div_ceil(4);
    let mut end = text.clone();
    end.truncate(kept - head, 0, TruncationDirection::Left);
    text.truncate(head, 0, TruncationDirection::Right);
    let mut text = alone(text);
    text.merge_with(alone(end), false);
    text
}

/// The text without what was cut off: the parts of two long texts would be combined each with each, quadratic, and nobody
/// reads them.
fn alone(mut text: Encoding) -> Encoding {
    text.take_overflowing();
    text
}
