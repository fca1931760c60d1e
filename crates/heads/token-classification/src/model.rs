// B batch, S sequence, C labels, H hidden

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, Pooler, linear};
use bert_kernels::{CrossEntropyOptions, weighted_cross_entropy};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Int, Tensor};

use crate::head_keys;

/// An encoder with a head that labels every token, to be initialised.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenClassificationConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// Number C of labels.
    pub num_labels: usize,
}

/// Encoder, dropout and a linear classifier on every token's last hidden state.
#[derive(Module, Debug)]
pub struct ModelForTokenClassification {
    /// The encoder.
    pub encoder: Encoder,
    /// Of each token, in families that have it.
    pub pooler: Option<Pooler>,
    /// Before the classifier: [`EncoderConfig::token_classifier_dropout_prob`].
    pub dropout: Dropout,
    /// `[H, C]`.
    pub classifier: Linear,
}

impl TokenClassificationConfig {
    /// A classifier with fresh weights.
    ///
    /// # Errors
    ///
    /// The encoder's configuration does not validate, its family has no such head here, or there are no labels.
    pub fn init(&self, device: &Device) -> Result<ModelForTokenClassification, EncoderError> {
        if self.num_labels == 0 {
            return Err(EncoderError::ZeroSize { key: "num_labels" });
        }
        let encoder = &self.encoder;
        head_keys(encoder.model_type)?;
        Ok(ModelForTokenClassification {
            encoder: encoder.init(device)?,
            pooler: Pooler::of_tokens(encoder, device),
            dropout: DropoutConfig::new(encoder.token_classifier_dropout_prob()).init(),
            classifier: linear(
                encoder.hidden_size,
                self.num_labels,
                encoder.initializer_range,
                device,
            ),
        })
    }
}

impl ModelForTokenClassification {
    /// Number C of labels.
    pub fn num_labels(&self) -> usize {
        self.classifier.weight.val().dims()[1]
    }

    /// The logits of every token of a batch, padding included.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, S, C]`.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder.
    pub fn forward(&self, input: EncoderInput) -> Result<Tensor<3>, EncoderError> {
        Ok(self.forward_hidden(self.encoder.forward(input)?.last_hidden_state))
    }

    /// The logits from the encoder's last hidden state, for several heads on one encoder.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, S, C]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Tensor<3> {
        let [batch, sequence, width] = last_hidden_state.dims();
        // Burn's backward pass of a linear layer is several times faster on two dimensions.
        let hidden_th = last_hidden_state.reshape([batch * sequence, width]);
        let pooled_th = match &self.pooler {
            Some(pooler) => pooler.forward(hidden_th),
            None => hidden_th,
        };
        let logits_tc = self.classifier.forward(self.dropout.forward(pooled_th));
        let [_, labels] = logits_tc.dims();
        logits_tc.reshape([batch, sequence, labels])
    }
}

/// Mean cross-entropy over the tokens whose label is not −100; 0, with zero gradients, when every label is −100.
///
/// # Shapes
///
/// `logits` `[B, S, C]`, `labels` `[B, S]`, each in 0..C or −100 → `[1]`.
pub fn loss(logits: Tensor<3>, labels: Tensor<2, Int>) -> Tensor<1> {
    weighted_loss(logits, labels, &CrossEntropyOptions::default())
}

/// The same as the options weigh it.
///
/// # Shapes
///
/// `logits` `[B, S, C]`, `labels` `[B, S]`, each in 0..C or −100 → `[1]`.
///
/// # Panics
///
/// There are class weights, but not C.
pub fn weighted_loss(
    logits: Tensor<3>,
    labels: Tensor<2, Int>,
    options: &CrossEntropyOptions,
) -> Tensor<1> {
    let [batch, sequence, classes] = logits.dims();
    weighted_cross_entropy(
        logits.reshape([batch * sequence, classes]),
        labels.reshape([batch * sequence]),
        options,
    )
}
