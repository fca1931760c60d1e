use std::path::Path;

use bert_encoder::Encoder;
use bert_kernels::softmax;
use bert_token_classification::metrics::{EntityMetrics, evaluate};
use bert_token_classification::tags::Scheme;
use bert_token_classification::transitions::{Transitions, best_label};
use bert_token_classification::{ModelForTokenClassification, loss, weighted_loss};
use burn::tensor::Device;

use super::examine::examination;
use super::{Split, TokenClassifier};
use crate::inference::{MeanLoss, batch, lengths, scalar_of, token_rows};
use crate::{BatchLoss, Evaluation, Metrics, Position, RunOptions, Task, TaskError};

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The figures.
    pub evaluation: Evaluation,
    /// The label of each word of each sentence, in the order of the data.
    pub predictions: Vec<Vec<usize>>,
}

/// The logits of each word of a sentence; `None` for a word without a token.
pub(super) type WordLogits = Vec<Option<Vec<f32>>>;

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
        constrained: bool,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        let sentences = split.sentences.iter();
        let mut logits: Vec<WordLogits> = sentences
            .map(|sentence| vec![None; sentence.words.len()])
            .collect();
        let mut mean_loss = MeanLoss::default();
        let device = run.device;
        let forward = |rows: &[usize], input| {
            let batch_logits = model.forward(input)?;
            let mean = scalar_of(loss(batch_logits.clone(), split.labels(rows, device)))?;
            let windows = rows.iter().zip(token_rows(batch_logits)?);
            let words = windows.map(|(&row, mut token_logits)| {
                let words = split.windows[row].words.iter();
                words
                    .map(|&(token, _)| std::mem::take(&mut token_logits[token]))
                    .collect()
            });
            Ok((mean, words.collect()))
        };
        let take = |rows: &[usize], (mean, windows): (f32, Vec<Vec<Vec<f32>>>)| {
            mean_loss.add(mean, split.label_count(rows));
            for (&row, words) in rows.iter().zip(windows) {
                let window = &split.windows[row];
                for (&(_, word), of_word) in window.words.iter().zip(words) {
                    logits[window.sentence][word] = Some(of_word);
                }
            }
        };
        self.pretrained
            .forward_shared(&split.encodings, run, forward, take)?;
        let transitions = constrained.then(|| Transitions::of(self.labels.names()));
        let predictions: Vec<Vec<usize>> = logits
            .iter()
            .map(|sentence| self.decode(sentence, transitions.as_ref()))
            .collect();
        Ok(Scored {
            evaluation: self
                .figures(&predictions, split, mean_loss.mean())?
                .with(examination(
                    self.labels.names(),
                    &logits,
                    &predictions,
                    split,
                )),
            predictions,
        })
    }

    /// The figures of some of the sentences that were scored, each as often as it is listed; without the loss.
    ///
    /// # Errors
    ///
    /// The sentences have no word.
    pub fn figures_of(
        &self,
        scored: &Scored,
        split: &Split,
        sentences: &[usize],
    ) -> Result<Metrics, TaskError> {
        let predicted = sentences
            .iter()
            .map(|&one| scored.predictions[one].as_slice());
        let references = sentences
            .iter()
            .map(|&one| split.sentences[one].labels.as_slice());
        let metrics = self.entity_metrics(predicted, references)?;
        let mut metrics = Evaluation::of(&metrics, 0.0, "f1", 0.0).metrics;
        metrics.remove("loss");
        Ok(metrics)
    }

    fn figures(
        &self,
        predictions: &[Vec<usize>],
        split: &Split,
        loss: f64,
    ) -> Result<Evaluation, TaskError> {
        let references = split
            .sentences
            .iter()
            .map(|sentence| sentence.labels.as_slice());
        let metrics = self.entity_metrics(predictions.iter().map(Vec::as_slice), references)?;
        // Tags of no scheme of entities, as in part-of-speech tagging, are judged one by one.
        let (selected_by, score) = match metrics.strict {
            Some(_) => ("f1", metrics.default.f1),
            None => ("accuracy", metrics.accuracy),
        };
        Ok(Evaluation::of(&metrics, loss, selected_by, score))
    }

    fn decode(&self, logits: &[Option<Vec<f32>>], transitions: Option<&Transitions>) -> Vec<usize> {
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

    fn entity_metrics<'a>(
        &self,
        predictions: impl Iterator<Item = &'a [usize]>,
        references: impl Iterator<Item = &'a [usize]>,
    ) -> Result<EntityMetrics, TaskError> {
        let names = self.labels.names();
        let tags = |ids: &[usize]| -> Vec<&str> { ids.iter().map(|&id| &*names[id]).collect() };
        let predicted: Vec<Vec<&str>> = predictions.map(tags).collect();
        let references: Vec<Vec<&str>> = references.map(tags).collect();
        evaluate(&predicted, &references, Scheme::of(names)).map_err(TaskError::metrics)
    }
}

impl Task for TokenClassifier {
    type Model = ModelForTokenClassification;
    type Split = Split;

    fn encoder_layers(&self) -> usize {
        self.pretrained.encoder.num_hidden_layers
    }

    fn encoder_mut<'m>(&self, model: &'m mut Self::Model) -> &'m mut Encoder {
        &mut model.encoder
    }

    fn lengths(&self, split: &Split) -> Vec<usize> {
        lengths(&split.encodings)
    }

    fn label_count(&self, train: &Split, rows: &[usize], _position: Position) -> usize {
        train.label_count(rows)
    }

    fn label_weight(&self, train: &Split, rows: &[usize], _position: Position) -> f64 {
        match &self.loss_options.class_weights {
            Some(weights) => {
                let labels = train.learned_labels(rows);
                labels.map(|label| f64::from(weights[label])).sum()
            }
            None => train.label_count(rows) as f64,
        }
    }

    fn example_figures(&self, split: &Split) -> Result<Option<Evaluation>, TaskError> {
        let sentences = split.sentences.iter();
        let references: Vec<Vec<usize>> = sentences.map(|one| one.labels.clone()).collect();
        self.figures(&references, split, 0.0).map(Some)
    }

    fn loss(
        &self,
        model: &Self::Model,
        train: &Split,
        rows: &[usize],
        _position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let encodings = rows.iter().map(|&row| &train.encodings[row]);
        let (input, tokens) = batch(encodings)?;
        let logits = model.forward(input)?;
        Ok(BatchLoss {
            loss: weighted_loss(logits, train.labels(rows, device), &self.loss_options),
            tokens,
        })
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError> {
        Ok(self.evaluate(model, split, false, run)?.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.save(model, dir)
    }
}
