use std::path::Path;

use bert_pretraining::{
    ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining, PretrainingModel,
};
use bert_token_classification::HEAD as TOKENS;

use crate::text_classification::TextClassifier;
use crate::token_classification::TokenClassifier;
use crate::{DropoutOverride, Pretrained, TaskError};

/// Everything but the weights of a model that reads a text and can share its encoder.
#[derive(Debug, Clone)]
pub enum TextReader {
    /// A text classifier, those of natural-language inference included.
    Text(TextClassifier),
    /// A token classifier.
    Tokens(TokenClassifier),
}

impl TextReader {
    /// Opens the directory of a trained model. Its `architectures` say which kind it is; a checkpoint that names no class
    /// is taken for a text classifier. `max_length` is cut to what the model can take.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a text or token classifier, or lacks a tokenizer.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TaskError> {
        let pretrained = Pretrained::open(dir, max_length, DropoutOverride::default())?;
        let architectures = pretrained.architectures();
        if architectures.contains(&pretrained.architecture(TOKENS).as_str()) {
            return Ok(Self::Tokens(TokenClassifier::of(pretrained)?));
        }
        let prefix = pretrained.encoder.model_type.family().class_prefix;
        let heads = architectures
            .iter()
            .map(|name| name.trim_start_matches(prefix));
        match heads.into_iter().find_map(other_input) {
            None => Ok(Self::Text(TextClassifier::of(pretrained, max_length.into())?)),
            Some(input) => Err(pretrained.unfit(format!(
                "`architectures` is {}, which reads {input}, not a text as it is, so it cannot share its forward pass with \
                 a text or token classifier; run it on its own",
                architectures.join(", "),
            ))),
        }
    }

    pub(super) fn pretrained_mut(&mut self) -> &mut Pretrained {
        match self {
            Self::Text(classifier) => &mut classifier.pretrained,
            Self::Tokens(classifier) => &mut classifier.pretrained,
        }
    }

    /// Its encoder's configuration, tokenizer and checkpoint.
    pub fn pretrained(&self) -> &Pretrained {
        match self {
            Self::Text(classifier) => &classifier.pretrained,
            Self::Tokens(classifier) => &classifier.pretrained,
        }
    }
}

/// The input of a head that reads something other than a text as it is.
fn other_input(head: &str) -> Option<&'static str> {
    match head {
        bert_question_answering::HEAD => Some("a question with windows of a context"),
        ModelForMaskedLM::HEAD => Some("a text with [MASK] in it"),
        ModelForPreTraining::HEAD | ModelForNextSentencePrediction::HEAD => Some("two sentences"),
        _ => None,
    }
}
