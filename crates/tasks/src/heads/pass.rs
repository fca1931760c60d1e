//! One pass of the encoder for all heads.

use std::borrow::Cow;
use std::collections::HashSet;

use bert_text::{Encoding, TokensInput};
use bert_text_classification::ModelForSequenceClassification;
use bert_token_classification::ModelForTokenClassification;
use burn::tensor::Tensor;

use super::{Head, HeadInput, HeadPredictions};
use crate::inference::{rows_of, token_rows};
use crate::text_classification::{Prediction, TextClassifier, predictions};
use crate::token_classification::{TextWindows, TokenClassifier};
use crate::{Documents, LongText, TaskError};

/// The sequences that the encoder computes, and which text or window each of them stands for.
pub(super) struct Sequences {
    pub(super) encodings: Vec<Encoding>,
    /// The sequences of each input.
    of_input: Vec<Vec<usize>>,
    /// What text classifiers read, once for each way to read long texts.
    texts: Vec<Texts>,
    /// What token classifiers read.
    windows: TextWindows,
    /// The sequence of each of these windows.
    sequence_of: Vec<usize>,
}

/// The inputs as some text classifiers read them.
struct Texts {
    long_text: LongText,
    documents: Documents,
    /// The sequence of each window of the documents.
    sequence_of: Vec<usize>,
}

/// The outputs of a head so far.
pub(super) enum Outputs<'h, 's> {
    Text(TextOutputs<'h, 's>),
    Tokens {
        classifier: &'h TokenClassifier,
        model: &'h ModelForTokenClassification,
        /// The window of each sequence, if the head reads it.
        window_of: Vec<Option<usize>>,
        windows: TextWindows,
    },
}

/// The outputs of a text classifier so far.
pub(super) struct TextOutputs<'h, 's> {
    classifier: &'h TextClassifier,
    model: &'h ModelForSequenceClassification,
    documents: &'s Documents,
    /// The window of each sequence, if the head reads it.
    window_of: Vec<Option<usize>>,
    logits: Vec<Vec<f32>>,
}

impl Sequences {
    /// The sequences of some inputs. Heads of one kind that read long texts alike read the same sequences: they share
    /// tokenizer and maximum length.
    pub(super) fn new(heads: &[Head], inputs: &[HeadInput]) -> Result<Self, TaskError> {
        let mut sequences = Self {
            encodings: Vec::new(),
            of_input: vec![Vec::new(); inputs.len()],
            texts: Vec::new(),
            windows: TextWindows::default(),
            sequence_of: Vec::new(),
        };
        for head in heads {
            match head {
                Head::Text(classifier, _) if sequences.texts(classifier).is_none() => {
                    sequences.add_texts(classifier.long_text, encode(classifier, inputs)?);
                }
                Head::Tokens(classifier, _) if sequences.sequence_of.is_empty() => {
                    let texts: Vec<TokensInput> =
                        inputs.iter().map(|one| one.text.clone()).collect();
                    sequences.add_windows(classifier.text_windows(&texts)?);
                }
                Head::Text(..) | Head::Tokens(..) => {}
            }
        }
        Ok(sequences)
    }

    /// What a text classifier reads.
    fn texts(&self, classifier: &TextClassifier) -> Option<&Texts> {
        let mut texts = self.texts.iter();
        texts.find(|texts| texts.long_text == classifier.long_text)
    }

    fn add_texts(&mut self, long_text: LongText, documents: Documents) {
        let inputs = 0..documents.len();
        let windows =
            inputs.flat_map(|input| documents.of(input).iter().map(move |one| (input, one)));
        let sequence_of = self.add(windows);
        self.texts.push(Texts {
            long_text,
            documents,
            sequence_of,
        });
    }

    fn add_windows(&mut self, mut windows: TextWindows) {
        let encodings = std::mem::take(&mut windows.encodings);
        let pairs = encodings.iter().enumerate();
        self.sequence_of = self.add(pairs.map(|(window, one)| (windows.input_of(window), one)));
        self.windows = windows;
    }

