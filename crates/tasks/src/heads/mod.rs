//! Several heads on one encoder, of one task or of two: text classification and token classification.
//!
//! ```text
//! TextReader::open (architectures) ──Heads::load──▶ first model, SharedEncoder
//! TextReader::open ──Heads::add──▶ its head alone
//! inputs ──Heads::predict──▶ sequences, each once ──encoder──▶ last_hidden_state ──every head──▶ HeadPredictions
//!                                                         └─▶ pooled output, where all heads pool alike
//! ```
//!
//! A model may be an adapter of the shared encoder: it is merged into weights of its own, the others stay shared, and its
//! encoder makes a pass of its own.

mod pass;
mod reader;

use bert_encoder::{Encoder, Pooling};
use bert_text::{Encoding, InferenceInput, PredictInput, TokensInput};
use bert_text_classification::ModelForSequenceClassification;
use bert_token_classification::ModelForTokenClassification;
use bert_weights::LoadReport;
use burn::tensor::Device;

pub use reader::TextReader;

use crate::shared_encoder::SharedEncoder;
use crate::text_classification::{self, TextClassifier};
use crate::token_classification::{self, TokenClassifier};
use crate::{HeadOrigin, Pretrained, RunOptions, TaskError};
use pass::{Outputs, Sequences};

/// An input that all heads read.
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
    /// A text classifier, those of natural-language inference included.
    Text(TextClassifier, ModelForSequenceClassification),
    /// A token classifier.
    Tokens(TokenClassifier, ModelForTokenClassification),
}

impl Head {
    fn pretrained(&self) -> &Pretrained {
        match self {
            Self::Text(classifier, _) => &classifier.pretrained,
            Self::Tokens(classifier, _) => &classifier.pretrained,
        }
    }

    /// The encoder of a model that is an adapter; `None` where the shared one serves.
    fn own_encoder(&self) -> Option<&Encoder> {
        let encoder = match self {
            Self::Text(_, model) => &model.encoder,
            Self::Tokens(_, model) => &model.encoder,
        };
        Some(encoder).filter(|_| self.pretrained().adapter.is_some())
    }
}

/// The predictions of one head in the order of the inputs, with the classifier that knows their labels.
#[derive(Debug)]
pub enum HeadPredictions<'a> {
    /// Classes of texts.
    Text(&'a TextClassifier, Vec<text_classification::Prediction>),
    /// Tags of tokens.
    Tokens(&'a TokenClassifier, Vec<token_classification::Prediction>),
}

impl HeadPredictions<'_> {
    /// The predictions of a text classifier; `None` for another head.
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
    reports: Vec<LoadReport>,
}

