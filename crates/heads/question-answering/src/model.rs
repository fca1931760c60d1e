// B batch, S sequence, H hidden

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, Pooler, linear};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Bool, Device, Tensor, TensorData};

use crate::head_keys;

/// One logit for an answer's start and one for its end.
const OUTPUTS: usize = 2;

/// An encoder with a span head, to be initialised.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionAnsweringConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
}

/// Encoder, and a linear layer to two logits a token.
#[derive(Module, Debug)]
pub struct ModelForQuestionAnswering {
    /// The encoder.
    pub encoder: Encoder,
    /// Of each token, in families that have it.
    pub pooler: Option<Pooler>,
    /// Before the outputs: [`EncoderConfig::qa_dropout_prob`].
    pub dropout: Dropout,
    /// `[H, 2]`; the first output is the start's.
    pub qa_outputs: Linear,
}

/// Its exponential is 0, and half precision has it.
const LOWEST: f64 = -6e4;

/// How likely each token is to be an answer's first and last one.
#[derive(Debug, Clone)]
pub struct SpanLogits {
    /// `[B, S]`.
    pub start_logits: Tensor<2>,
    /// `[B, S]`.
    pub end_logits: Tensor<2>,
}

impl SpanLogits {
    /// The same with the lowest number behind each row's length, so that a loss sees the tokens of a window and no padding:
    /// what a window loses then does not depend on the windows beside it. Transformers' own loss does see padding; it is
    /// that of the logits as they are.
    ///
    /// # Shapes
    ///
    /// B lengths for `[B, S]`.
    pub fn within(self, lengths: &[usize]) -> Self {
        let [batch, sequence] = self.start_logits.dims();
        let row = |&length: &usize| (0..sequence).map(move |position| position >= length);
        let is_padding: Vec<bool> = lengths.iter().flat_map(row).collect();
        let is_padding = TensorData::new(is_padding, [batch, sequence]);
        let is_padding = Tensor::<2, Bool>::from_data(is_padding, &self.start_logits.device());
        let hide = |logits: Tensor<2>| logits.mask_fill(is_padding.clone(), LOWEST);
        Self {
            start_logits: hide(self.start_logits),
            end_logits: hide(self.end_logits),
        }
    }
}

impl QuestionAnsweringConfig {
    /// A model with fresh weights.
    ///
    /// # Errors
    ///
    /// The encoder's configuration does not validate, or its family has no such head here.
    pub fn init(&self, device: &Device) -> Result<ModelForQuestionAnswering, EncoderError> {
        let encoder = &self.encoder;
        head_keys(encoder.model_type)?;
        Ok(ModelForQuestionAnswering {
            encoder: encoder.init(device)?,
            pooler: Pooler::of_tokens(encoder, device),
            dropout: DropoutConfig::new(encoder.qa_dropout_prob()).init(),
            qa_outputs: linear(
                encoder.hidden_size,
                OUTPUTS,
                encoder.initializer_range,
                device,
            ),
        })
    }
}

impl ModelForQuestionAnswering {
    /// The logits of a batch of windows.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → two of `[B, S]`, also at the question, at special tokens and at padding.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder.
    pub fn forward(&self, input: EncoderInput) -> Result<SpanLogits, EncoderError> {
        let hidden_bsh = self.encoder.forward(input)?.last_hidden_state;
        Ok(self.forward_hidden(hidden_bsh))
    }

    /// The logits from the encoder's last hidden state, for several heads on one encoder.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → two of `[B, S]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> SpanLogits {
        let [batch, sequence, hidden] = last_hidden_state.dims();
        let flat = last_hidden_state.reshape([batch * sequence, hidden]);
        let pooled = match &self.pooler {
            Some(pooler) => pooler.forward(flat),
            None => flat,
        };
        let logits = self.qa_outputs.forward(self.dropout.forward(pooled));
        let column = |index| {
            logits
                .clone()
                .narrow(1, index, 1)
                .reshape([batch, sequence])
        };
        SpanLogits {
            start_logits: column(0),
            end_logits: column(1),
        }
    }
}
