use std::path::Path;

use bert_encoder::Encoder;
use bert_text_classification::metrics::{
    evaluate_multi_label, evaluate_regression, evaluate_single_label, multi_hot,
};
use bert_text_classification::{ModelForSequenceClassification, loss, weighted_loss};
use burn::tensor::{Device, Tensor, TensorData};

use super::examine::examination;
use super::predict::{Prediction, best_label, predictions};
use super::{Activation, Split, Targets, TextClassifier};
use crate::inference::{MeanLoss, batch, rows_of};
use crate::{BatchLoss, Evaluation, Metrics, Position, RunOptions, Task, TaskError};

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The figures.
    pub evaluation: Evaluation,
    /// One prediction a row, in the order of the data.
    pub predictions: Vec<Prediction>,
}

impl TextClassifier {
    /// Scores a model on labelled data.
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    pub fn evaluate(
        &self,
        model: &ModelForSequenceClassification,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        let (logits, loss) = self.logits_and_loss(model, split, run)?;
        // The scores are what the loss takes the logits for, as the figures are.
        let activation = Activation::of_problem(self.problem_type);
        Ok(Scored {
            evaluation: self
                .figures(&logits, &split.targets, loss)?
                .with(examination(&self.labels, &logits, split)),
            predictions: predictions(logits, &split.documents, activation),
        })
    }

    /// The figures of some of the rows that were scored, each as often as it is listed; without the loss.
    ///
    /// # Errors
    ///
    /// There are no rows.
    pub fn figures_of(
        &self,
        scored: &Scored,
        split: &Split,
        rows: &[usize],
    ) -> Result<Metrics, TaskError> {
        let logits = rows
            .iter()
            .map(|&row| scored.predictions[row].logits.clone());
        let logits: Vec<Vec<f32>> = logits.collect();
        let mut metrics = self
            .figures(&logits, &split.targets.of_rows(rows), 0.0)?
            .metrics;
        metrics.remove("loss");
        Ok(metrics)
    }

    /// The logits of every example and the mean loss.
    pub(crate) fn logits_and_loss(
        &self,
        model: &ModelForSequenceClassification,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<(Vec<Vec<f32>>, f64), TaskError> {
        let (device, batch_size) = (run.device, run.batch_size.get());
        let windows = split.documents.windows();
        let forward = |_: &[usize], input| rows_of(model.forward(input)?);
        let logits = self.pretrained.forward_shared_rows(windows, run, forward)?;
        let logits = self.long_text.pool().pooled_rows(&logits, &split.documents);
        let mut mean_loss = MeanLoss::default();
        let rows: Vec<usize> = (0..logits.len()).collect();
        for rows in rows.chunks(batch_size) {
            let of_rows = logits[rows[0]..rows[0] + rows.len()].concat();
            let of_rows = TensorData::new(of_rows, [rows.len(), self.labels.len()]);
            let labels = split.targets.labels(rows, device);
            let mean = loss(Tensor::from_data(of_rows, device), labels);
            mean_loss.add(mean.into_scalar::<f32>(), rows.len());
        }
        Ok((logits, mean_loss.mean()))
    }

    fn figures(
        &self,
        logits: &[Vec<f32>],
        targets: &Targets,
        loss: f64,
    ) -> Result<Evaluation, TaskError> {
        match targets {
            Targets::Classes(classes) => {
                let predicted: Vec<usize> = logits.iter().map(|row| best_label(row)).collect();
                let metrics = evaluate_single_label(&predicted, classes, self.labels.len())
                    .map_err(TaskError::metrics)?;
                Ok(Evaluation::of(&metrics, loss, "accuracy", metrics.accuracy))
            }
            Targets::MultiHot(hot) => {
                let predicted = multi_hot(&logits.concat()).map_err(TaskError::metrics)?;
                let references: Vec<bool> = hot.iter().flatten().map(|&one| one > 0.5).collect();
                let metrics = evaluate_multi_label(&predicted, &references, self.labels.len())
                    .map_err(TaskError::metrics)?;
                Ok(Evaluation::of(&metrics, loss, "f1_micro", metrics.f1_micro))
            }
            Targets::Values(values) => {
                let metrics =
                    evaluate_regression(&logits.concat(), values).map_err(TaskError::metrics)?;
                let score = metrics.pearson.unwrap_or(f64::NEG_INFINITY);
                Ok(Evaluation::of(&metrics, loss, "pearson", score))
            }
        }
    }
}

impl Task for TextClassifier {
    type Model = ModelForSequenceClassification;
    type Split = Split;

    fn encoder_layers(&self) -> usize {
        self.pretrained.encoder.num_hidden_layers
    }

    fn encoder_mut<'m>(&self, model: &'m mut Self::Model) -> &'m mut Encoder {
        &mut model.encoder
    }

    fn lengths(&self, split: &Split) -> Vec<usize> {
        split.documents.lengths()
    }

    fn label_count(&self, _train: &Split, rows: &[usize], _position: Position) -> usize {
        rows.len()
    }

    /// The mean of one class a row is weighted by class; that of several goes over all of them alike.
    fn label_weight(&self, train: &Split, rows: &[usize], _position: Position) -> f64 {
        match (&self.loss_options.class_weights, &train.targets) {
            (Some(weights), Targets::Classes(classes)) => rows
                .iter()
                .map(|&row| f64::from(weights[classes[row]]))
                .sum(),
            _ => rows.len() as f64,
        }
    }

    fn classes(&self, split: &Split) -> Option<Vec<usize>> {
        match &split.targets {
            Targets::Classes(classes) => Some(classes.clone()),
            Targets::MultiHot(_) | Targets::Values(_) => None,
        }
    }

    fn example_figures(&self, split: &Split) -> Result<Option<Evaluation>, TaskError> {
        let logits = vec![vec![0.0; self.labels.len()]; split.len()];
        self.figures(&logits, &split.targets, 0.0).map(Some)
    }

    fn loss(
        &self,
        model: &Self::Model,
        train: &Split,
        rows: &[usize],
        _position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let documents = &train.documents;
        let windows = rows.iter().flat_map(|&row| documents.of(row));
        let (input, tokens) = batch(windows)?;
        let pool = self.long_text.pool();
        let logits = pool.pooled(model.forward(input)?, &documents.counts(rows));
        let labels = train.targets.labels(rows, device);
        Ok(BatchLoss {
            loss: weighted_loss(logits, labels, &self.loss_options),
            tokens,
        })
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError> {
        Ok(self.evaluate(model, split, run)?.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.save(model, dir)
    }
}
