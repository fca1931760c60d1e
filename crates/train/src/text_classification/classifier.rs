use std::path::Path;

use bert_encoder::BertConfig;
use bert_text::{Dataset, Encoding, LabelSet, Tokenizer};
use bert_text_classification::{
    BertForSequenceClassification, ProblemType, SequenceClassificationConfig,
};
use bert_weights::checkpoint::{
    self, Checkpoint, Export, KeyMap, KeyMapError, LoadOptions, LoadReport, read_config,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use serde_json::{Map, Value};

use super::config::{self, DropoutOverride};
use super::split::{Split, Targets};
use crate::TrainError;

/// Everything about a text classifier but its weights: the encoder's configuration, what the outputs mean, and how texts
/// become tokens.
#[derive(Debug, Clone)]
pub struct TextClassifier {
    /// The encoder's configuration.
    pub encoder: BertConfig,
    /// What the labels are.
    pub problem_type: ProblemType,
    /// The names of the labels in id order; one made-up name for a regression.
    pub labels: LabelSet,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    /// Longest sequence in tokens, special tokens included; never above `max_position_embeddings`.
    pub max_length: usize,
    config: Map<String, Value>,
    checkpoint: Checkpoint,
}

/// Where the classifier's head comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadOrigin {
    /// The checkpoint has a head for these labels, which is kept.
    Checkpoint,
    /// The head is new.
    New,
}

impl TextClassifier {
    /// Opens the directory of a trained classifier. `max_length` is cut to what the model can take.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a classifier, or lacks a tokenizer.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TrainError> {
        let checkpoint = Checkpoint::open(dir)?;
        let labels = config::labels(&checkpoint)?.ok_or_else(|| TrainError::Checkpoint {
            path: dir.to_owned(),
            reason: "there is no tensor `classifier.weight`, so this is not the checkpoint of a trained text \
                     classifier; train one with `bert train text-classification`"
                .into(),
        })?;
        let problem_type = config::problem_type(dir, checkpoint.config(), labels.len())?;
        Self::assemble(
            checkpoint,
            labels,
            problem_type,
            max_length,
            DropoutOverride::default(),
        )
    }

    /// Prepares a checkpoint, with a head or without, for training on a data set.
    ///
    /// A head in the checkpoint is kept when it is for the same problem type and the same label names, whatever their
    /// order in the data; otherwise the head will be new.
    ///
    /// # Errors
    ///
    /// The directory is no BERT checkpoint with a tokenizer, or the data set's labels do not fit `problem_type`.
    pub fn for_training(
        dir: &Path,
        data: &Dataset,
        problem_type: ProblemType,
        max_length: usize,
        dropout: DropoutOverride,
    ) -> Result<(Self, HeadOrigin), TrainError> {
        let checkpoint = Checkpoint::open(dir)?;
        let old = match config::labels(&checkpoint)? {
            Some(labels) => {
                let old_type = config::problem_type(dir, checkpoint.config(), labels.len())?;
                (old_type == problem_type).then_some(labels)
            }
            None => None,
        };
        let labels = match problem_type {
            ProblemType::Regression => match &old {
                Some(labels) if labels.len() == 1 => labels.clone(),
                _ => LabelSet::new(vec!["LABEL_0".into()])?,
            },
            _ => LabelSet::for_training(old.as_ref(), data)?,
        };
        let origin = match old {
            Some(old) if old == labels => HeadOrigin::Checkpoint,
            _ => HeadOrigin::New,
        };
        let classifier =
            Self::assemble(checkpoint, labels, problem_type, Some(max_length), dropout)?;
        Ok((classifier, origin))
    }

    fn assemble(
        checkpoint: Checkpoint,
        labels: LabelSet,
        problem_type: ProblemType,
        max_length: Option<usize>,
        dropout: DropoutOverride,
    ) -> Result<Self, TrainError> {
        let mut encoder: BertConfig = read_config(&checkpoint)?;
        dropout.apply(&mut encoder);
        encoder.validate()?;
        let path = checkpoint.path();
        let dir = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(path)
        };
        let tokenizer = Tokenizer::from_dir(dir)?;
        tokenizer.check_vocab(encoder.vocab_size)?;
        let longest = encoder.max_position_embeddings;
        Ok(Self {
            config: config::exported(checkpoint.config(), &encoder, &labels, problem_type),
            max_length: max_length.unwrap_or(longest).min(longest),
            encoder,
            problem_type,
            labels,
            tokenizer,
            checkpoint,
        })
    }

    /// The checkpoint this classifier was opened from.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Loads the weights. The head is taken from the checkpoint or made anew as `head` says; the pooler is made anew when
    /// the checkpoint has none and the head is new; what a pre-training checkpoint holds for its own heads is left out.
    /// New parameters are drawn here, so seed the device before.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load(
        &self,
        head: HeadOrigin,
        device: &Device,
    ) -> Result<(BertForSequenceClassification, LoadReport), TrainError> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let options = match head {
            HeadOrigin::Checkpoint => LoadOptions::default(),
            HeadOrigin::New => LoadOptions {
                fresh: words(&["classifier"]),
                optional: words(&["bert.pooler"]),
                ignored: words(&["cls", "qa_outputs"]),
            },
        };
        let model = SequenceClassificationConfig {
            encoder: self.encoder.clone(),
            num_labels: self.labels.len(),
        }
        .init(device)?;
        let (model, report) = checkpoint::load(model, &self.checkpoint, &key_map(), &options)?;
        model.visit(&mut DrawNewParameters);
        Ok((model, report))
    }

    /// Writes a directory that transformers opens as `BertForSequenceClassification`.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    pub fn save(
        &self,
        model: &BertForSequenceClassification,
        dir: &Path,
    ) -> Result<(), TrainError> {
        let export = Export {
            config: self.config.clone(),
            tokenizer_files: self.tokenizer.files(),
        };
        Ok(checkpoint::save(model, &key_map(), &export, dir)?)
    }

    /// Tokenizes a data set and resolves its labels.
    ///
    /// # Errors
    ///
    /// A label is unknown or of the wrong kind, or `max_length` is too short for any text.
    pub fn encode(&self, data: &Dataset) -> Result<Split, TrainError> {
        let targets = Targets::of(data, &self.labels, self.problem_type)?;
        let encodings = self.encode_texts(&data.texts())?;
        Ok(Split::new(data.path.clone(), encodings, targets))
    }

    pub(crate) fn encode_texts(
        &self,
        texts: &[(&str, Option<&str>)],
    ) -> Result<Vec<Encoding>, TrainError> {
        Ok(self.tokenizer.encode_batch(texts, self.max_length)?)
    }
}

/// Burn draws a parameter when it is first used. Drawn now, its values depend on the seed and not on what came between.
struct DrawNewParameters;

impl ModuleVisitor for DrawNewParameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        drop(param.val());
    }
}

fn key_map() -> KeyMap {
    let parse = || -> Result<KeyMap, KeyMapError> {
        KeyMap::parse(bert_encoder::KEY_MAP)?
            .with_prefix("bert.", "bert.")
            .join(KeyMap::parse(bert_text_classification::KEY_MAP)?)
    };
    parse().expect("the key maps in the crates are bijective, which a test of this module holds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_maps_join() {
        let keys = key_map();
        assert_eq!(
            keys.module_path("bert.encoder.layer.3.attention.self.query.weight")
                .as_deref(),
            Some("bert.layers.3.attention.query.weight")
        );
        assert_eq!(
            keys.module_path("classifier.bias").as_deref(),
            Some("classifier.bias")
        );
    }
}
