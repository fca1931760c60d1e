use std::num::NonZeroUsize;

use bert_kernels::softmax;
use bert_text::{Encoding, Pieces, TokensInput};
use bert_token_classification::BertForTokenClassification;
use bert_token_classification::aggregation::{Aggregation, Entity, SubToken, entities};
use bert_token_classification::transitions::Transitions;
use burn::tensor::Device;

use super::TokenClassifier;
use super::task::token_rows;
use crate::TrainError;

/// The outputs for one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The text in sub-tokens.
    pub pieces: Pieces,
    /// The model's raw outputs in id order, one row a sub-token.
    pub logits: Vec<Vec<f32>>,
}

impl TokenClassifier {
    /// Labels the sub-tokens of texts, each as long as it may be; the results are in their order. `tick` is called with
    /// the share that is done.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or the texts do not fit the model.
    pub fn predict(
        &self,
        model: &BertForTokenClassification,
        inputs: &[TokensInput],
        batch_size: NonZeroUsize,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Vec<Prediction>, TrainError> {
        let mut predictions: Vec<Prediction> = self
            .pretrained
            .tokenizer
            .pieces_batch(inputs)?
            .into_iter()
            .map(|pieces| Prediction {
                logits: vec![Vec::new(); pieces.len()],
                pieces,
            })
            .collect();
        let mut encodings: Vec<Encoding> = Vec::with_capacity(inputs.len());
        let mut places = Vec::with_capacity(inputs.len());
        for (text, prediction) in predictions.iter().enumerate() {
            for window in self.windows(&prediction.pieces)? {
                encodings.push(window.encoding);
                places.push((text, window.tokens, window.owned));
            }
        }
        let take = |rows: &[usize], input| {
            for (&row, mut logits) in rows.iter().zip(token_rows(model.forward(input)?)) {
                let (text, tokens, owned) = places[row].clone();
                for (token, piece) in tokens.zip(owned) {
                    predictions[text].logits[piece] = std::mem::take(&mut logits[token]);
                }
            }
            Ok(())
        };
        self.pretrained
            .forward_all(&encodings, batch_size, device, tick, take)?;
        Ok(predictions)
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
                // The pipeline counts the special token before the text.
                index: piece + 1,
                is_subword: self.pieces.is_subword(piece),
            })
            .collect()
    }
}
