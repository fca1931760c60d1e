// B batch, S sequence, M masked tokens, H hidden, V vocabulary

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, Pooler, linear};
use bert_kernels::masked_cross_entropy;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor};

use crate::{MaskedTokens, PredictionHead, head_keys};

/// Classes of next sentence prediction: 0, the second text follows the first; 1, it does not.
const NEXT_SENTENCE_CLASSES: usize = 2;

/// An encoder that predicts masked tokens.
#[derive(Module, Debug)]
pub struct ModelForMaskedLM {
    /// The encoder.
    pub encoder: Encoder,
    /// The head, tied to the encoder's word embeddings.
    pub predictions: PredictionHead,
}

/// An encoder that predicts whether one text follows another.
#[derive(Module, Debug)]
pub struct ModelForNextSentencePrediction {
    /// The encoder.
    pub encoder: Encoder,
    /// Of the first token.
    pub pooler: Pooler,
    /// `[H, 2]`.
    pub seq_relationship: Linear,
}

/// An encoder that predicts both.
#[derive(Module, Debug)]
pub struct ModelForPreTraining {
    /// The encoder.
    pub encoder: Encoder,
    /// Of the first token.
    pub pooler: Pooler,
    /// The head, tied to the encoder's word embeddings.
    pub predictions: PredictionHead,
    /// `[H, 2]`.
    pub seq_relationship: Linear,
}

