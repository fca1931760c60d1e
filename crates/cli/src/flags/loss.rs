//! How the loss weighs classes.

use std::path::PathBuf;

use anyhow::Result;
use bert_tasks::{CrossEntropyOptions, TaskError};
use bert_text::{LabelSet, LabelWeights};
use bert_train::Sampler;
use clap::Args;

use super::values::{dropout, focal_gamma};
use crate::failure::WrongUsage;
use crate::format::shortened;

/// Weights that are shown.
const LISTED: usize = 20;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Loss", allow_negative_numbers = true)]
pub(crate) struct LossFlags {
    /// Weights of the classes in the loss; balanced: rows / (classes · rows of the class), as scikit-learn has it, and
    /// where a row has several classes, rows without the class / rows with it. A file has lines of a label, a tab and
    /// a weight, or is a JSON object (.json). By default every label weighs the same
    #[arg(long, value_name = "balanced|FILE")]
    class_weights: Option<PathBuf>,
    /// Share of each row's target that is spread over all classes, which makes a model less sure of itself; 0.1 is
    /// usual. By default none
    #[arg(long, value_name = "SHARE", value_parser = dropout)]
    label_smoothing: Option<f64>,
    /// The focal loss: each row's loss times (1 − p)^GAMMA, p being the probability of its class, so that rows that
    /// are already right count little; 2 is the choice of its paper. By default none
    #[arg(long, value_name = "GAMMA", value_parser = focal_gamma)]
    focal: Option<f64>,
}

/// What the labels of a task are to its loss.
#[derive(Debug)]
pub(crate) enum Classes {
    /// One of these classes for each row.
    OneARow(LabelSet),
    /// Any number of these classes for each row.
    SeveralARow(LabelSet),
    /// One of these classes for each word.
    OneAWord(LabelSet),
    /// No classes that could weigh anything; what there is instead.
    None(&'static str),
}

const BALANCED: &str = "balanced";

impl LossFlags {
    /// Makes sure that what was asked for has a meaning for these labels, before anything is downloaded or computed.
    /// `name` says which label a word of a file means.
    pub(crate) fn check(
        &self,
        classes: &Classes,
        sampler: Sampler,
        name: impl Fn(&str) -> String,
    ) -> Result<()> {
        let asked = [
            ("--class-weights", self.class_weights.is_some()),
            ("--label-smoothing", self.label_smoothing.is_some()),
            ("--focal", self.focal.is_some()),
            ("--sampler balanced", sampler == Sampler::Balanced),
        ];
        let refused: &[(&str, &str)] = match classes {
            Classes::OneARow(_) => &[],
            Classes::SeveralARow(_) => &[
                ("--label-smoothing", "rows have several classes"),
                ("--sampler balanced", "rows have several classes"),
            ],
            Classes::OneAWord(_) => &[("--sampler balanced", "every word has a class of its own")],
            Classes::None(what) => &[
                ("--class-weights", what),
                ("--label-smoothing", what),
                ("--focal", what),
                ("--sampler balanced", what),
            ],
        };
        for (flag, _) in asked.into_iter().filter(|(_, is_asked)| *is_asked) {
            if let Some((_, reason)) = refused.iter().find(|(one, _)| *one == flag) {
                return Err(WrongUsage(format!("{flag} is not for this data: {reason}")).into());
            }
        }
        if let Classes::OneARow(labels) | Classes::SeveralARow(labels) | Classes::OneAWord(labels) =
            classes
        {
            self.file_weights(labels, name)?;
        }
        Ok(())
    }

    /// The options of the loss, and says on standard error what they are. `balanced` computes weights from the
    /// training data.
    pub(crate) fn options(
        &self,
        labels: &LabelSet,
        name: impl Fn(&str) -> String,
        balanced: impl FnOnce() -> Result<Vec<f32>, TaskError>,
    ) -> Result<CrossEntropyOptions> {
        let class_weights = match &self.class_weights {
            Some(word) if word.as_os_str() == BALANCED => Some(balanced()?),
            _ => self.file_weights(labels, name)?,
        };
        if let Some(weights) = &class_weights {
            let pairs = labels.names().iter().zip(weights);
            let pairs: Vec<String> = pairs
                .map(|(name, weight)| format!("{name} {weight:.4}"))
                .collect();
            say!("weights {}", shortened(&pairs, LISTED));
        }
        Ok(CrossEntropyOptions {
            class_weights,
            label_smoothing: self.label_smoothing.unwrap_or(0.0),
            focal_gamma: self.focal.unwrap_or(0.0),
        })
    }

    fn file_weights(
        &self,
        labels: &LabelSet,
        name: impl Fn(&str) -> String,
    ) -> Result<Option<Vec<f32>>> {
        let file = self
            .class_weights
            .as_ref()
            .filter(|word| word.as_os_str() != BALANCED);
        file.map(|path| Ok(LabelWeights::read(path)?.resolve(labels, name)?))
            .transpose()
    }
}
