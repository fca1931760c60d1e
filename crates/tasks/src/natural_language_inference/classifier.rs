use std::path::Path;

use bert_nli::Roles;
use bert_text::LabelSet;
use bert_text_classification::ProblemType;

use super::{NliData, label2id};
use crate::text_classification::{
    Activation, ClassifierOptions, Split, Targets, TextClassifier, labels, stated_problem_type,
};
use crate::{
    CrossEntropyOptions, DropoutOverride, HeadOrigin, LongText, MaxLength, Pretrained, TaskError,
};

/// A text classifier whose labels are those of natural-language inference: everything about it but its weights.
#[derive(Debug, Clone)]
pub struct NliClassifier {
    /// What loads, predicts and saves.
    pub classifier: TextClassifier,
    /// What its labels mean.
    pub roles: Roles,
}

impl NliClassifier {
    /// Opens the directory of a trained classifier. `max_length` is cut to what the model can take.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint of a classifier, its labels are not named as those of natural-language inference, or
    /// it lacks a tokenizer.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TaskError> {
        Self::open_with(dir, max_length.into())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and config.json names a way to read long texts that is not known.
    pub fn open_with(dir: &Path, options: ClassifierOptions) -> Result<Self, TaskError> {
        let mut classifier = TextClassifier::open_with(dir, options)?;
        let (labels, roles) = label2id::roles(&classifier.pretrained, &classifier.labels)?;
        if classifier.problem_type != ProblemType::SingleLabelClassification {
            return Err(classifier.pretrained.unfit(
                "config key `problem_type` must be \"single_label_classification\" for natural-language inference",
            ));
        }
        classifier.labels = labels;
        Ok(Self { classifier, roles })
    }

    /// Prepares a checkpoint, with a head or without, for training on a data set.
    ///
    /// A head in the checkpoint is kept when its labels have the same roles, whatever their names and order; otherwise the
    /// head will be new, with the names `entailment`, `neutral`, `contradiction` or `entailment`, `not_entailment`, in this
    /// order.
    ///
    /// # Errors
    ///
    /// The directory is no BERT checkpoint with a tokenizer, or the labels of the data are not those of one scheme.
    pub fn for_training(
        dir: &Path,
        data: &NliData,
        max_length: impl Into<MaxLength>,
        dropout: DropoutOverride,
    ) -> Result<(Self, HeadOrigin), TaskError> {
        let scheme = data.scheme()?;
        let pretrained = Pretrained::open(dir, max_length, dropout)?;
        let (labels, roles, origin) = match checkpoint_roles(&pretrained) {
            Some((labels, roles)) if roles.scheme() == scheme => {
                (labels, roles, HeadOrigin::Checkpoint)
            }
            _ => {
                let roles = Roles::new(scheme);
                let names = roles.by_id().iter().map(|role| role.name().to_owned());
                (LabelSet::new(names.collect())?, roles, HeadOrigin::New)
            }
        };
        let classifier = TextClassifier {
            pretrained,
            problem_type: ProblemType::SingleLabelClassification,
            activation: Activation::Softmax,
            labels,
            long_text: LongText::default(),
            loss_options: CrossEntropyOptions::default(),
        };
        Ok((Self { classifier, roles }, origin))
    }

    /// Tokenizes a data set and gives each label the id that the checkpoint has for its role.
    ///
    /// # Errors
    ///
    /// The data is two-way and the checkpoint three-way, or `max_length` is too short for any pair.
    pub fn encode(&self, data: &NliData) -> Result<Split, TaskError> {
        data.check_scheme(self.roles.scheme())?;
        let ids = data
            .roles
            .iter()
            .filter_map(|&role| self.roles.id(role))
            .collect();
        Ok(Split {
            targets: Targets::Classes(ids),
            documents: self.classifier.documents(&data.dataset.texts())?,
            path: data.dataset.path.clone(),
            examples: data.dataset.examples.clone(),
        })
    }
}

/// Labels and roles of a checkpoint that has a head for them; a head of another task, or one whose labels or problem type
/// cannot be told, counts as none.
fn checkpoint_roles(pretrained: &Pretrained) -> Option<(LabelSet, Roles)> {
    let labels = labels(pretrained).ok()??;
    let problem_type = stated_problem_type(pretrained, labels.len()).ok()?;
    let is_single = problem_type == ProblemType::SingleLabelClassification;
    label2id::roles(pretrained, &labels)
        .ok()
        .filter(|_| is_single)
}
