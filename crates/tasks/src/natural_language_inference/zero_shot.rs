use std::path::Path;

use bert_nli::Role;
use bert_nli::zero_shot::{HypothesisTemplate, ZeroShotIds, ranked, scores};
use bert_text_classification::ModelForSequenceClassification;

use super::label2id;
use crate::inference::rows_of;
use crate::text_classification::TextClassifier;
use crate::{Documents, LongText, RunOptions, TaskError};

/// A checkpoint of natural-language inference that gives texts labels it was never trained on.
#[derive(Debug, Clone)]
pub struct ZeroShotClassifier {
    /// What loads the weights.
    pub classifier: TextClassifier,
    /// Which logits count.
    pub ids: ZeroShotIds,
}

/// The labels that every text is scored for, and how.
#[derive(Debug, Clone)]
pub struct ZeroShotQuestion {
    /// The candidate labels.
    pub labels: Vec<String>,
    /// The hypothesis that each of them becomes.
    pub template: HypothesisTemplate,
    /// Whether any number of labels may apply, or exactly one.
    pub multi_label: bool,
}

/// The candidate labels of one text with their scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ZeroShotPrediction {
    /// Indices of the candidate labels, the highest score first.
    pub order: Vec<usize>,
    /// Their scores, in the same order.
    pub scores: Vec<f32>,
    /// The model's raw outputs for each of them, in the same order.
    pub logits: Vec<Vec<f32>>,
    /// Whether the text was cut to keep to the maximum length, for any label.
    pub is_cut: bool,
}

impl ZeroShotClassifier {
    /// Opens a checkpoint. The logits are chosen as transformers' pipeline does, see [`ZeroShotIds::of`].
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a classifier with two labels or more, or lacks a tokenizer.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TaskError> {
        let classifier = TextClassifier::open(dir, max_length)?;
        let num_labels = classifier.labels.len();
        let config = classifier.pretrained.checkpoint().config();
        let names = classifier.labels.names().iter().cloned();
        let pairs = label2id::pairs(config, num_labels)
            .unwrap_or_else(|| names.enumerate().map(|(id, name)| (name, id)).collect());
        let pairs = pairs.iter().map(|(name, id)| (name.as_str(), *id));
        let ids = ZeroShotIds::of(pairs, num_labels)
            .map_err(|error| classifier.pretrained.unfit(error.to_string()))?;
        Ok(Self { classifier, ids })
    }

    /// A warning to show the user: the checkpoint does not say which label is entailment, or the pipeline's rule weighs
    /// entailment against another label than contradiction.
    pub fn doubt(&self) -> Option<String> {
        let name = |id: usize| &self.classifier.labels.names()[id];
        if !self.ids.is_named {
            return Some(format!(
                "no label's name starts with \"entail\", so {:?}, the last one, is taken for entailment, as transformers does; \
                 name the labels in config.json",
                name(self.ids.entailment)
            ));
        }
        (Role::of(name(self.ids.contradiction)) == Some(Role::Neutral)).then(|| {
            format!(
                "a label that is scored alone is weighed against {:?}, as transformers does with this order of labels, and \
                 not against contradiction",
                name(self.ids.contradiction)
            )
        })
    }

    /// Scores every candidate label for every text; the results are in the order of the texts.
    ///
    /// # Errors
    ///
    /// There is no candidate label, a hypothesis is longer than the maximum length, or the texts do not fit the model.
    pub fn predict(
        &self,
        model: &ModelForSequenceClassification,
        texts: &[&str],
        question: &ZeroShotQuestion,
        run: RunOptions<'_>,
    ) -> Result<Vec<ZeroShotPrediction>, TaskError> {
        let candidates = question.labels.len();
        if candidates == 0 {
            return Err(TaskError::NoCandidateLabels);
        }
        let pairs = self.encode(texts, question)?;
        let forward = |_: &[usize], input| rows_of(model.forward(input)?);
        let pretrained = &self.classifier.pretrained;
        let logits = pretrained.forward_rows(pairs.windows(), run, forward)?;
        let pool = self.classifier.long_text.pool();
        let logits = pool.pooled_rows(&logits, &pairs);
        let of_one = |(text, logits): (usize, &[Vec<f32>])| {
            let scores = scores(logits, self.ids, question.multi_label);
            let order = ranked(&scores);
            let mut own = text * candidates..(text + 1) * candidates;
            ZeroShotPrediction {
                scores: order.iter().map(|&label| scores[label]).collect(),
                logits: order.iter().map(|&label| logits[label].clone()).collect(),
                order,
                is_cut: own.any(|pair| pairs.truncated_tokens(pair) > 0),
            }
        };
        let texts = logits.chunks(candidates).enumerate();
        Ok(texts.map(of_one).collect())
    }

    /// One pair for each text and label, the labels of a text in a row.
    fn encode(&self, texts: &[&str], question: &ZeroShotQuestion) -> Result<Documents, TaskError> {
        let labels = question.labels.iter();
        let hypotheses: Vec<String> = labels.map(|label| question.template.fill(label)).collect();
        let pairs = texts.iter().flat_map(|text| {
            hypotheses
                .iter()
                .map(move |hypothesis| (*text, hypothesis.as_str()))
        });
        if self.classifier.long_text != LongText::Truncate {
            let pairs: Vec<_> = pairs.map(|(text, other)| (text, Some(other))).collect();
            return self.classifier.documents(&pairs);
        }
        let pairs: Vec<(&str, &str)> = pairs.collect();
        let pretrained = &self.classifier.pretrained;
        let tokenizer = &pretrained.tokenizer;
        let encodings = tokenizer.encode_batch_cutting_first(&pairs, pretrained.max_length)?;
        Ok(encodings.into())
    }
}
