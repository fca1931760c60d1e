use std::num::NonZeroUsize;

use bert_text_classification::BertForSequenceClassification;
use burn::tensor::Device;

use super::{Prediction, TextClassifier};
use crate::pretrained::rows_of;
use crate::shared_encoder::SharedEncoder;
use crate::{HeadOrigin, TrainError};

/// Text classifiers, those of natural-language inference among them, on one encoder.
#[derive(Debug)]
pub struct ClassifierHeads {
    encoder: SharedEncoder,
    heads: Vec<(TextClassifier, BertForSequenceClassification)>,
}

impl ClassifierHeads {
    /// Loads the first classifier, whose encoder, tokenizer and maximum length are those of all.
    ///
    /// # Errors
    ///
    /// As [`TextClassifier::load`].
    pub fn load(first: TextClassifier, device: &Device) -> Result<Self, TrainError> {
        let (model, _) = first.load(HeadOrigin::Checkpoint, device)?;
        Ok(Self {
            encoder: SharedEncoder::of(&first.pretrained, &model.bert),
            heads: vec![(first, model)],
        })
    }

    /// Loads another classifier's pooler and classifier, which is all that it has of its own.
    ///
    /// # Errors
    ///
    /// Its encoder is not that of the first, or a tensor is missing, unexpected, mis-shaped or not finite.
    pub fn add(&mut self, classifier: TextClassifier, device: &Device) -> Result<(), TrainError> {
        self.encoder.admit(&classifier.pretrained)?;
        let model = classifier.load_head(&self.encoder, device)?;
        self.heads.push((classifier, model));
        Ok(())
    }

    /// The classifiers with their models, in the order in which they were added.
    pub fn heads(
        &self,
    ) -> impl ExactSizeIterator<Item = (&TextClassifier, &BertForSequenceClassification)> {
        self.heads
            .iter()
            .map(|(classifier, model)| (classifier, model))
    }

    /// Classifies texts and pairs with every head: for each head, in their order, one prediction a text. `tick` is called
    /// with the share that is done.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or the texts do not fit the model.
    pub fn predict(
        &self,
        texts: &[(&str, Option<&str>)],
        batch_size: NonZeroUsize,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Vec<Vec<Prediction>>, TrainError> {
        let (first, _) = &self.heads[0];
        let encodings = first.encode_texts(texts)?;
        let mut outputs = vec![vec![None; texts.len()]; self.heads.len()];
        self.encoder
            .forward_all(&encodings, batch_size, device, tick, |rows, hidden| {
                for ((classifier, model), outputs) in self.heads.iter().zip(&mut outputs) {
                    let logits = rows_of(model.forward_hidden(hidden.clone())?);
                    for (&row, logits) in rows.iter().zip(logits) {
                        let cut = encodings[row].truncated_tokens;
                        outputs[row] = Some(Prediction::new(logits, classifier.problem_type, cut));
                    }
                }
                Ok(())
            })?;
        let complete = |outputs: Vec<Option<Prediction>>| outputs.into_iter().flatten().collect();
        Ok(outputs.into_iter().map(complete).collect())
    }
}
