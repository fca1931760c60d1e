use std::num::NonZeroUsize;
use std::path::Path;

use bert_kernels::softmax;
use bert_text::Encoding;
use bert_token_classification::metrics::{EntityMetrics, evaluate};
use bert_token_classification::tags::Scheme;
use bert_token_classification::transitions::{Transitions, best_label};
use bert_token_classification::{ModelForTokenClassification, loss};
use burn::tensor::{Device, Tensor};

use super::{Split, TokenClassifier};
use crate::pretrained::rows_of;
use crate::{BatchLoss, EVALUATION_BATCH_SIZE, Evaluation, Task, TaskError};

/// A token classifier with its training and evaluation data.
#[derive(Debug)]
pub struct TokenClassificationTask {
    /// Everything about the classifier but its weights.
    pub classifier: TokenClassifier,
    /// What it learns from.
    pub train: Split,
    /// What it is scored on.
    pub eval: Option<Split>,
}

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The figures.
    pub evaluation: Evaluation,
    /// The label of each word of each sentence, in the order of the data.
    pub predictions: Vec<Vec<usize>>,
}

/// The logits of each word of a sentence; `None` for a word without a token.
type WordLogits = Vec<Option<Vec<f32>>>;

impl TokenClassifier {
    /// Scores a model on tagged data. With `constrained` no malformed entity is predicted.
    ///
    /// # Errors
    ///
    /// The data does not fit the model, or has no word.
    pub fn evaluate(
        &self,
        model: &ModelForTokenClassification,
        split: &Split,
        batch_size: NonZeroUsize,
        constrained: bool,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Scored, TaskError> {
        let sentences = split.sentences.iter();
        let mut logits: Vec<WordLogits> = sentences
            .map(|sentence| vec![None; sentence.words.len()])
            .collect();
        let (mut loss_sum, mut labels) = (0.0, 0);
        let take = |rows: &[usize], input| {
            let batch_logits = model.forward(input)?;
            let count = split.label_count(rows);
            let mean: f32 = loss(batch_logits.clone(), split.labels(rows, device)).into_scalar();
            loss_sum += f64::from(mean) * count as f64;
            labels += count;
            for (&row, token_logits) in rows.iter().zip(token_rows(batch_logits)) {
                let window = &split.windows[row];
                for &(token, word) in &window.words {
                    logits[window.sentence][word] = Some(token_logits[token].clone());
                }
            }
            Ok(())
        };
        self.pretrained
            .forward_all(&split.encodings, batch_size, device, tick, take)?;
        let transitions = constrained.then(|| Transitions::of(self.labels.names()));
        let predictions: Vec<Vec<usize>> = logits
            .into_iter()
            .map(|sentence| self.decode(sentence, transitions.as_ref()))
            .collect();
        let metrics = self.score(&predictions, split)?;
        let mean_loss = loss_sum / labels.max(1) as f64;
        // Tags of no scheme of entities, as in part-of-speech tagging, are judged one by one.
        let (selected_by, score) = match metrics.strict {
            Some(_) => ("f1", metrics.default.f1),
            None => ("accuracy", metrics.accuracy),
        };
        Ok(Scored {
            evaluation: Evaluation::of(&metrics, mean_loss, selected_by, score),
            predictions,
        })
    }

    fn decode(&self, logits: WordLogits, transitions: Option<&Transitions>) -> Vec<usize> {
        let outside = self.outside();
        match transitions {
            None => logits
                .iter()
                .map(|word| word.as_deref().map_or(outside, best_label))
                .collect(),
            Some(transitions) => {
                let certain = |id: usize| {
                    let mut scores = vec![0.0; self.labels.len()];
                    scores[id] = 1.0;
                    scores
                };
                let scores: Vec<Vec<f32>> = logits
                    .iter()
                    .map(|word| word.as_deref().map_or_else(|| certain(outside), softmax))
                    .collect();
                transitions.decode(&scores)
            }
        }
    }

    fn score(&self, predictions: &[Vec<usize>], split: &Split) -> Result<EntityMetrics, TaskError> {
        let names = self.labels.names();
        let tags = |ids: &[usize]| -> Vec<&str> { ids.iter().map(|&id| &*names[id]).collect() };
        let predicted: Vec<Vec<&str>> = predictions.iter().map(|ids| tags(ids)).collect();
        let sentences = split.sentences.iter();
        let references: Vec<Vec<&str>> = sentences.map(|sentence| tags(&sentence.labels)).collect();
        Ok(evaluate(&predicted, &references, Scheme::of(names))?)
    }
}

/// The logits of each token of each row of a batch, `[B, S, C]`.
pub(crate) fn token_rows(logits: Tensor<3>) -> Vec<Vec<Vec<f32>>> {
    let [batch, sequence, labels] = logits.dims();
    let rows = rows_of(logits.reshape([batch * sequence, labels]));
    rows.chunks(sequence.max(1)).map(<[_]>::to_vec).collect()
}

impl Task for TokenClassificationTask {
    type Model = ModelForTokenClassification;
    type Split = Split;

    fn lengths(&self) -> &[usize] {
        &self.train.lengths
    }

    fn label_count(&self, rows: &[usize]) -> usize {
        self.train.label_count(rows)
    }

    fn encoder_layers(&self) -> usize {
        self.classifier.pretrained.encoder.num_hidden_layers
    }

    fn loss(
        &self,
        model: &Self::Model,
        rows: &[usize],
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let encodings: Vec<&Encoding> =
            rows.iter().map(|&row| &self.train.encodings[row]).collect();
        let (input, tokens) = self.classifier.pretrained.batch(&encodings, device);
        let logits = model.forward(input)?;
        Ok(BatchLoss {
            loss: loss(logits, self.train.labels(rows, device)),
            tokens,
        })
    }

    fn evaluation_split(&self) -> Option<&Split> {
        self.eval.as_ref()
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Evaluation, TaskError> {
        let batch_size = EVALUATION_BATCH_SIZE;
        let scored = self
            .classifier
            .evaluate(model, split, batch_size, false, device, tick)?;
        Ok(scored.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.classifier.save(model, dir)
    }
}
