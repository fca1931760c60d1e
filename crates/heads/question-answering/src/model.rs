// B batch, S sequence, H hidden

use bert_encoder::{BertConfig, BertInput, BertModel, EncoderError, Pooling, linear};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

/// One logit for an answer's start and one for its end.
const OUTPUTS: usize = 2;

/// An encoder with a span head, to be initialised.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionAnsweringConfig {
    /// The encoder.
    pub encoder: BertConfig,
}

/// Encoder without pooler, and a linear map to two logits a token.
#[derive(Module, Debug)]
pub struct BertForQuestionAnswering {
    /// The encoder.
    pub bert: BertModel,
    /// `[H, 2]`; the first output is the start's.
    pub qa_outputs: Linear,
}

/// How likely each token is to be an answer's first and last one.
#[derive(Debug, Clone)]
pub struct SpanLogits {
    /// `[B, S]`.
    pub start_logits: Tensor<2>,
    /// `[B, S]`.
    pub end_logits: Tensor<2>,
}

impl QuestionAnsweringConfig {
    /// A model with fresh weights.
    ///
    /// # Errors
    ///
    /// The encoder's configuration does not validate.
    pub fn init(&self, device: &Device) -> Result<BertForQuestionAnswering, EncoderError> {
        let encoder = &self.encoder;
        Ok(BertForQuestionAnswering {
            bert: encoder.init_with(Pooling::None, device)?,
            qa_outputs: linear(
                encoder.hidden_size,
                OUTPUTS,
                encoder.initializer_range,
                device,
            ),
        })
    }
}

impl BertForQuestionAnswering {
    /// The logits of a batch of windows.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → two of `[B, S]`, also at the question, at special tokens and at padding.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder.
    pub fn forward(&self, input: BertInput) -> Result<SpanLogits, EncoderError> {
        let hidden_bsh = self.bert.forward(input)?.last_hidden_state;
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
        let logits = self.qa_outputs.forward(flat);
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