impl Heads {
    /// Loads the first model. All heads share its encoder, tokenizer and maximum length.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load(first: TextReader, device: &Device) -> Result<Self, TaskError> {
        let max_length = first.pretrained().max_length;
        if first.pretrained().adapter.is_some() {
            return Self::load_adapter(first, device);
        }
        let (encoder, head, report) = match first {
            TextReader::Text(classifier) => {
                let (model, report) = classifier.load(HeadOrigin::Checkpoint, device)?;
                let encoder = SharedEncoder::of(&classifier.pretrained, &model.encoder);
                (encoder, Head::Text(classifier, model), report)
            }
            TextReader::Tokens(classifier) => {
                let (model, report) = classifier.load(HeadOrigin::Checkpoint, device)?;
                let encoder = SharedEncoder::of(&classifier.pretrained, &model.encoder);
                (encoder, Head::Tokens(classifier, model), report)
            }
        };
        Ok(Self {
            encoder,
            max_length,
            heads: vec![head],
            reports: vec![report],
        })
    }

    /// Loads the base model of an adapter, whose encoder is shared, and the adapter over it.
    fn load_adapter(first: TextReader, device: &Device) -> Result<Self, TaskError> {
        let mut base = first.clone();
        base.pretrained_mut().adapter = None;
        let mut heads = Self::load(base, device)?;
        heads.heads.clear();
        heads.reports.clear();
        heads.add(first, device)?;
        Ok(heads)
    }

    /// Loads the head of another model: its classifier, and its pooler if it has one. Of an adapter, the weights that it
    /// changes are its own.
    ///
    /// # Errors
    ///
    /// Its encoder is not that of the first model, or a tensor is missing, unexpected, mis-shaped or not finite.
    pub fn add(&mut self, reader: TextReader, device: &Device) -> Result<(), TaskError> {
        self.encoder.admit(reader.pretrained())?;
        let (head, report) = match reader {
            TextReader::Text(mut classifier) => {
                classifier.pretrained.max_length = self.max_length;
                let (model, report) = classifier.load_head(&self.encoder, device)?;
                (Head::Text(classifier, model), report)
            }
            TextReader::Tokens(mut classifier) => {
                classifier.pretrained.max_length = self.max_length;
                let (model, report) = classifier.load_head(&self.encoder, device)?;
                (Head::Tokens(classifier, model), report)
            }
        };
        self.heads.push(head);
        self.reports.push(report);
        Ok(())
    }

    /// What was loaded for each head, in the order of [`heads`](Self::heads).
    pub fn reports(&self) -> &[LoadReport] {
        &self.reports
    }

    /// The heads, in the order in which they were added.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Longest sequence in tokens.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Asks every head about every input: the predictions of each head, in their order.
    ///
    /// The encoder computes each sequence of tokens once. All heads read the same sequence of a text that fits the model.
    /// Of a longer text and of a pair, each kind of head reads sequences of its own: a text classifier as it was trained to,
    /// a token classifier in windows, and of a pair the first text alone.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or the texts do not fit the model.
    pub fn predict(
        &self,
        inputs: &[HeadInput],
        run: RunOptions<'_>,
    ) -> Result<Vec<HeadPredictions<'_>>, TaskError> {
        let sequences = Sequences::new(&self.heads, inputs)?;
        let mut outputs: Vec<Outputs<'_, '_>> = self
            .heads
            .iter()
            .filter_map(|head| sequences.outputs(head))
            .collect();
        let passes = self.passes();
        for (pass, members) in passes.iter().enumerate() {
            let mut progress =
                |share: f64| (run.progress)((pass as f64 + share) / passes.len() as f64);
            let run = RunOptions {
                batch_size: run.batch_size,
                device: run.device,
                progress: &mut progress,
                peers: None,
            };
            self.pass(members, &mut outputs, &sequences.encodings, run)?;
        }
        Ok(outputs.into_iter().map(Outputs::finish).collect())
    }

    /// The heads that read one pass of an encoder, pass by pass: all that share it, and each adapter alone.
    fn passes(&self) -> Vec<Vec<usize>> {
        let has_own = |head: &usize| self.heads[*head].own_encoder().is_some();
        let (own, shared): (Vec<usize>, Vec<usize>) = (0..self.heads.len()).partition(has_own);
        let shared = Some(shared).filter(|heads| !heads.is_empty());
        let own = own.into_iter().map(|head| vec![head]);
        shared.into_iter().chain(own).collect()
    }

    /// One pass of the encoder, whose outputs these heads take. Where all of them pool alike, the encoder pools: by the first
    /// token, which is then all that the last layer computes, or by the mean.
    fn pass(
        &self,
        members: &[usize],
        outputs: &mut [Outputs<'_, '_>],
        encodings: &[Encoding],
        run: RunOptions<'_>,
    ) -> Result<(), TaskError> {
        let mut heads = members.iter().map(|&head| &self.heads[head]);
        let own = heads.find_map(|head| Some((head.pretrained(), head.own_encoder()?)));
        let shared = (self.encoder.pretrained(), self.encoder.encoder());
        let (pretrained, encoder) = own.unwrap_or(shared);
        let pooling = self.common_pooling(members);
        pretrained.forward_all(encodings, run, |rows, input| {
            match pooling {
                Some(pooling) => {
                    let pooled = encoder.forward_pooled(input, pooling)?;
                    for &head in members {
                        if let Outputs::Text(text) = &mut outputs[head] {
                            text.take_pooled(rows, &pooled)?;
                        }
                    }
                }
                None => {
                    let hidden = encoder.forward(input)?.last_hidden_state;
                    for &head in members {
                        outputs[head].take(encodings, rows, &hidden)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// How all of these heads pool; `None` where they differ, or one reads every token.
    fn common_pooling(&self, members: &[usize]) -> Option<Pooling> {
        let mut poolings = members.iter().map(|&head| match &self.heads[head] {
            Head::Text(_, model) => Some(model.pooler.pooling()),
            Head::Tokens(..) => None,
        });
        let first = poolings.next()??;
        poolings.all(|other| other == Some(first)).then_some(first)
    }
}
