use bert_text::Encoding;
use bert_text_classification::ModelForSequenceClassification;

use super::{Activation, TextClassifier};
use crate::inference::rows_of;
use crate::{RunOptions, TaskError};

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
    pub(crate) fn new(logits: Vec<f32>, activation: Activation, truncated_tokens: usize) -> Self {
        Self {
            scores: activation.apply(&logits),
            logits,
            activation,
            truncated_tokens,
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
        let encodings = self.pretrained.encode(texts)?;
        let forward = |_: &[usize], input| Ok(rows_of(model.forward(input)?));
        let logits = self.pretrained.forward_rows(&encodings, run, forward)?;
        Ok(predictions(logits, &encodings, self.activation))
    }
}

/// The logits of some encodings as predictions.
pub(crate) fn predictions(
    logits: Vec<Vec<f32>>,
    encodings: &[Encoding],
    activation: Activation,
) -> Vec<Prediction> {
    let rows = logits.into_iter().zip(encodings);
    let prediction = |(logits, encoding): (_, &Encoding)| {
        Prediction::new(logits, activation, encoding.truncated_tokens)
    };
    rows.map(prediction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_label_is_the_first_of_the_highest() {
        let prediction = Prediction::new(vec![0.1, 0.7, 0.7], Activation::Softmax, 0);
        assert_eq!(prediction.best().id, 1);
        let regression = Prediction::new(vec![-3.5], Activation::None, 0);
        assert_eq!(regression.best(), ClassProbability { id: 0, score: -3.5 });
    }
}
