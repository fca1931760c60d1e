// B batch, S sequence, M masked tokens, H hidden, V vocabulary

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, Pooling, linear};
use bert_kernels::masked_cross_entropy;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor};

use crate::{MaskedTokens, PredictionHead};

/// Classes of next sentence prediction: 0, the second text follows the first; 1, it does not.
const NEXT_SENTENCE_CLASSES: usize = 2;

/// An encoder that predicts masked tokens.
#[derive(Module, Debug)]
pub struct ModelForMaskedLM {
    /// The encoder, without pooler.
    pub bert: Encoder,
    /// The head, tied to the encoder's word embeddings.
    pub predictions: PredictionHead,
}

/// An encoder that predicts whether one text follows another.
#[derive(Module, Debug)]
pub struct ModelForNextSentencePrediction {
    /// The encoder with its pooler.
    pub bert: Encoder,
    /// `[H, 2]`.
    pub seq_relationship: Linear,
}

/// An encoder that predicts both.
#[derive(Module, Debug)]
pub struct ModelForPreTraining {
    /// The encoder with its pooler.
    pub bert: Encoder,
    /// The head, tied to the encoder's word embeddings.
    pub predictions: PredictionHead,
    /// `[H, 2]`.
    pub seq_relationship: Linear,
}

/// What the three models have in common, so that one trainer serves them all.
pub trait PretrainingModel: Module {
    /// The class of transformers with these parameters.
    const ARCHITECTURE: &'static str;
    /// Whether there is a head for masked tokens.
    const PREDICTS_TOKENS: bool;
    /// Whether there is a head for next sentences.
    const PREDICTS_PAIRS: bool;

    /// A model with fresh weights.
    ///
    /// # Errors
    ///
    /// The encoder's configuration does not validate.
    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError>;

    /// The encoder.
    fn encoder(&self) -> &Encoder;

    /// The encoder, to be changed.
    fn encoder_mut(&mut self) -> &mut Encoder;

    /// The head for masked tokens, if there is one.
    fn predictions(&self) -> Option<&PredictionHead>;

    /// The head for next sentences, if there is one.
    fn seq_relationship(&self) -> Option<&Linear>;

    /// The logits of some tokens, if there is a head for them.
    ///
    /// # Shapes
    ///
    /// `[M, H]` → `[M, V]`.
    fn prediction_logits(&self, hidden: Tensor<2>) -> Option<Tensor<2>> {
        let word_embeddings = || self.encoder().embeddings.word_embeddings.weight.val();
        let head = self.predictions()?;
        Some(head.forward(hidden, word_embeddings()))
    }

    /// The logits of the pairs, if there is a head for them.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, 2]`.
    ///
    /// # Errors
    ///
    /// There is a head, but the encoder has no pooler.
    fn seq_relationship_logits(
        &self,
        last_hidden_state: Tensor<3>,
    ) -> Result<Option<Tensor<2>>, EncoderError> {
        let Some(head) = self.seq_relationship() else {
            return Ok(None);
        };
        let pooler = self.encoder().pooler.as_ref();
        let pooler = pooler.ok_or(EncoderError::NoPooler)?;
        Ok(Some(head.forward(pooler.forward(last_hidden_state))))
    }

    /// The loss of a batch, `[1]`: the mean over the masked tokens, plus the mean over the pairs, as far as the model has
    /// the heads and the batch the labels. `next_sentence` is one class a row, `[B]`. A batch without masked tokens adds 0.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder.
    fn loss(
        &self,
        input: EncoderInput,
        masked: Option<&MaskedTokens>,
        next_sentence: Option<Tensor<1, Int>>,
    ) -> Result<Tensor<1>, EncoderError> {
        let (encoder, shape) = (self.encoder(), input.input_ids.dims());
        let device = input.input_ids.device();
        let masked_lm = |masked: &MaskedTokens, hidden_mh| {
            let logits_mv = self.prediction_logits(hidden_mh)?;
            Some(masked_cross_entropy(logits_mv, masked.labels()))
        };
        let masked = masked.filter(|_| Self::PREDICTS_TOKENS);
        let (tokens, pairs) = match (masked, next_sentence.filter(|_| Self::PREDICTS_PAIRS)) {
            (Some(masked), Some(classes_b)) => {
                let hidden_bsh = encoder.forward(input)?.last_hidden_state;
                let logits_b2 = self.seq_relationship_logits(hidden_bsh.clone())?;
                (
                    masked_lm(masked, masked.select(hidden_bsh)),
                    logits_b2.map(|logits_b2| masked_cross_entropy(logits_b2, classes_b)),
                )
            }
            (Some(masked), None) => {
                let hidden_mh = encoder.forward_selected(input, &masked.positions(shape))?;
                (masked_lm(masked, hidden_mh), None)
            }
            (None, Some(classes_b)) => {
                let pooled_bh = encoder.pool(input)?;
                let logits_b2 = self.seq_relationship().map(|head| head.forward(pooled_bh));
                let loss = |logits_b2| masked_cross_entropy(logits_b2, classes_b);
                (None, logits_b2.map(loss))
            }
            (None, None) => (None, None),
        };
        Ok(match (tokens, pairs) {
            (Some(tokens), Some(pairs)) => tokens + pairs,
            (Some(loss), None) | (None, Some(loss)) => loss,
            (None, None) => Tensor::zeros([1], &device),
        })
    }
}

