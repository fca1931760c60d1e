use bert_text_classification::ModelForSequenceClassification;

use super::{Activation, TextClassifier};
use crate::inference::rows_of;
use crate::{Documents, RunOptions, TaskError};

/// The outputs for one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The model's raw outputs in id order.
    pub logits: Vec<f32>,
    /// What the activation makes of them, in id order.
    pub scores: Vec<f32>,
    /// What made the scores.
    pub activation: Activation,
    /// Tokens of the text that were cut off to keep to the maximum length.
    pub truncated_tokens: usize,
    /// The number of windows that the model has read.
    pub windows: usize,
}

/// A label with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassProbability {
    /// Id of the label.
    pub id: usize,
    /// Its score.
    pub score: f32,
}

impl Prediction {
    fn new(logits: Vec<f32>, activation: Activation) -> Self {
        Self {
            scores: activation.apply(&logits),
            logits,
            activation,
            truncated_tokens: 0,
            windows: 1,
        }
    }

    /// The label with the highest score, the lower id where two are equal.
    pub fn best(&self) -> ClassProbability {
        let id = best_label(&self.scores);
        let score = self.scores.get(id).copied();
        ClassProbability {
            id,
            score: score.unwrap_or(f32::NEG_INFINITY),
        }
    }
}

/// The label with the highest value, the lower id where two are equal.
pub(crate) fn best_label(values: &[f32]) -> usize {
    let candidates = 1..values.len();
    candidates.fold(
        0,
        |best, id| if values[id] > values[best] { id } else { best },
    )
}

impl TextClassifier {
    /// Classifies texts and pairs; the results are in their order.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or the texts do not fit the model.
    pub fn predict(
        &self,
        model: &ModelForSequenceClassification,
        texts: &[(&str, Option<&str>)],
        run: RunOptions<'_>,
    ) -> Result<Vec<Prediction>, TaskError> {
        let documents = self.documents(texts)?;
        let forward = |_: &[usize], input| rows_of(model.forward(input)?);
        let windows = documents.windows();
        let logits = self.pretrained.forward_rows(windows, run, forward)?;
        let logits = self.long_text.pool().pooled_rows(&logits, &documents);
        Ok(predictions(logits, &documents, self.activation))
    }
}

/// The logits of some texts as predictions.
pub(crate) fn predictions(
    logits: Vec<Vec<f32>>,
    documents: &Documents,
    activation: Activation,
) -> Vec<Prediction> {
    let texts = logits.into_iter().enumerate();
    let prediction = |(text, logits)| Prediction {
        truncated_tokens: documents.truncated_tokens(text),
        windows: documents.of(text).len(),
        ..Prediction::new(logits, activation)
    };
    texts.map(prediction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_label_is_the_first_of_the_highest() {
        let prediction = Prediction::new(vec![0.1, 0.7, 0.7], Activation::Softmax);
        assert_eq!(prediction.best().id, 1);
        let regression = Prediction::new(vec![-3.5], Activation::None);
        assert_eq!(regression.best(), ClassProbability { id: 0, score: -3.5 });
    }
}
