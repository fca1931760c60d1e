use std::num::NonZeroUsize;

use bert_kernels::softmax;
use bert_pretraining::{ModelForMaskedLM, ModelForNextSentencePrediction, PretrainingModel, top_k};
use bert_text::Encoding;
use burn::tensor::{Int, Tensor, TensorData};

use super::Pretraining;
use crate::inference::rows_of;
use crate::{RunOptions, TaskError};

/// One proposal for a mask, with the field names of transformers' fill-mask pipeline.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FilledMask {
    /// Probability of the token.
    pub score: f32,
    /// Its id.
    pub token: u32,
    /// Its text.
    pub token_str: String,
    /// The text with the token in the place of this mask.
    pub sequence: String,
}

/// The proposals for the masks of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledText {
    /// For each mask, in the order of the text, the most probable tokens, the most probable first.
    pub masks: Vec<Vec<FilledMask>>,
    /// For each mask, the logits of all tokens in id order.
    pub logits: Vec<Vec<f32>>,
    /// Tokens of the text that were cut off to keep to the maximum length.
    pub truncated_tokens: usize,
}

/// The outputs for one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPrediction {
    /// The model's raw outputs: the second text follows, and it does not.
    pub logits: Vec<f32>,
    /// Softmax of the logits.
    pub scores: Vec<f32>,
    /// Tokens of the pair that were cut off to keep to the maximum length.
    pub truncated_tokens: usize,
}

impl PairPrediction {
    pub(super) fn new(logits: Vec<f32>, truncated_tokens: usize) -> Self {
        Self {
            scores: softmax(&logits),
            logits,
            truncated_tokens,
        }
    }

    /// Whether the second text is predicted to follow the first.
    pub fn is_next(&self) -> bool {
        self.scores[0] >= self.scores[1]
    }
}

impl Pretraining<ModelForMaskedLM> {
    /// The tokens of texts and pairs, as [`fill_mask`](Self::fill_mask) takes them.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text.
    pub fn encode_masked(
        &self,
        texts: &[(&str, Option<&str>)],
    ) -> Result<Vec<Encoding>, TaskError> {
        self.pretrained.encode(texts)
    }

    /// How many masks there are in a text, as far as it was not cut off.
    pub fn mask_count(&self, encoding: &Encoding) -> usize {
        self.masks(encoding).len()
    }

    /// Proposes `count` tokens for every mask, as transformers' fill-mask pipeline does: each mask for itself, the others
    /// left as they are. The results are in the order of the texts.
    ///
    /// # Errors
    ///
    /// The texts do not fit the model, or the tokenizer cannot decode.
    pub fn fill_mask(
        &self,
        model: &ModelForMaskedLM,
        texts: &[Encoding],
        count: NonZeroUsize,
        run: RunOptions<'_>,
    ) -> Result<Vec<FilledText>, TaskError> {
        let forward = |rows: &[usize], input| {
            let hidden_bsh = model.encoder.forward(input)?.last_hidden_state;
            let filled = rows.iter().enumerate().map(|(index, &row)| {
                let hidden_1sh = hidden_bsh.clone().narrow(0, index, 1);
                let logits = self.mask_logits(model, hidden_1sh, &texts[row])?;
                self.filled(&texts[row], logits, count)
            });
            filled.collect()
        };
        self.pretrained.forward_rows(texts, run, forward)
    }

    fn masks(&self, encoding: &Encoding) -> Vec<usize> {
        let mask = self.pretrained.tokenizer.mask_token_id();
        let ids = encoding.input_ids.iter().enumerate();
        ids.filter(|(_, id)| Some(**id) == mask)
            .map(|(position, _)| position)
            .collect()
    }

    /// The logits of each mask of one text, given its hidden states `[1, S, H]`.
    fn mask_logits(
        &self,
        model: &ModelForMaskedLM,
        hidden_1sh: Tensor<3>,
        text: &Encoding,
    ) -> Result<Vec<Vec<f32>>, TaskError> {
        let positions: Vec<i32> = self.masks(text).iter().map(|&at| at as i32).collect();
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let shape = [positions.len()];
        let positions = TensorData::new(positions, shape);
        let positions = Tensor::<1, Int>::from_data(positions, &hidden_1sh.device());
        let hidden_mh = hidden_1sh.squeeze_dim::<2>(0).select(0, positions);
        model
            .prediction_logits(hidden_mh)
            .map_or_else(|| Ok(Vec::new()), rows_of)
    }

    fn filled(
        &self,
        text: &Encoding,
        logits: Vec<Vec<f32>>,
        count: NonZeroUsize,
    ) -> Result<FilledText, TaskError> {
        let tokenizer = &self.pretrained.tokenizer;
        let masks = self.masks(text);
        // Without the special tokens a text reads better, but its other masks have to stay.
        let skip_special_tokens = masks.len() == 1;
        let proposals = |(&position, logits): (&usize, &Vec<f32>)| {
            let proposal = |best: bert_pretraining::TokenScore| {
                let token = best.token as u32;
                let mut ids = text.input_ids.clone();
                ids[position] = token;
                Ok(FilledMask {
                    score: best.score,
                    token,
                    token_str: tokenizer.decode(&[token], false)?,
                    sequence: tokenizer.decode(&ids, skip_special_tokens)?,
                })
            };
            let best = top_k(logits, count.get()).into_iter();
            best.map(proposal).collect::<Result<Vec<_>, TaskError>>()
        };
        Ok(FilledText {
            masks: masks
                .iter()
                .zip(&logits)
                .map(proposals)
                .collect::<Result<_, _>>()?,
            logits,
            truncated_tokens: text.truncated_tokens,
        })
    }
}

impl Pretraining<ModelForNextSentencePrediction> {
    /// Predicts whether the second text of each pair follows the first; the results are in their order.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any pair, or the pairs do not fit the model.
    pub fn predict(
        &self,
        model: &ModelForNextSentencePrediction,
        pairs: &[(&str, &str)],
        run: RunOptions<'_>,
    ) -> Result<Vec<PairPrediction>, TaskError> {
        let pairs: Vec<(&str, Option<&str>)> = pairs
            .iter()
            .map(|(text, text_pair)| (*text, Some(*text_pair)))
            .collect();
        let encodings = self.pretrained.encode(&pairs)?;
        let forward = |_: &[usize], input| rows_of(model.forward(input)?);
        let logits = self.pretrained.forward_rows(&encodings, run, forward)?;
        let predictions = logits.into_iter().zip(&encodings);
        Ok(predictions
            .map(|(logits, encoding)| PairPrediction::new(logits, encoding.truncated_tokens))
            .collect())
    }
}
