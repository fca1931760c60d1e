use std::borrow::Cow;
use std::path::Path;

use bert_encoder::Encoder;
use bert_report::Examination;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{RunOptions, TaskError};

/// Named figures, in the order in which they are shown.
pub type Metrics = Map<String, Value>;

/// The loss of one forward pass.
#[derive(Debug)]
pub struct BatchLoss {
    /// Mean over the labels of the batch, `[1]`.
    pub loss: Tensor<1>,
    /// Tokens that are not padding.
    pub tokens: usize,
}

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Every figure.
    pub metrics: Metrics,
    /// The name of the figure that decides which checkpoint is best.
    pub selected_by: Cow<'static, str>,
    /// Its value, negated where lower is better: a higher score is better.
    pub score: f64,
    /// What single predictions tell beyond the figures.
    pub examination: Examination,
}

impl Evaluation {
    /// The figures of a serializable struct, with the mean loss.
    pub fn of(
        figures: &impl Serialize,
        loss: f64,
        selected_by: impl Into<Cow<'static, str>>,
        score: f64,
    ) -> Self {
        let mut metrics = Metrics::new();
        if let Value::Object(figures) = json!(figures) {
            metrics.extend(figures);
        }
        metrics.insert("loss".into(), json!(loss));
        Self {
            metrics,
            selected_by: selected_by.into(),
            score,
            examination: Examination::default(),
        }
    }

    /// The same with what single predictions tell.
    pub fn with(self, examination: Examination) -> Self {
        Self {
            examination,
            ..self
        }
    }

    /// The same, selected by another of its figures. Figures within others are named with points: `labels.neutral.f1`.
    /// Lower is better for losses, errors and perplexities. `eval_` may stand before the name, as in transformers.
    ///
    /// # Errors
    ///
    /// There is no such figure, or it is no number.
    pub fn selected_by(self, figure: &str) -> Result<Self, TaskError> {
        let figure = figure.strip_prefix("eval_").unwrap_or(figure);
        let known = figures(&self.metrics);
        let value = known.iter().find(|(name, _)| name == figure);
        let Some((_, value)) = value else {
            return Err(TaskError::UnknownFigure {
                figure: figure.to_owned(),
                known: known.into_iter().map(|(name, _)| name).collect(),
            });
        };
        // What is not defined, such as a correlation with a constant, is no better than anything.
        let score = match value {
            None => f64::NEG_INFINITY,
            Some(value) if lower_is_better(figure) => -value,
            Some(value) => *value,
        };
        Ok(Self {
            selected_by: figure.to_owned().into(),
            score,
            ..self
        })
    }
}

/// Every figure that is a number, or would be if it were defined, by its name; figures within others by names with points.
pub fn figures(metrics: &Metrics) -> Vec<(String, Option<f64>)> {
    let mut found = Vec::new();
    for (name, value) in metrics {
        match value {
            Value::Object(inner) => found.extend(
                figures(inner)
                    .into_iter()
                    .map(|(below, value)| (format!("{name}.{below}"), value)),
            ),
            Value::Number(number) => found.push((name.clone(), number.as_f64())),
            Value::Null => found.push((name.clone(), None)),
            Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
        }
    }
    found
}

/// Whether a lower value of a figure is the better one.
pub fn lower_is_better(figure: &str) -> bool {
    let name = figure.rsplit('.').next().unwrap_or(figure);
    ["loss", "error", "mse", "perplexity"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// The place of a batch in a run. Random choices about training data are drawn from these counters, so that they are the
/// same whenever the run comes to this place again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Seed of the run.
    pub seed: u64,
    /// Finished passes over the training data. Each pass sees a row once.
    pub epoch: u64,
}

/// What a training loop needs of a downstream task. The type that implements it is the task's setup: everything about a
/// model but its weights.
pub trait Task {
    /// The model that is trained.
    type Model: Module;
    /// A data set ready for the model.
    type Split;

    /// Number of layers of the model's encoder.
    fn encoder_layers(&self) -> usize;

    /// The encoder of a model.
    fn encoder_mut<'m>(&self, model: &'m mut Self::Model) -> &'m mut Encoder;

    /// Whether a training example is the same tokens in each epoch, so that what a frozen part of the model computes of it
    /// can be kept.
    fn has_fixed_inputs(&self) -> bool {
        true
    }

    /// Tokens of each example of a data set. The loop makes batches of similar lengths from them.
    fn lengths(&self, split: &Self::Split) -> Vec<usize>;

    /// How many labels the [`loss`](Self::loss) of these examples averages over.
    fn label_count(&self, train: &Self::Split, rows: &[usize], position: Position) -> usize;

    /// The sum of the weights of the labels that the [`loss`](Self::loss) of these examples averages over: their number,
    /// where no label weighs more than another. With accumulation the loop weights batches by it, so that a step has the loss
    /// of one large batch.
    fn label_weight(&self, train: &Self::Split, rows: &[usize], position: Position) -> f64 {
        self.label_count(train, rows, position) as f64
    }

    /// The class of each example; `None` where an example does not have exactly one.
    fn classes(&self, _split: &Self::Split) -> Option<Vec<usize>> {
        None
    }

    /// An evaluation with the figures that [`score`](Self::score) has, of made-up outputs and without a model; `None` where
    /// only a model can say.
    ///
    /// # Errors
    ///
    /// The data cannot be scored.
    fn example_figures(&self, _split: &Self::Split) -> Result<Option<Evaluation>, TaskError> {
        Ok(None)
    }

    /// The loss of some training examples at a place of the run.
    ///
    /// # Errors
    ///
    /// The batch does not fit the model.
    fn loss(
        &self,
        model: &Self::Model,
        train: &Self::Split,
        rows: &[usize],
        position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError>;

    /// Scores a model in evaluation mode.
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    fn score(
        &self,
        model: &Self::Model,
        split: &Self::Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError>;

    /// Writes a model in evaluation mode as a directory that transformers opens.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> Evaluation {
        let figures = json!({
            "accuracy": 0.75,
            "pearson": null,
            "labels": {"good": {"f1": 0.5}},
            "names": ["a"],
        });
        Evaluation::of(&figures, 0.25, "accuracy", 0.75)
    }

    #[test]
    fn any_figure_selects_and_a_loss_the_other_way_round() {
        let score = |figure| {
            let selected = evaluation().selected_by(figure).expect(figure);
            assert_eq!(selected.selected_by, figure);
            selected.score
        };
        assert_eq!(score("loss"), -0.25);
        assert_eq!(
            evaluation().selected_by("eval_loss").expect("a loss").score,
            -0.25
        );
        assert_eq!(score("labels.good.f1"), 0.5);
        assert_eq!(score("pearson"), f64::NEG_INFINITY);
    }

    #[test]
    fn an_unknown_figure_lists_those_there_are() {
        let error = evaluation().selected_by("f1").expect_err("no such figure");
        let message = error.to_string();
        assert!(
            message.contains("accuracy, pearson, labels.good.f1, loss"),
            "{message}"
        );
    }
}
