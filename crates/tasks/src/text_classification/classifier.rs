use std::path::Path;

use bert_encoder::HeadKeys;
use bert_text::{Dataset, LabelSet};
use bert_text_classification::{
    HEAD, ModelForSequenceClassification, ProblemType, SequenceClassificationConfig, head_keys,
};
use bert_weights::LoadReport;
use burn::tensor::Device;
use serde_json::{Value, json};

use super::Activation;
use super::split::{Split, Targets};
use crate::class_weights::{balanced, balanced_multi_label, check};
use crate::exported_config::label_keys;
use crate::long_text::{self, Documents, LongText, Saved};
use crate::shared_encoder::SharedEncoder;
use crate::{CrossEntropyOptions, DropoutOverride, HeadOrigin, MaxLength, Pretrained, TaskError};

/// Everything about a text classifier but its weights: the encoder's configuration, what the outputs mean, and how texts
/// become tokens.
#[derive(Debug, Clone)]
pub struct TextClassifier {
    /// Encoder configuration, tokenizer and checkpoint.
    pub pretrained: Pretrained,
    /// What the labels are.
    pub problem_type: ProblemType,
    /// What makes scores of the outputs in [`predict`](Self::predict).
    pub activation: Activation,
    /// The names of the labels in id order; one made-up name for a regression.
    pub labels: LabelSet,
    /// What it reads of a text that is longer than the model's sequence.
    pub long_text: LongText,
    /// How the loss of training weighs labels. That of an evaluation is always the plain one, so that runs compare.
    pub(crate) loss_options: CrossEntropyOptions,
}

/// How a trained classifier is opened; what is `None` the model decides.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClassifierOptions {
    /// Longest sequence in tokens, cut to what the model can take.
    pub max_length: Option<usize>,
    /// What makes scores of the outputs: else what config.json says, as in transformers' pipeline.
    pub activation: Option<Activation>,
    /// What is read of a long text: else as the model was trained.
    pub long_text: Option<LongText>,
}

impl From<Option<usize>> for ClassifierOptions {
    /// With a longest sequence alone.
    fn from(max_length: Option<usize>) -> Self {
        Self {
            max_length,
            ..Self::default()
        }
    }
}

impl TextClassifier {
    /// Opens the directory of a trained classifier. `max_length` is cut to what the model can take.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a classifier, or lacks a tokenizer.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TaskError> {
        Self::open_with(dir, max_length.into())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and config.json names a function or a way to read long texts that is not known.
    pub fn open_with(dir: &Path, options: ClassifierOptions) -> Result<Self, TaskError> {
        let pretrained = Pretrained::open(dir, options.max_length, DropoutOverride::default())?;
        Self::of(pretrained, options)
    }

