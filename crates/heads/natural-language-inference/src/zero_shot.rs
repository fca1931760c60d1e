//! Zero-shot classification: each candidate label becomes a hypothesis about the text, and how strongly it is entailed is
//! the label's score. The numbers and the choice of labels are those of transformers' `ZeroShotClassificationPipeline`.

use bert_kernels::softmax;

/// The hypothesis that transformers makes of a label when nothing else is asked for.
pub const DEFAULT_TEMPLATE: &str = "This example is {}.";

/// What stands in a template where the label goes.
const PLACE: &str = "{}";

/// Why no scores can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZeroShotError {
    /// A template that does not say where the label goes.
    #[error(
        "template {template:?} has {places} places for the label; expected one `{{}}`, as in {DEFAULT_TEMPLATE:?}"
    )]
    Template {
        /// The template.
        template: String,
        /// How many there are.
        places: usize,
    },
    /// A checkpoint that can tell nothing apart.
    #[error(
        "the checkpoint has {num_labels} labels; zero-shot classification needs at least two, entailment among them"
    )]
    TooFewLabels {
        /// The number of labels.
        num_labels: usize,
    },
    /// An id in `label2id` that the classifier has no row for.
    #[error("`label2id` gives {label:?} the id {id}, but the ids are 0 to {}", .num_labels - 1)]
    IdOutOfRange {
        /// The label.
        label: String,
        /// Its id.
        id: usize,
        /// The number of labels.
        num_labels: usize,
    },
}

/// A hypothesis with a place for the label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HypothesisTemplate {
    before: String,
    after: String,
}

impl HypothesisTemplate {
    /// Reads a template with one `{}`.
    ///
    /// # Errors
    /// None, or more than one.
    pub fn parse(template: &str) -> Result<Self, ZeroShotError> {
        let places = template.matches(PLACE).count();
        match template.split_once(PLACE) {
            Some((before, after)) if places == 1 => Ok(Self {
                before: before.to_owned(),
                after: after.to_owned(),
            }),
            _ => Err(ZeroShotError::Template {
                template: template.to_owned(),
                places,
            }),
        }
    }

    /// The hypothesis of a label.
    pub fn fill(&self, label: &str) -> String {
        format!("{}{label}{}", self.before, self.after)
    }
}

/// The two logits that scores are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroShotIds {
    /// The label that says that the hypothesis follows.
    pub entailment: usize,
    /// The label that it is weighed against when labels are scored one by one.
    pub contradiction: usize,
    /// Whether a name said which label is entailment; else it is a guess.
    pub is_named: bool,
}

impl ZeroShotIds {
    /// Finds them as transformers does: entailment is the first label of `label2id` whose name starts with `entail` in any
    /// case of letters, or the last id when none does; contradiction is the last id when entailment is 0, else 0. That is
    /// the right label for every published order but those that put neutral at an end and entailment in the middle, or
    /// neutral last and entailment first; [`Roles`](crate::Roles) can tell.
    ///
    /// # Errors
    /// Fewer than two labels, or an id that is not below `num_labels`.
    pub fn of<'a>(
        label2id: impl IntoIterator<Item = (&'a str, usize)>,
        num_labels: usize,
    ) -> Result<Self, ZeroShotError> {
        if num_labels < 2 {
            return Err(ZeroShotError::TooFewLabels { num_labels });
        }
        let last = num_labels - 1;
        let named = label2id
            .into_iter()
            .find(|(name, _)| name.to_lowercase().starts_with("entail"));
        match named {
            Some((name, id)) if id > last => Err(ZeroShotError::IdOutOfRange {
                label: name.to_owned(),
                id,
                num_labels,
            }),
            named => {
                let entailment = named.map_or(last, |(_, id)| id);
                Ok(Self {
                    entailment,
                    contradiction: if entailment == 0 { last } else { 0 },
                    is_named: named.is_some(),
                })
            }
        }
    }
}

/// The scores of the candidate labels of one text, in their order.
///
/// With `multi_label`, or for a single label, each score is the probability of entailment against contradiction for that
/// label alone; otherwise the entailment logits of all labels share a probability of 1.
///
/// # Shapes
/// `logits` has a row for each candidate label, `[candidates, num_labels]`.
pub fn scores(logits: &[Vec<f32>], ids: ZeroShotIds, multi_label: bool) -> Vec<f32> {
    if multi_label || logits.len() == 1 {
        let alone = |row: &Vec<f32>| softmax(&[row[ids.contradiction], row[ids.entailment]])[1];
        logits.iter().map(alone).collect()
    } else {
        let entailment: Vec<f32> = logits.iter().map(|row| row[ids.entailment]).collect();
        softmax(&entailment)
    }
}

/// The indices of some scores, the highest first; of equal ones the later first, as in transformers.
pub fn ranked(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    order.reverse();
    order
}
