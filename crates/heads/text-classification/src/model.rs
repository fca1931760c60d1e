// B batch, C labels, H hidden

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, Pooler, linear};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::head_keys;

/// What the labels of a classifier are: `problem_type` of config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemType {
    /// Numbers.
    Regression,
    /// Exactly one of C classes.
    SingleLabelClassification,
    /// Any number of C classes.
    MultiLabelClassification,
}

/// An encoder with a classification head, to be initialised.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceClassificationConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// Number C of labels, or of regression targets.
    pub num_labels: usize,
}

/// Encoder, pooler, dropout and a linear classifier on the pooled output.
#[derive(Module, Debug)]
pub struct ModelForSequenceClassification {
    /// The encoder.
    pub encoder: Encoder,
    /// Of the sequence.
    pub pooler: Pooler,
    /// `classifier_dropout`, else `hidden_dropout_prob`.
    pub dropout: Dropout,
    /// `[H, C]`.
    pub classifier: Linear,
}

impl SequenceClassificationConfig {
    /// A classifier with fresh weights.
    ///
    /// # Errors
    ///
    /// The encoder's configuration does not validate, its family has no such head here, or there are no labels.
    pub fn init(&self, device: &Device) -> Result<ModelForSequenceClassification, EncoderError> {
        if self.num_labels == 0 {
            return Err(EncoderError::ZeroSize { key: "num_labels" });
        }
        let encoder = &self.encoder;
        head_keys(encoder.model_type)?;
        Ok(ModelForSequenceClassification {
            encoder: encoder.init(device)?,
            pooler: Pooler::new(encoder, device),
            dropout: DropoutConfig::new(encoder.classifier_dropout_prob()).init(),
            classifier: linear(
                encoder.hidden_size,
                self.num_labels,
                encoder.initializer_range,
                device,
            ),
        })
    }
}

impl ModelForSequenceClassification {
    /// Number C of labels.
    pub fn num_labels(&self) -> usize {
        self.classifier.weight.val().dims()[1]
    }

    /// The logits of a batch.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, C]`.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder.
    pub fn forward(&self, input: EncoderInput) -> Result<Tensor<2>, EncoderError> {
        let pooled = self.encoder.forward_pooled(input, self.pooler.pooling())?;
        Ok(self.forward_pooled(pooled))
    }

    /// The logits from what the encoder's `forward_pooled` gives with the pooler's pooling, for several heads on one encoder.
    ///
    /// # Shapes
    ///
    /// `[B, H]` → `[B, C]`.
    pub fn forward_pooled(&self, pooled: Tensor<2>) -> Tensor<2> {
        let pooled = self.pooler.forward(pooled);
        self.classifier.forward(self.dropout.forward(pooled))
    }

    /// The logits from the encoder's last hidden state of rows of so many tokens, for heads of several kinds on one encoder:
    /// the pooler is this head's own.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]`, B lengths → `[B, C]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        self.forward_pooled(self.pooler.pooling().of_hidden(last_hidden_state, lengths))
    }
}