    pub(crate) fn of(
        mut pretrained: Pretrained,
        options: ClassifierOptions,
    ) -> Result<Self, TaskError> {
        let labels = labels(&pretrained)?.ok_or_else(|| {
            pretrained.unfit(
                "there is no tensor `classifier.weight`, or `architectures` names another class, so this is not the \
                 checkpoint of a trained text classifier; train one with `bert train text-classification` or `bert train \
                 natural-language-inference`",
            )
        })?;
        let problem_type = stated_problem_type(&pretrained, labels.len())?;
        let config = pretrained.checkpoint().config();
        let of_pipeline = || Activation::of_pipeline(config, problem_type, labels.len());
        let activation = options
            .activation
            .map_or_else(of_pipeline, Ok)
            .map_err(|reason| pretrained.unfit_config(reason))?;
        let saved = Saved::of(config).map_err(|reason| pretrained.unfit_config(reason))?;
        let own = saved.map(|saved| saved.long_text).unwrap_or_default();
        let long_text = options.long_text.unwrap_or(own);
        // Windows of the length that the model has learnt from.
        if let Some(saved) = saved.filter(|_| options.max_length.is_none())
            && long_text != LongText::Truncate
        {
            pretrained.max_length = pretrained.max_length.min(saved.max_length);
        }
        Ok(Self {
            pretrained,
            problem_type,
            activation,
            labels,
            long_text,
            loss_options: CrossEntropyOptions::default(),
        })
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
        max_length: impl Into<MaxLength>,
        dropout: DropoutOverride,
    ) -> Result<(Self, HeadOrigin), TaskError> {
        let pretrained = Pretrained::open(dir, max_length, dropout)?;
        // A head whose labels or problem type cannot be told is replaced.
        let old = labels(&pretrained).unwrap_or_default().filter(|labels| {
            let old_type = stated_problem_type(&pretrained, labels.len());
            old_type.is_ok_and(|old_type| old_type == problem_type)
        });
        let labels = match problem_type {
            ProblemType::Regression => match &old {
                Some(labels) if labels.len() == 1 => labels.clone(),
                _ => LabelSet::new(vec!["LABEL_0".into()])?,
            },
            _ => LabelSet::for_training(old.as_ref(), data)?,
        };
        let origin = HeadOrigin::checkpoint_if(old.as_ref() == Some(&labels));
        let classifier = Self {
            pretrained,
            problem_type,
            activation: Activation::of_problem(problem_type),
            labels,
            long_text: LongText::default(),
            loss_options: CrossEntropyOptions::default(),
        };
        Ok((classifier, origin))
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
    ) -> Result<(ModelForSequenceClassification, LoadReport), TaskError> {
        let model = self.init(device)?;
        let keys = keys(&self.pretrained)?;
        let (mut model, report) = self.pretrained.load(model, &keys, head)?;
        self.pretrained
            .add_fresh_adapter(&mut model.encoder, device)?;
        Ok((model, report))
    }

    /// Loads the head alone, pooler and classifier, onto an encoder that is loaded already.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load_head(
        &self,
        encoder: &SharedEncoder,
        device: &Device,
    ) -> Result<(ModelForSequenceClassification, LoadReport), TaskError> {
        let mut model = self.init(device)?;
        encoder.equip(&mut model.encoder);
        let keys = keys(&self.pretrained)?;
        let (mut model, report) = self.pretrained.load_head(model, &keys)?;
        self.pretrained.pack_merged(&mut model.encoder, device);
        Ok((model, report))
    }

    fn init(&self, device: &Device) -> Result<ModelForSequenceClassification, TaskError> {
        let config = SequenceClassificationConfig {
            encoder: self.pretrained.encoder.clone(),
            num_labels: self.labels.len(),
        };
        let mut model = config.init(device)?;
        self.pretrained.pack_weights(&mut model.encoder, device);
        Ok(model)
    }

    /// Writes a directory that transformers opens as `BertForSequenceClassification`.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    pub fn save(
        &self,
        model: &ModelForSequenceClassification,
        dir: &Path,
    ) -> Result<(), TaskError> {
        let mut decided = label_keys(&self.labels);
        decided.insert("problem_type".to_owned(), json!(self.problem_type));
        let max_length = self.pretrained.max_length;
        let saved = Saved {
            long_text: self.long_text.resolved(max_length),
            max_length,
        };
        decided.extend(
            saved
                .value()
                .map(|value| (long_text::KEY.to_owned(), value)),
        );
        self.pretrained
            .save(model, &keys(&self.pretrained)?, HEAD, decided, dir)
    }

    /// Weights of the labels that make up for how rare they are in this data: scikit-learn's `balanced` for one class a row,
    /// torch's `pos_weight` for several.
    ///
    /// # Errors
    ///
    /// Numbers have no weights, a label has no row, or one of several labels has every row.
    pub fn balanced_class_weights(&self, split: &Split) -> Result<Vec<f32>, TaskError> {
        match &split.targets {
            Targets::Classes(classes) => balanced(&self.labels, &self.labels.counts(classes)),
            Targets::MultiHot(hot) => {
                let has = |id: usize| hot.iter().filter(|row| row[id] > 0.5).count();
                let counts: Vec<usize> = (0..self.labels.len()).map(has).collect();
                balanced_multi_label(&self.labels, &counts, hot.len())
            }
            Targets::Values(_) => Err(numbers("class weights")),
        }
    }

    /// Sets how the loss of training weighs labels.
    ///
    /// # Errors
    ///
    /// An option is impossible, or has no meaning for the problem type: a regression has no classes, and label smoothing is
    /// for one class a row.
    pub fn set_loss(&mut self, options: CrossEntropyOptions) -> Result<(), TaskError> {
        check(&options, &self.labels)?;
        match self.problem_type {
            ProblemType::Regression if !options.is_plain() => Err(numbers("loss")),
            ProblemType::MultiLabelClassification if options.label_smoothing > 0.0 => {
                Err(TaskError::Loss {
                    option: "label smoothing",
                    reason: "it spreads the one class of a row over the others, but these rows have several; leave it out"
                        .to_owned(),
                })
            }
            _ => {
                self.loss_options = options;
                Ok(())
            }
        }
    }

    /// Tokenizes a data set and resolves its labels.
    ///
    /// # Errors
    ///
    /// A label is unknown or of the wrong kind, or `max_length` is too short for any text.
    pub fn encode(&self, data: &Dataset) -> Result<Split, TaskError> {
        Ok(Split {
            targets: Targets::of(data, &self.labels, self.problem_type)?,
            documents: self.documents(&data.texts())?,
            path: data.path.clone(),
            examples: data.examples.clone(),
        })
    }

    /// Tokenizes texts and pairs.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text, or windows would share all that they have of a text.
    pub fn documents(&self, texts: &[(&str, Option<&str>)]) -> Result<Documents, TaskError> {
        self.pretrained.encode_long(texts, self.long_text)
    }
}