    /// The sequences of windows of inputs, one for each. A sequence with the tokens of a window that other heads read of the
    /// same input is not added again.
    fn add<'e>(&mut self, windows: impl Iterator<Item = (usize, &'e Encoding)>) -> Vec<usize> {
        let mut taken = HashSet::new();
        windows
            .map(|(input, window)| {
                let sequence = self.sequence(input, window, &taken);
                taken.insert(sequence);
                sequence
            })
            .collect()
    }

    /// The sequence with the tokens of a window of an input, one that is not taken or a new one.
    fn sequence(&mut self, input: usize, window: &Encoding, taken: &HashSet<usize>) -> usize {
        let is_same = |&&sequence: &&usize| {
            let other = &self.encodings[sequence];
            other.input_ids == window.input_ids
                && other.token_type_ids == window.token_type_ids
                && !taken.contains(&sequence)
        };
        if let Some(&sequence) = self.of_input[input].iter().find(is_same) {
            return sequence;
        }
        self.encodings.push(window.clone());
        let sequence = self.encodings.len() - 1;
        self.of_input[input].push(sequence);
        sequence
    }

    /// The window that stands for each sequence.
    fn window_of(&self, sequence_of: &[usize]) -> Vec<Option<usize>> {
        let mut windows = vec![None; self.encodings.len()];
        for (window, &sequence) in sequence_of.iter().enumerate() {
            windows[sequence] = Some(window);
        }
        windows
    }

    /// Room for the outputs of a head; `None` where the sequences are not for such a head.
    pub(super) fn outputs<'h, 's>(&'s self, head: &'h Head) -> Option<Outputs<'h, 's>> {
        match head {
            Head::Text(classifier, model) => {
                let texts = self.texts(classifier)?;
                Some(Outputs::Text(TextOutputs {
                    classifier,
                    model,
                    documents: &texts.documents,
                    window_of: self.window_of(&texts.sequence_of),
                    logits: vec![Vec::new(); texts.sequence_of.len()],
                }))
            }
            Head::Tokens(classifier, model) => Some(Outputs::Tokens {
                classifier,
                model,
                window_of: self.window_of(&self.sequence_of),
                windows: self.windows.clone(),
            }),
        }
    }
}

impl<'h> Outputs<'h, '_> {
    /// Hands the encoder's last hidden state `[B, S, H]` of some sequences to the head.
    pub(super) fn take(
        &mut self,
        encodings: &[Encoding],
        rows: &[usize],
        hidden: &Tensor<3>,
    ) -> Result<(), TaskError> {
        match self {
            Self::Text(text) => {
                let lengths: Vec<usize> = rows.iter().map(|&row| encodings[row].len()).collect();
                text.take(rows, text.model.forward_hidden(hidden.clone(), &lengths))
            }
            Self::Tokens {
                model,
                window_of,
                windows,
                ..
            } => {
                let logits = token_rows(model.forward_hidden(hidden.clone()))?;
                for (&row, logits) in rows.iter().zip(logits) {
                    if let Some(window) = window_of[row] {
                        windows.take(window, logits);
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> HeadPredictions<'h> {
        match self {
            Self::Text(text) => HeadPredictions::Text(text.classifier, text.predictions()),
            Self::Tokens {
                classifier,
                windows,
                ..
            } => HeadPredictions::Tokens(classifier, windows.into_predictions()),
        }
    }
}

impl TextOutputs<'_, '_> {
    /// Hands what the encoder's `forward_pooled` gives of some sequences, `[B, H]`, to the head.
    pub(super) fn take_pooled(
        &mut self,
        rows: &[usize],
        pooled: &Tensor<2>,
    ) -> Result<(), TaskError> {
        self.take(rows, self.model.forward_pooled(pooled.clone()))
    }

    /// Keeps the logits `[B, C]` of some sequences.
    fn take(&mut self, rows: &[usize], logits: Tensor<2>) -> Result<(), TaskError> {
        for (&row, logits) in rows.iter().zip(rows_of(logits)?) {
            if let Some(window) = self.window_of[row] {
                self.logits[window] = logits;
            }
        }
        Ok(())
    }

    fn predictions(self) -> Vec<Prediction> {
        let pool = self.classifier.long_text.pool();
        let logits = pool.pooled_rows(&self.logits, self.documents);
        predictions(logits, self.documents, self.classifier.activation)
    }
}

fn encode(classifier: &TextClassifier, inputs: &[HeadInput]) -> Result<Documents, TaskError> {
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
    classifier.documents(&pairs)
}
