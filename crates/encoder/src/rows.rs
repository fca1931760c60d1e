// B sequences, S positions of the longest, T tokens of all sequences, H width

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::Sequences;
use crate::batch::additive_mask;
use crate::sequences::indices;

/// The tokens of sequences in rows of one length, for arithmetic on `[B, S]`.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) batch: usize,
    pub(crate) length: usize,
    /// Where the sequences differ in length.
    places: Option<Places>,
    /// `[B, S]`, see [`Rows::mask`].
    mask: Option<Tensor<2>>,
}

#[derive(Debug, Clone)]
struct Places {
    /// The token that stands in each place, `[B · S]`. In a place without a token it is the first of the sequence.
    tokens: Tensor<1, Int>,
    /// The place of each token, `[T]`.
    of_tokens: Tensor<1, Int>,
}

impl Rows {
    pub(crate) fn new(sequences: &Sequences, device: &Device) -> Self {
        let lengths = sequences.lengths();
        let batch = lengths.len();
        let length = lengths.iter().copied().max().unwrap_or(0);
        if lengths.iter().all(|&each| each == length) {
            let mask = sequences.mask().map(|mask| mask.reshape([batch, length]));
            return Self {
                batch,
                length,
                places: None,
                mask,
            };
        }
        Self {
            batch,
            length,
            places: Some(Places::new(&lengths, length, device)),
            mask: Some(mask_of_lengths(&lengths, length, device)),
        }
    }

    /// What is added to the scores of each key: 0, or the lowest number where attention may not look. `None` where it may look
    /// everywhere.
    ///
    /// # Shapes
    ///
    /// `[B, S]`.
    pub(crate) fn mask(&self) -> Option<Tensor<2>> {
        self.mask.clone()
    }

    /// One where attention may look, zero elsewhere. `None` where it may look everywhere.
    ///
    /// # Shapes
    ///
    /// `[B, S]`.
    pub(crate) fn real(&self) -> Option<Tensor<2>> {
        let mask = self.mask.clone()?;
        let dtype = mask.dtype();
        Some(mask.equal_scalar(0).float().cast(dtype))
    }

    /// Tokens into their rows.
    ///
    /// # Shapes
    ///
    /// `[T, H]` → `[B · S, H]`. A place without a token repeats one.
    pub(crate) fn spread(&self, tokens: Tensor<2>) -> Tensor<2> {
        match &self.places {
            Some(places) => tokens.select(0, places.tokens.clone()),
            None => tokens,
        }
    }

    /// Tokens out of their rows.
    ///
    /// # Shapes
    ///
    /// `[B · S, H]` → `[T, H]`.
    pub(crate) fn collect(&self, places: Tensor<2>) -> Tensor<2> {
        match &self.places {
            Some(Places { of_tokens, .. }) => places.select(0, of_tokens.clone()),
            None => places,
        }
    }

    /// Zero for tokens that attention may not look at, where these are tokens.
    ///
    /// # Shapes
    ///
    /// `[T, H]` → `[T, H]`.
    pub(crate) fn hide_padding(&self, tokens: Tensor<2>) -> Tensor<2> {
        let [count, _] = tokens.dims();
        match self.real().filter(|_| self.places.is_none()) {
            Some(real) => tokens * real.reshape([count, 1]),
            None => tokens,
        }
    }
}

impl Places {
    fn new(lengths: &[usize], longest: usize, device: &Device) -> Self {
        let (mut tokens, mut of_tokens) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (row, &length) in lengths.iter().enumerate() {
            let in_row = |position| first + if position < length { position } else { 0 };
            tokens.extend((0..longest).map(in_row));
            of_tokens.extend((0..length).map(|position| row * longest + position));
            first += length;
        }
        Self {
            tokens: indices(tokens.into_iter(), device),
            of_tokens: indices(of_tokens.into_iter(), device),
        }
    }
}

/// `[B, S]`.
fn mask_of_lengths(lengths: &[usize], longest: usize, device: &Device) -> Tensor<2> {
    let shape = [lengths.len(), longest];
    let is_token = |length| (0..longest).map(move |position| i64::from(position < length));
    let attention_mask: Vec<i64> = lengths
        .iter()
        .flat_map(|&length| is_token(length))
        .collect();
    let attention_mask = TensorData::new(attention_mask, shape);
    additive_mask(Tensor::from_data(attention_mask, device)).reshape(shape)
}