/// `[B, S, H]` → `[B, S, V]`.
fn every_token(
    head: &PredictionHead,
    encoder: &Encoder,
    last_hidden_state: Tensor<3>,
) -> Tensor<3> {
    let [batch, sequence, hidden] = last_hidden_state.dims();
    let hidden_th = last_hidden_state.reshape([batch * sequence, hidden]);
    let logits_tv = head.forward(hidden_th, encoder.embeddings.word_embeddings.weight.val());
    let [_, vocabulary] = logits_tv.dims();
    logits_tv.reshape([batch, sequence, vocabulary])
}

fn seq_relationship(config: &EncoderConfig, device: &Device) -> Linear {
    let range = config.initializer_range;
    linear(config.hidden_size, NEXT_SENTENCE_CLASSES, range, device)
}

impl ModelForMaskedLM {
    /// The logits of every token.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, S, V]`.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder.
    pub fn forward(&self, input: EncoderInput) -> Result<Tensor<3>, EncoderError> {
        Ok(self.forward_hidden(self.bert.forward(input)?.last_hidden_state))
    }

    /// The logits of every token from the encoder's last hidden state, for several heads on one encoder.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, S, V]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Tensor<3> {
        every_token(&self.predictions, &self.bert, last_hidden_state)
    }
}

impl ModelForNextSentencePrediction {
    /// The logits of the pairs.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, 2]`.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder, or the encoder has no pooler.
    pub fn forward(&self, input: EncoderInput) -> Result<Tensor<2>, EncoderError> {
        Ok(self.seq_relationship.forward(self.bert.pool(input)?))
    }

    /// The logits of the pairs from the encoder's last hidden state, for several heads on one encoder: the pooler is this
    /// head's own.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, 2]`.
    ///
    /// # Errors
    ///
    /// The encoder has no pooler.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Result<Tensor<2>, EncoderError> {
        let pooler = self.bert.pooler.as_ref().ok_or(EncoderError::NoPooler)?;
        Ok(self
            .seq_relationship
            .forward(pooler.forward(last_hidden_state)))
    }
}

impl ModelForPreTraining {
    /// The logits of every token and of the pairs.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, S, V]` and `[B, 2]`.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder, or the encoder has no pooler.
    pub fn forward(&self, input: EncoderInput) -> Result<(Tensor<3>, Tensor<2>), EncoderError> {
        let output = self.bert.forward(input)?;
        let pooled_bh = output.pooler_output.ok_or(EncoderError::NoPooler)?;
        let hidden_bsh = output.last_hidden_state;
        Ok((
            every_token(&self.predictions, &self.bert, hidden_bsh),
            self.seq_relationship.forward(pooled_bh),
        ))
    }
}

impl PretrainingModel for ModelForMaskedLM {
    const ARCHITECTURE: &'static str = "BertForMaskedLM";
    const PREDICTS_TOKENS: bool = true;
    const PREDICTS_PAIRS: bool = false;

    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        Ok(Self {
            bert: config.init_with(Pooling::None, device)?,
            predictions: PredictionHead::new(config, device),
        })
    }

    fn encoder(&self) -> &Encoder {
        &self.bert
    }

    fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.bert
    }

    fn predictions(&self) -> Option<&PredictionHead> {
        Some(&self.predictions)
    }

    fn seq_relationship(&self) -> Option<&Linear> {
        None
    }
}

impl PretrainingModel for ModelForNextSentencePrediction {
    const ARCHITECTURE: &'static str = "BertForNextSentencePrediction";
    const PREDICTS_TOKENS: bool = false;
    const PREDICTS_PAIRS: bool = true;

    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        Ok(Self {
            bert: config.init(device)?,
            seq_relationship: seq_relationship(config, device),
        })
    }

    fn encoder(&self) -> &Encoder {
        &self.bert
    }

    fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.bert
    }

    fn predictions(&self) -> Option<&PredictionHead> {
        None
    }

    fn seq_relationship(&self) -> Option<&Linear> {
        Some(&self.seq_relationship)
    }
}

impl PretrainingModel for ModelForPreTraining {
    const ARCHITECTURE: &'static str = "BertForPreTraining";
    const PREDICTS_TOKENS: bool = true;
    const PREDICTS_PAIRS: bool = true;

    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        Ok(Self {
            bert: config.init(device)?,
            predictions: PredictionHead::new(config, device),
            seq_relationship: seq_relationship(config, device),
        })
    }

    fn encoder(&self) -> &Encoder {
        &self.bert
    }

    fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.bert
    }

    fn predictions(&self) -> Option<&PredictionHead> {
        Some(&self.predictions)
    }

    fn seq_relationship(&self) -> Option<&Linear> {
        Some(&self.seq_relationship)
    }
}
