use std::path::Path;

use bert_question_answering::HEAD as ANSWERS;
use bert_weights::LoadReport;
use burn::tensor::Device;

use super::{AdapterError, is_adapter};
use crate::heads::TextReader;
use crate::question_answering::QuestionAnswerer;
use crate::{DropoutOverride, HeadOrigin, Pretrained, TaskError};

/// Writes the adapter of a directory and its base model as one plain checkpoint, as PEFT's `merge_and_unload` does. The kind of
/// the model is what `architectures` of its configuration says, or `task_type` of the adapter's.
///
/// # Errors
///
/// The directory is no adapter of a text or token classifier or of a question-answering model, its base is not there, or a
/// file cannot be written.
pub fn write_merged(dir: &Path, output: &Path, device: &Device) -> Result<LoadReport, TaskError> {
    if !is_adapter(dir) {
        return Err(AdapterError::None {
            path: dir.to_owned(),
        }
        .into());
    }
    let pretrained = Pretrained::open(dir, None, DropoutOverride::default())?;
    let answers = pretrained.architecture(ANSWERS);
    if pretrained.architectures().contains(&answers.as_str()) {
        let answerer = QuestionAnswerer::open(dir, pretrained.max_length, None)?;
        let (model, report) = answerer.load(HeadOrigin::Checkpoint, device)?;
        answerer.save(&model, output)?;
        return Ok(report);
    }
    match TextReader::open(dir, None)? {
        TextReader::Text(classifier) => {
            let (model, report) = classifier.load(HeadOrigin::Checkpoint, device)?;
            classifier.save(&model, output)?;
            Ok(report)
        }
        TextReader::Tokens(classifier) => {
            let (model, report) = classifier.load(HeadOrigin::Checkpoint, device)?;
            classifier.save(&model, output)?;
            Ok(report)
        }
    }
}