/// What the three models have in common, so that one trainer serves them all.
pub trait PretrainingModel: Module {
    /// What the name of the class of transformers with these parameters ends in, such as `ForMaskedLM`.
    const HEAD: &'static str;
    /// The module paths of the heads.
    const PARTS: &'static [&'static str];
    /// Whether there is a head for masked tokens.
    const PREDICTS_TOKENS: bool;
    /// Whether there is a head for next sentences.
    const PREDICTS_PAIRS: bool;

    /// A model with fresh weights.
    ///
    /// # Errors
    ///
    /// The encoder's configuration does not validate, or its family has no such head here.
    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError>;

    /// The encoder.
    fn encoder(&self) -> &Encoder;

    /// The encoder, to be changed.
    fn encoder_mut(&mut self) -> &mut Encoder;

    /// The head for masked tokens, if there is one.
    fn predictions(&self) -> Option<&PredictionHead>;

    /// The head for next sentences with its pooler, if there is one.
    fn seq_relationship(&self) -> Option<(&Pooler, &Linear)>;

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
    fn seq_relationship_logits(&self, last_hidden_state: Tensor<3>) -> Option<Tensor<2>> {
        let (pooler, head) = self.seq_relationship()?;
        Some(head.forward(pooler.forward_hidden(last_hidden_state)))
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
        let (encoder, shape) = (self.encoder(), input.dims());
        let masked_lm = |masked: &MaskedTokens, hidden_mh| {
            let logits_mv = self.prediction_logits(hidden_mh)?;
            Some(masked_cross_entropy(logits_mv, masked.labels()))
        };
        let masked = masked.filter(|_| Self::PREDICTS_TOKENS);
        let (tokens, pairs) = match (masked, next_sentence.filter(|_| Self::PREDICTS_PAIRS)) {
            (Some(masked), Some(classes_b)) => {
                let hidden_bsh = encoder.forward(input)?.last_hidden_state;
                let logits_b2 = self.seq_relationship_logits(hidden_bsh.clone());
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
                let first_bh = encoder.forward_first(input)?;
                let loss = |(pooler, head): (&Pooler, &Linear)| {
                    let logits_b2 = head.forward(pooler.forward(first_bh));
                    masked_cross_entropy(logits_b2, classes_b)
                };
                (None, self.seq_relationship().map(loss))
            }
            (None, None) => (None, None),
        };
        Ok(match (tokens, pairs) {
            (Some(tokens), Some(pairs)) => tokens + pairs,
            (Some(loss), None) | (None, Some(loss)) => loss,
            (None, None) => {
                let words = encoder.embeddings.word_embeddings.weight.val();
                Tensor::zeros([1], &words.device())
            }
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
        Ok(self.forward_hidden(self.encoder.forward(input)?.last_hidden_state))
    }

    /// The logits of every token from the encoder's last hidden state, for several heads on one encoder.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, S, V]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Tensor<3> {
        every_token(&self.predictions, &self.encoder, last_hidden_state)
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
    /// The input does not fit the encoder.
    pub fn forward(&self, input: EncoderInput) -> Result<Tensor<2>, EncoderError> {
        let first_bh = self.encoder.forward_first(input)?;
        Ok(self.seq_relationship.forward(self.pooler.forward(first_bh)))
    }

    /// The logits of the pairs from the encoder's last hidden state, for several heads on one encoder: the pooler is this
    /// head's own.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, 2]`.
    pub fn forward_hidden(&self, last_hidden_state: Tensor<3>) -> Tensor<2> {
        let pooled_bh = self.pooler.forward_hidden(last_hidden_state);
        self.seq_relationship.forward(pooled_bh)
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
    /// The input does not fit the encoder.
    pub fn forward(&self, input: EncoderInput) -> Result<(Tensor<3>, Tensor<2>), EncoderError> {
        let hidden_bsh = self.encoder.forward(input)?.last_hidden_state;
        let pooled_bh = self.pooler.forward_hidden(hidden_bsh.clone());
        Ok((
            every_token(&self.predictions, &self.encoder, hidden_bsh),
            self.seq_relationship.forward(pooled_bh),
        ))
    }
}

impl PretrainingModel for ModelForMaskedLM {
    const HEAD: &'static str = "ForMaskedLM";
    const PARTS: &'static [&'static str] = &["predictions"];
    const PREDICTS_TOKENS: bool = true;
    const PREDICTS_PAIRS: bool = false;

    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        head_keys(config, Self::HEAD)?;
        let modernbert = config.modernbert.as_ref();
        if modernbert.is_some_and(|modernbert| !modernbert.decoder_bias) {
            return Err(EncoderError::Unsupported {
                key: "decoder_bias",
                value: "false".into(),
                expected: "true",
            });
        }
        Ok(Self {
            encoder: config.init(device)?,
            predictions: PredictionHead::new(config, device),
        })
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn predictions(&self) -> Option<&PredictionHead> {
        Some(&self.predictions)
    }

    fn seq_relationship(&self) -> Option<(&Pooler, &Linear)> {
        None
    }
}

impl PretrainingModel for ModelForNextSentencePrediction {
    const HEAD: &'static str = "ForNextSentencePrediction";
    const PARTS: &'static [&'static str] = &["seq_relationship"];
    const PREDICTS_TOKENS: bool = false;
    const PREDICTS_PAIRS: bool = true;

    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        head_keys(config, Self::HEAD)?;
        Ok(Self {
            encoder: config.init(device)?,
            pooler: Pooler::new(config, device),
            seq_relationship: seq_relationship(config, device),
        })
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn predictions(&self) -> Option<&PredictionHead> {
        None
    }

    fn seq_relationship(&self) -> Option<(&Pooler, &Linear)> {
        Some((&self.pooler, &self.seq_relationship))
    }
}

impl PretrainingModel for ModelForPreTraining {
    const HEAD: &'static str = "ForPreTraining";
    const PARTS: &'static [&'static str] = &["predictions", "seq_relationship"];
    const PREDICTS_TOKENS: bool = true;
    const PREDICTS_PAIRS: bool = true;

    fn init(config: &EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        head_keys(config, Self::HEAD)?;
        Ok(Self {
            encoder: config.init(device)?,
            pooler: Pooler::new(config, device),
            predictions: PredictionHead::new(config, device),
            seq_relationship: seq_relationship(config, device),
        })
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn predictions(&self) -> Option<&PredictionHead> {
        Some(&self.predictions)
    }

    fn seq_relationship(&self) -> Option<(&Pooler, &Linear)> {
        Some((&self.pooler, &self.seq_relationship))
    }
}
