use std::path::Path;

use bert_encoder::HeadKeys;
use bert_question_answering::{
    HEAD, ModelForQuestionAnswering, QuestionAnsweringConfig, head_keys,
};
use bert_text::{Encoding, QuestionInput, SquadDataset, TokenizerError};
use bert_weights::LoadReport;
use burn::tensor::Device;
use serde_json::Map;

use super::{EvaluationOptions, Split, Windows};
use crate::{DropoutOverride, HeadOrigin, MaxLength, Pretrained, TaskError};

/// The overlap of the recipe for SQuAD, for windows of 384 tokens.
const DEFAULT_STRIDE: usize = 128;
/// A start and an end.
const OUTPUTS: usize = 2;

/// Everything about a question-answering model but its weights: the encoder's configuration, and how questions and contexts
/// become windows.
#[derive(Debug, Clone)]
pub struct QuestionAnswerer {
    /// Encoder configuration, tokenizer and checkpoint.
    pub pretrained: Pretrained,
    /// Tokens that neighbouring windows of a context share.
    pub stride: usize,
    /// How answers are chosen and scored in an evaluation.
    pub evaluation: EvaluationOptions,
}

impl QuestionAnswerer {
    /// Opens the directory of a trained model. `max_length` is cut to what the model can take; `stride` is by default
    /// 128, or half of `max_length` where that is less, as in transformers' pipeline.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a question-answering model, or lacks a tokenizer.
    pub fn open(
        dir: &Path,
        max_length: impl Into<MaxLength>,
        stride: Option<usize>,
    ) -> Result<Self, TaskError> {
        let answerer = Self::prepare(dir, max_length, stride, DropoutOverride::default())?;
        match answerer.head()? {
            HeadOrigin::Checkpoint => Ok(answerer),
            HeadOrigin::New => Err(answerer.pretrained.unfit(
                "there is no tensor `qa_outputs.weight`, or `architectures` names another class, so this is not the \
                 checkpoint of a trained question-answering model; train one with `bert train question-answering`",
            )),
        }
    }

    /// Prepares a checkpoint, with a head or without, for training. A head of this task is kept, otherwise it will be
    /// new.
    ///
    /// # Errors
    ///
    /// The directory is no BERT checkpoint with a tokenizer.
    pub fn for_training(
        dir: &Path,
        max_length: impl Into<MaxLength>,
        stride: Option<usize>,
        dropout: DropoutOverride,
    ) -> Result<(Self, HeadOrigin), TaskError> {
        let answerer = Self::prepare(dir, max_length, stride, dropout)?;
        let head = answerer.head()?;
        Ok((answerer, head))
    }

    fn prepare(
        dir: &Path,
        max_length: impl Into<MaxLength>,
        stride: Option<usize>,
        dropout: DropoutOverride,
    ) -> Result<Self, TaskError> {
        let pretrained = Pretrained::open(dir, max_length, dropout)?;
        let default = DEFAULT_STRIDE.min(pretrained.max_length / 2);
        Ok(Self {
            stride: stride.unwrap_or(default),
            evaluation: EvaluationOptions::default(),
            pretrained,
        })
    }

    fn head(&self) -> Result<HeadOrigin, TaskError> {
        Ok(self.pretrained.head_origin(HEAD, &self.keys()?, OUTPUTS))
    }

    fn keys(&self) -> Result<HeadKeys, TaskError> {
        Ok(head_keys(self.pretrained.encoder.model_type)?)
    }

    /// Loads the weights. The head is taken from the checkpoint or made anew as `head` says; new parameters are drawn
    /// here, so seed the device before.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load(
        &self,
        head: HeadOrigin,
        device: &Device,
    ) -> Result<(ModelForQuestionAnswering, LoadReport), TaskError> {
        let mut model = QuestionAnsweringConfig {
            encoder: self.pretrained.encoder.clone(),
        }
        .init(device)?;
        self.pretrained.pack_weights(&mut model.encoder, device);
        let (mut model, report) = self.pretrained.load(model, &self.keys()?, head)?;
        self.pretrained
            .add_fresh_adapter(&mut model.encoder, device)?;
        Ok((model, report))
    }

    /// Writes a directory that transformers opens as `BertForQuestionAnswering`.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    pub fn save(&self, model: &ModelForQuestionAnswering, dir: &Path) -> Result<(), TaskError> {
        self.pretrained
            .save(model, &self.keys()?, HEAD, Map::new(), dir)
    }

    /// Cuts the questions of a data set into windows and finds the answers to learn.
    ///
    /// # Errors
    ///
    /// A question is too long; it is named by its id.
    pub fn encode(&self, data: &SquadDataset) -> Result<Split, TaskError> {
        let texts: Vec<(&str, &str)> = data
            .questions
            .iter()
            .map(|one| (one.question.trim_start(), data.context(one)))
            .collect();
        let mut windows = Windows::default();
        for (question, encodings) in data.questions.iter().zip(self.encode_windows(&texts)) {
            let encodings = encodings.map_err(|source| TaskError::Question {
                place: format!("{}, question {:?}", data.path.display(), question.id),
                source,
            })?;
            windows.push(encodings.into_iter().map(|encoding| (0, encoding)));
        }
        Ok(Split::new(data, windows))
    }

    /// The windows of one question over all its contexts.
    ///
    /// # Errors
    ///
    /// The question is too long.
    pub fn windows_of(&self, input: &QuestionInput) -> Result<Windows, TaskError> {
        let question = input.question.trim_start();
        let contexts = input.context.as_slice().iter();
        let texts: Vec<(&str, &str)> = contexts.map(|one| (question, one.as_str())).collect();
        let mut of_question = Vec::new();
        for (context, encodings) in self.encode_windows(&texts).into_iter().enumerate() {
            of_question.extend(encodings?.into_iter().map(|encoding| (context, encoding)));
        }
        let mut windows = Windows::default();
        windows.push(of_question);
        Ok(windows)
    }

    /// The windows of each pair of a question and a context.
    fn encode_windows(&self, texts: &[(&str, &str)]) -> Vec<Result<Vec<Encoding>, TokenizerError>> {
        let tokenizer = &self.pretrained.tokenizer;
        tokenizer.encode_windows_batch(texts, self.pretrained.max_length, self.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrained::tests::assert_key_maps_join;

    #[test]
    fn the_key_maps_join() {
        assert_key_maps_join(head_keys, "qa_outputs.bias");
    }
}
