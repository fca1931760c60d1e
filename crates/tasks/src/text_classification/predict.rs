use bert_kernels::softmax;
use bert_text::Encoding;
use bert_text_classification::{ModelForSequenceClassification, ProblemType};

use super::TextClassifier;
use crate::inference::rows_of;
use crate::{RunOptions, TaskError};

/// The outputs for one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The model's raw outputs in id order.
    pub logits: Vec<f32>,
    /// What transformers' pipeline reports as scores, in id order: softmax for single label, sigmoid for multi label, the
    /// logits for regression.
    pub scores: Vec<f32>,
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
    pub(crate) fn new(
        logits: Vec<f32>,
        problem_type: ProblemType,
        truncated_tokens: usize,
    ) -> Self {
        let scores = match problem_type {
            ProblemType::SingleLabelClassification => softmax(&logits),
            ProblemType::MultiLabelClassification => logits.iter().map(|&x| sigmoid(x)).collect(),
            ProblemType::Regression => logits.clone(),
        };
        Self {
            logits,
            scores,
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

fn sigmoid(x: f32) -> f32 {
    (1.0 / (1.0 + f64::from(-x).exp())) as f32
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
        Ok(self.predictions(logits, &encodings))
    }

    /// The logits of some encodings as predictions.
    pub(crate) fn predictions(
        &self,
        logits: Vec<Vec<f32>>,
        encodings: &[Encoding],
    ) -> Vec<Prediction> {
        let rows = logits.into_iter().zip(encodings);
        let prediction = |(logits, encoding): (_, &Encoding)| {
            Prediction::new(logits, self.problem_type, encoding.truncated_tokens)
        };
        rows.map(prediction).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_softmax_sigmoid_or_the_logits() {
        let logits = vec![1000.0, 1000.0, -1000.0];
        let of = |problem_type| Prediction::new(logits.clone(), problem_type, 0).scores;
        assert_eq!(of(ProblemType::SingleLabelClassification), [0.5, 0.5, 0.0]);
        assert_eq!(of(ProblemType::MultiLabelClassification), [1.0, 1.0, 0.0]);
        assert_eq!(of(ProblemType::Regression), logits);
    }

    #[test]
    fn the_best_label_is_the_first_of_the_highest() {
        let prediction = Prediction::new(
            vec![0.1, 0.7, 0.7],
            ProblemType::SingleLabelClassification,
            0,
        );
        assert_eq!(prediction.best().id, 1);
        let regression = Prediction::new(vec![-3.5], ProblemType::Regression, 0);
        assert_eq!(regression.best(), ClassProbability { id: 0, score: -3.5 });
    }
}