fn numbers(option: &'static str) -> TaskError {
    TaskError::Loss {
        option,
        reason: "a regression predicts numbers and has no classes to weigh; leave it out"
            .to_owned(),
    }
}

/// The problem type that a checkpoint was trained for: its `problem_type`, or what transformers concludes from the number
/// of labels if it has none.
pub(crate) fn stated_problem_type(
    pretrained: &Pretrained,
    num_labels: usize,
) -> Result<ProblemType, TaskError> {
    match pretrained.checkpoint().config().get("problem_type") {
        None | Some(Value::Null) if num_labels == 1 => Ok(ProblemType::Regression),
        None | Some(Value::Null) => Ok(ProblemType::SingleLabelClassification),
        Some(value) => match serde_json::from_value(value.clone()) {
            Ok(ProblemType::SingleLabelClassification) if num_labels == 1 => {
                Err(pretrained.unfit_config(
                    "config key `problem_type` is \"single_label_classification\", but the head has one output; that takes \
                     \"regression\" or \"multi_label_classification\""
                        .to_owned(),
                ))
            }
            Ok(problem_type) => Ok(problem_type),
            Err(_) => Err(pretrained.unfit_config(format!(
                "config key `problem_type` is {value}; it must be \"single_label_classification\", \
                 \"multi_label_classification\" or \"regression\""
            ))),
        },
    }
}

fn keys(pretrained: &Pretrained) -> Result<HeadKeys, TaskError> {
    Ok(head_keys(pretrained.encoder.model_type)?)
}

/// The labels of the checkpoint of such a classifier; `None` for any other checkpoint.
pub(crate) fn labels(pretrained: &Pretrained) -> Result<Option<LabelSet>, TaskError> {
    match keys(pretrained)?.parts {
        [classifier, ..] => pretrained.labels(HEAD, classifier.output),
        [] => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrained::tests::assert_key_maps_join;

    #[test]
    fn the_key_maps_join() {
        assert_key_maps_join(head_keys, "classifier.weight");
    }
}
