use std::ops::Range;

use bert_kernels::softmax;
use bert_text::{Encoding, Pieces, TokensInput};
use bert_token_classification::ModelForTokenClassification;
use bert_token_classification::aggregation::{Aggregation, Entity, SubToken, entities};
use bert_token_classification::transitions::Transitions;

use super::TokenClassifier;
use crate::inference::token_rows;
use crate::{RunOptions, TaskError};

/// The outputs for one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The text in sub-tokens.
    pub pieces: Pieces,
    /// The model's raw outputs in id order, one row a sub-token.
    pub logits: Vec<Vec<f32>>,
}

impl TokenClassifier {
    /// Labels the sub-tokens of texts of any length; the results are in their order.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or the texts do not fit the model.
    pub fn predict(
        &self,
        model: &ModelForTokenClassification,
        inputs: &[TokensInput],
        run: RunOptions<'_>,
    ) -> Result<Vec<Prediction>, TaskError> {
        let mut windows = self.text_windows(inputs)?;
        let encodings = std::mem::take(&mut windows.encodings);
        let take = |rows: &[usize], input| {
            for (&row, logits) in rows.iter().zip(token_rows(model.forward(input)?)?) {
                windows.take(row, logits);
            }
            Ok(())
        };
        self.pretrained.forward_all(&encodings, run, take)?;
        Ok(windows.into_predictions())
    }

    /// Texts of any length as the model takes them.
    pub(crate) fn text_windows(&self, inputs: &[TokensInput]) -> Result<TextWindows, TaskError> {
        let mut all = TextWindows::default();
        for (input, pieces) in self
            .pretrained
            .tokenizer
            .pieces_batch(inputs)?
            .into_iter()
            .enumerate()
        {
            for window in self.windows(&pieces)? {
                all.encodings.push(window.encoding);
                all.places.push((input, window.tokens, window.owned));
            }
            all.predictions.push(Prediction {
                logits: vec![Vec::new(); pieces.len()],
                pieces,
            });
        }
        Ok(all)
    }

    /// The entities of a text, as transformers' pipeline reports them. With `transitions` no malformed entity is found.
    pub fn entities(
        &self,
        prediction: &Prediction,
        aggregation: Aggregation,
        transitions: Option<&Transitions>,
    ) -> Vec<Entity> {
        let tokenizer = &self.pretrained.tokenizer;
        let join = |tokens: &[&str]| tokenizer.convert_tokens_to_string(tokens);
        let names = self.labels.names();
        entities(
            prediction.sub_tokens(),
            names,
            aggregation,
            transitions,
            &join,
        )
    }
}

/// Texts in windows, and the predictions that a model has made for them so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextWindows {
    pub(crate) encodings: Vec<Encoding>,
    /// For each window: its text, the tokens that it predicts, and the same tokens as sub-tokens of the text.
    places: Vec<(usize, Range<usize>, Range<usize>)>,
    predictions: Vec<Prediction>,
}

impl TextWindows {
    /// The text that a window is of.
    pub(crate) fn input_of(&self, window: usize) -> usize {
        self.places[window].0
    }

    /// Takes the logits of a window, one row a token.
    pub(crate) fn take(&mut self, window: usize, mut logits: Vec<Vec<f32>>) {
        let (text, tokens, owned) = self.places[window].clone();
        for (token, piece) in tokens.zip(owned) {
            self.predictions[text].logits[piece] = std::mem::take(&mut logits[token]);
        }
    }

    /// One prediction a text, in their order.
    pub(crate) fn into_predictions(self) -> Vec<Prediction> {
        self.predictions
    }
}

impl Prediction {
    /// The sub-tokens with the probabilities of their labels.
    pub fn sub_tokens(&self) -> Vec<SubToken> {
        let shown = self.pieces.shown().into_iter();
        let scored = shown.zip(&self.logits).zip(&self.pieces.offsets);
        scored
            .enumerate()
            .map(|(piece, ((word, logits), &(start, end)))| SubToken {
                word,
                scores: softmax(logits),
                start,
                end,
                // The pipeline counts the special tokens before the text.
                index: self.pieces.special_before + piece,
                is_subword: self.pieces.continues_word[piece],
            })
            .collect()
    }
}
