//! One pass of the encoder for all heads.

use std::borrow::Cow;

use bert_text::{Encoding, TokensInput};
use bert_text_classification::ModelForSequenceClassification;
use bert_token_classification::ModelForTokenClassification;
use burn::tensor::Tensor;

use super::{Head, HeadInput, HeadPredictions};
use crate::TaskError;
use crate::inference::{rows_of, token_rows};
use crate::text_classification::{Prediction, TextClassifier};
use crate::token_classification::{TextWindows, TokenClassifier};

/// The sequences that the encoder computes, and which input or window each of them stands for.
pub(super) struct Sequences {
    pub(super) encodings: Vec<Encoding>,
    /// The input that a text classifier reads as this sequence, if any does.
    text_of: Vec<Option<usize>>,
    /// The window that a token classifier reads as this sequence, if any does.
    window_of: Vec<Option<usize>>,
    windows: TextWindows,
}

/// The outputs of a head so far.
pub(super) enum Outputs<'a> {
    Text {
        classifier: &'a TextClassifier,
        model: &'a ModelForSequenceClassification,
        predictions: Vec<Option<Prediction>>,
    },
    Tokens {
        classifier: &'a TokenClassifier,
        model: &'a ModelForTokenClassification,
        windows: TextWindows,
    },
}

impl Sequences {
    /// The sequences of some inputs. Heads of one kind read the same sequences: they share tokenizer and maximum length.
    pub(super) fn new(heads: &[Head], inputs: &[HeadInput]) -> Result<Self, TaskError> {
        let text = heads.iter().find_map(|head| match head {
            Head::Text(classifier, _) => Some(classifier),
            Head::Tokens(..) => None,
        });
        let tokens = heads.iter().find_map(|head| match head {
            Head::Tokens(classifier, _) => Some(classifier),
            Head::Text(..) => None,
        });
        let encodings = text.map_or_else(|| Ok(Vec::new()), |one| encode(one, inputs))?;
        let mut sequences = Self {
            text_of: (0..encodings.len()).map(Some).collect(),
            window_of: vec![None; encodings.len()],
            encodings,
            windows: TextWindows::default(),
        };
        if let Some(classifier) = tokens {
            let texts: Vec<TokensInput> = inputs.iter().map(|one| one.text.clone()).collect();
            sequences.add_windows(classifier.text_windows(&texts)?);
        }
        Ok(sequences)
    }

    /// Adds the windows of token classifiers. A window with the tokens that text classifiers read of the same input is not
    /// added again.
    fn add_windows(&mut self, mut windows: TextWindows) {
        let texts = self.encodings.len();
        for (window, encoding) in std::mem::take(&mut windows.encodings)
            .into_iter()
            .enumerate()
        {
            let of_input = windows.input_of(window);
            let same = (of_input < texts)
                .then(|| &self.encodings[of_input])
                .filter(|other| {
                    other.input_ids == encoding.input_ids
                        && other.token_type_ids == encoding.token_type_ids
                });
            if same.is_some() {
                self.window_of[of_input] = Some(window);
            } else {
                self.encodings.push(encoding);
                self.text_of.push(None);
                self.window_of.push(Some(window));
            }
        }
        self.windows = windows;
    }

    /// Room for the outputs of a head.
    pub(super) fn outputs<'a>(&self, head: &'a Head, inputs: usize) -> Outputs<'a> {
        match head {
            Head::Text(classifier, model) => Outputs::Text {
                classifier,
                model,
                predictions: vec![None; inputs],
            },
            Head::Tokens(classifier, model) => Outputs::Tokens {
                classifier,
                model,
                windows: self.windows.clone(),
            },
        }
    }
}

impl<'a> Outputs<'a> {
    /// Hands the encoder's last hidden state `[B, S, H]` of some sequences to the head.
    pub(super) fn take(
        &mut self,
        sequences: &Sequences,
        rows: &[usize],
        hidden: &Tensor<3>,
    ) -> Result<(), TaskError> {
        match self {
            Self::Text {
                classifier,
                model,
                predictions,
            } => {
                let lengths = rows
                    .iter()
                    .map(|&row| sequences.encodings[row].input_ids.len());
                let lengths: Vec<usize> = lengths.collect();
                let logits = rows_of(model.forward_hidden(hidden.clone(), &lengths));
                for (&row, logits) in rows.iter().zip(logits) {
                    if let Some(text) = sequences.text_of[row] {
                        let cut = sequences.encodings[row].truncated_tokens;
                        let prediction = Prediction::new(logits, classifier.activation, cut);
                        predictions[text] = Some(prediction);
                    }
                }
            }
            Self::Tokens { model, windows, .. } => {
                let logits = token_rows(model.forward_hidden(hidden.clone()));
                for (&row, logits) in rows.iter().zip(logits) {
                    if let Some(window) = sequences.window_of[row] {
                        windows.take(window, logits);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> HeadPredictions<'a> {
        match self {
            Self::Text {
                classifier,
                predictions,
                ..
            } => HeadPredictions::Text(classifier, predictions.into_iter().flatten().collect()),
            Self::Tokens {
                classifier,
                windows,
                ..
            } => HeadPredictions::Tokens(classifier, windows.into_predictions()),
        }
    }
}

fn encode(classifier: &TextClassifier, inputs: &[HeadInput]) -> Result<Vec<Encoding>, TaskError> {
    let texts: Vec<Cow<'_, str>> = inputs
        .iter()
        .map(|input| match &input.text {
            TokensInput::Text(text) => Cow::Borrowed(text.as_str()),
            TokensInput::Tokens(words) => Cow::Owned(words.join(" ")),
        })
        .collect();
    let pairs: Vec<(&str, Option<&str>)> = texts
        .iter()
        .zip(inputs)
        .map(|(text, input)| (text.as_ref(), input.text_pair.as_deref()))
        .collect();
    classifier.pretrained.encode(&pairs)
}
