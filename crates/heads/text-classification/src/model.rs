// B batch, C labels, H hidden

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, linear};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

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
    /// The encoder with its pooler.
    pub bert: Encoder,
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
    /// The encoder's configuration does not validate, or there are no labels.
    pub fn init(&self, device: &Device) -> Result<ModelForSequenceClassification, EncoderError> {
        if self.num_labels == 0 {
            return Err(EncoderError::ZeroSize { key: "num_labels" });
        }
        let encoder = &self.encoder;
        Ok(ModelForSequenceClassification {
            bert: encoder.init(device)?,
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
    /// The input does not fit the encoder, or the encoder has no pooler.
    pub fn forward(&self, input: EncoderInput) -> Result<Tensor<2>, EncoderError> {
        Ok(self.classify(self.bert.pool(input)?))
    }

    /// The logits from the encoder's last hidden state, for several heads on one encoder: the pooler is this head's own.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, C]`.
    ///
    /// # Errors
    ///
    /// The encoder has no pooler.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Result<Tensor<2>, EncoderError> {
        let pooler = self.bert.pooler.as_ref().ok_or(EncoderError::NoPooler)?;
        Ok(self.classify(pooler.forward(last_hidden_state)))
    }

    fn classify(&self, pooled_bh: Tensor<2>) -> Tensor<2> {
        self.classifier.forward(self.dropout.forward(pooled_bh))
    }
}
