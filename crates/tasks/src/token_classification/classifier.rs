use std::path::Path;

use bert_encoder::HeadKeys;
use bert_text::{Alignment, LabelSet, TaggedDataset};
use bert_token_classification::{
    HEAD, ModelForTokenClassification, TokenClassificationConfig, head_keys,
};
use bert_weights::LoadReport;
use burn::tensor::Device;

use super::split::Split;
use crate::class_weights::{balanced, check};
use crate::exported_config::label_keys;
use crate::shared_encoder::SharedEncoder;
use crate::{CrossEntropyOptions, DropoutOverride, HeadOrigin, MaxLength, Pretrained, TaskError};

/// Everything about a token classifier but its weights: the encoder's configuration, what the outputs mean, and how words
/// become tokens.
#[derive(Debug, Clone)]
pub struct TokenClassifier {
    /// Encoder configuration, tokenizer and checkpoint.
    pub pretrained: Pretrained,
    /// The tags in id order.
    pub labels: LabelSet,
    /// Which sub-tokens of a word are learned. Scores and predictions of a word are always those of its first sub-token.
    pub alignment: Alignment,
    /// How the loss of training weighs labels. That of an evaluation is always the plain one, so that runs compare.
    pub(super) loss_options: CrossEntropyOptions,
}

impl TokenClassifier {
    /// Opens the directory of a trained classifier. `max_length` is cut to what the model can take.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a token classifier, or lacks a tokenizer.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TaskError> {
        Self::of(Pretrained::open(
            dir,
            max_length,
            DropoutOverride::default(),
        )?)
    }

    pub(crate) fn of(pretrained: Pretrained) -> Result<Self, TaskError> {
        let labels = labels(&pretrained)?.ok_or_else(|| {
            pretrained.unfit(
                "there is no tensor `classifier.weight`, or `architectures` names another class, so this is not the \
                 checkpoint of a trained token classifier; train one with `bert train token-classification`",
            )
        })?;
        Ok(Self {
            pretrained,
            labels,
            alignment: Alignment::First,
            loss_options: CrossEntropyOptions::default(),
        })
    }

    /// Prepares a checkpoint, with a head or without, for training on a data set.
    ///
    /// A head in the checkpoint is kept when it is a token classifier's with the same label names, whatever their order;
    /// otherwise the head will be new.
    ///
    /// # Errors
    ///
    /// The directory is no BERT checkpoint with a tokenizer, or the data set has fewer than two tags.
    pub fn for_training(
        dir: &Path,
        data: &TaggedDataset,
        alignment: Alignment,
        max_length: impl Into<MaxLength>,
        dropout: DropoutOverride,
    ) -> Result<(Self, HeadOrigin), TaskError> {
        let pretrained = Pretrained::open(dir, max_length, dropout)?;
        // A head that cannot be told what its rows are is replaced.
        let old = labels(&pretrained).unwrap_or_default();
        let labels = LabelSet::from_tags(data)?.ordered_as(old.as_ref());
        let origin = HeadOrigin::checkpoint_if(old.as_ref() == Some(&labels));
        let classifier = Self {
            pretrained,
            labels,
            alignment,
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
    ) -> Result<(ModelForTokenClassification, LoadReport), TaskError> {
        let model = self.init(device)?;
        let keys = keys(&self.pretrained)?;
        let (mut model, report) = self.pretrained.load(model, &keys, head)?;
        self.pretrained
            .add_fresh_adapter(&mut model.encoder, device)?;
        Ok((model, report))
    }

    /// Loads the classifier alone, onto an encoder that is loaded already.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load_head(
        &self,
        encoder: &SharedEncoder,
        device: &Device,
    ) -> Result<(ModelForTokenClassification, LoadReport), TaskError> {
        let mut model = self.init(device)?;
        encoder.equip(&mut model.encoder);
        let keys = keys(&self.pretrained)?;
        let (mut model, report) = self.pretrained.load_head(model, &keys)?;
        self.pretrained.pack_merged(&mut model.encoder, device);
        Ok((model, report))
    }

    fn init(&self, device: &Device) -> Result<ModelForTokenClassification, TaskError> {
        let config = TokenClassificationConfig {
            encoder: self.pretrained.encoder.clone(),
            num_labels: self.labels.len(),
        };
        let mut model = config.init(device)?;
        self.pretrained.pack_weights(&mut model.encoder, device);
        Ok(model)
    }

    /// Writes a directory that transformers opens as `BertForTokenClassification`.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    pub fn save(&self, model: &ModelForTokenClassification, dir: &Path) -> Result<(), TaskError> {
        let decided = label_keys(&self.labels);
        self.pretrained
            .save(model, &keys(&self.pretrained)?, HEAD, decided, dir)
    }

    /// Weights of the tags that make up for how rare the tokens are that learn them: scikit-learn's `balanced`.
    ///
    /// # Errors
    ///
    /// No token has one of the tags.
    pub fn balanced_class_weights(&self, split: &Split) -> Result<Vec<f32>, TaskError> {
        let labels: Vec<usize> = split.all_learned_labels().collect();
        balanced(&self.labels, &self.labels.counts(&labels))
    }

    /// Sets how the loss of training weighs labels.
    ///
    /// # Errors
    ///
    /// An option is impossible.
    pub fn set_loss(&mut self, options: CrossEntropyOptions) -> Result<(), TaskError> {
        check(&options, &self.labels)?;
        self.loss_options = options;
        Ok(())
    }

    /// Tokenizes a data set, cuts long sentences into windows and resolves the tags.
    ///
    /// # Errors
    ///
    /// A tag is unknown, or `max_length` is too short for any text.
    pub fn encode(&self, data: &TaggedDataset) -> Result<Split, TaskError> {
        Split::new(self, data)
    }

    /// The label of a word that has no token.
    pub(super) fn outside(&self) -> usize {
        self.labels.id("O").unwrap_or(0)
    }

    /// For each label the label of a word's later sub-tokens where all of them carry one: `I-x` for `B-x`, if there is one.
    pub(super) fn continued(&self) -> Vec<usize> {
        let names = self.labels.names().iter().enumerate();
        names
            .map(|(id, name)| {
                let inside = name.strip_prefix("B-").map(|kind| format!("I-{kind}"));
                inside.and_then(|name| self.labels.id(&name)).unwrap_or(id)
            })
            .collect()
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
