//! Heads of one task or several on one encoder: texts and pairs to classes, words to tags.
//!
//! ```text
//! TextReader::open (architectures) ──Heads::load──▶ first model, SharedEncoder
//! TextReader::open ──Heads::add──▶ its head alone
//! inputs ──Heads::predict──▶ sequences, each once ──encoder──▶ last_hidden_state ──every head──▶ HeadPredictions
//! ```

mod pass;
mod reader;

use std::num::NonZeroUsize;

use bert_text::{InferenceInput, PredictInput, TokensInput};
use bert_text_classification::ModelForSequenceClassification;
use bert_token_classification::ModelForTokenClassification;
use burn::tensor::Device;

pub use reader::TextReader;

use crate::shared_encoder::SharedEncoder;
use crate::text_classification::{self, TextClassifier};
use crate::token_classification::{self, TokenClassifier};
use crate::{HeadOrigin, TaskError};
use pass::{Outputs, Sequences};

/// What all heads read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadInput {
    /// The text, or the first of a pair. A text classifier reads words joined by single spaces.
    pub text: TokensInput,
    /// The second text of a pair. Token classifiers read the first text alone.
    pub text_pair: Option<String>,
}

impl From<&PredictInput> for HeadInput {
    fn from(input: &PredictInput) -> Self {
        Self {
            text: TokensInput::Text(input.text.clone()),
            text_pair: input.text_pair.clone(),
        }
    }
}

impl From<&InferenceInput> for HeadInput {
    fn from(input: &InferenceInput) -> Self {
        Self {
            text: TokensInput::Text(input.premise.clone()),
            text_pair: Some(input.hypothesis.clone()),
        }
    }
}

impl From<&TokensInput> for HeadInput {
    fn from(input: &TokensInput) -> Self {
        Self {
            text: input.clone(),
            text_pair: None,
        }
    }
}

/// A model whose encoder is shared.
#[derive(Debug)]
pub enum Head {
    /// Of text classification, natural-language inference included.
    Text(TextClassifier, ModelForSequenceClassification),
    /// Of token classification.
    Tokens(TokenClassifier, ModelForTokenClassification),
}

/// What a head says to each input, in their order, with the classifier that knows what it means.
#[derive(Debug)]
pub enum HeadPredictions<'a> {
    /// Of a text classifier.
    Text(&'a TextClassifier, Vec<text_classification::Prediction>),
    /// Of a token classifier.
    Tokens(&'a TokenClassifier, Vec<token_classification::Prediction>),
}

impl HeadPredictions<'_> {
    /// Those of a text classifier; `None` for another head.
    pub fn as_text(&self) -> Option<(&TextClassifier, &[text_classification::Prediction])> {
        match self {
            Self::Text(classifier, predictions) => Some((classifier, predictions)),
            Self::Tokens(..) => None,
        }
    }
}

/// Text classifiers and token classifiers on one encoder.
#[derive(Debug)]
pub struct Heads {
    encoder: SharedEncoder,
    max_length: usize,
    heads: Vec<Head>,
}

impl Heads {
    /// Loads the first model, whose encoder, tokenizer and maximum length are those of all.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load(first: TextReader, device: &Device) -> Result<Self, TaskError> {
        let max_length = first.pretrained().max_length;
        let (encoder, head) = match first {
            TextReader::Text(classifier) => {
                let (model, _) = classifier.load(HeadOrigin::Checkpoint, device)?;
                let encoder = SharedEncoder::of(&classifier.pretrained, &model.bert);
                (encoder, Head::Text(classifier, model))
            }
            TextReader::Tokens(classifier) => {
                let (model, _) = classifier.load(HeadOrigin::Checkpoint, device)?;
                let encoder = SharedEncoder::of(&classifier.pretrained, &model.bert);
                (encoder, Head::Tokens(classifier, model))
            }
        };
        Ok(Self {
            encoder,
            max_length,
            heads: vec![head],
        })
    }

    /// Loads what another model has of its own: its classifier, and its pooler if it has one.
    ///
    /// # Errors
    ///
    /// Its encoder is not that of the first, or a tensor is missing, unexpected, mis-shaped or not finite.
    pub fn add(&mut self, reader: TextReader, device: &Device) -> Result<(), TaskError> {
        self.encoder.admit(reader.pretrained())?;
        let head = match reader {
            TextReader::Text(mut classifier) => {
                classifier.pretrained.max_length = self.max_length;
                let model = classifier.load_head(&self.encoder, device)?;
                Head::Text(classifier, model)
            }
            TextReader::Tokens(mut classifier) => {
                classifier.pretrained.max_length = self.max_length;
                let model = classifier.load_head(&self.encoder, device)?;
                Head::Tokens(classifier, model)
            }
        };
        self.heads.push(head);
        Ok(())
    }

    /// The heads, in the order in which they were added.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Longest sequence in tokens.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Asks every head about every input: the predictions of each head, in their order. `tick` is called with the share
    /// that is done.
    ///
    /// The encoder computes each sequence of tokens once. All heads read the same one of a text that fits the model; of a
    /// longer text, which a text classifier cuts and a token classifier reads in windows, and of a pair, each kind of head
    /// reads sequences of its own.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or the texts do not fit the model.
    pub fn predict(
        &self,
        inputs: &[HeadInput],
        batch_size: NonZeroUsize,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Vec<HeadPredictions<'_>>, TaskError> {
        let sequences = Sequences::new(&self.heads, inputs)?;
        let mut outputs: Vec<Outputs<'_>> = self
            .heads
            .iter()
            .map(|head| sequences.outputs(head, inputs.len()))
            .collect();
        self.encoder.forward_all(
            &sequences.encodings,
            batch_size,
            device,
            tick,
            |rows, hidden| {
                for of_head in &mut outputs {
                    of_head.take(&sequences, rows, &hidden)?;
                }
                Ok(())
            },
        )?;
        Ok(outputs.into_iter().map(Outputs::finish).collect())
    }
}
