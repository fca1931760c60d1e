use bert_encoder::Precision;
use bert_kernels::has_kernels;
use burn::tensor::Device;
use serde::{Serialize, Serializer};

use crate::{FeatureCache, PartRates, Schedule, ScheduleShape, TrainError, Tune};

/// How rows become batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Batching {
    /// Rows of similar length together, which needs little padding. Devices without kernels compute the padding, too.
    Bucketed,
    /// Rows at random, as transformers' `Trainer` takes them.
    Shuffled,
}

/// Which rows an epoch sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Every row once.
    #[default]
    All,
    /// As many rows as there are, drawn with replacement so that every class comes as often as any other.
    Balanced,
}

/// The numbers of a run. The defaults are those of transformers' `Trainer`; where it has none (warm-up, decay), those of
/// BERT's paper and Google's code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainOptions {
    /// Passes over the training data; a fraction ends within one.
    pub epochs: f64,
    /// Stop after this many optimiser steps, whatever `epochs` says.
    pub max_steps: Option<usize>,
    /// Rows of one forward pass.
    pub batch_size: usize,
    /// Forward passes of one optimiser step.
    pub accumulation_steps: usize,
    /// The learning rate at the end of the warm-up.
    pub learning_rate: f64,
    /// How the learning rate goes over the run.
    pub schedule: ScheduleShape,
    /// Share of all optimiser steps that warm up, in [0, 1].
    pub warmup_ratio: f64,
    /// Decoupled weight decay, off biases and LayerNorm.
    pub weight_decay: f64,
    /// Largest global gradient norm; `None` does not clip.
    pub max_grad_norm: Option<f64>,
    /// Seed of new weights, order of the rows and dropout.
    pub seed: u64,
    /// In which numbers the encoder's linear layers multiply; see [`Encoder::set_precision`](bert_encoder::Encoder::set_precision).
    /// Evaluations and what is saved have single precision.
    #[serde(serialize_with = "as_word")]
    pub precision: Precision,
    /// What is trained.
    pub tune: Tune,
    /// The learning rate of everything outside the encoder at the end of the warm-up; `None` for `learning_rate`.
    pub head_lr: Option<f64>,
    /// How much slower each layer learns than the one above it, in (0, 1]; see [`PartRates`].
    pub layer_decay: f64,
    /// Keep the embeddings as they are, whatever `tune` says.
    pub freeze_embeddings: bool,
    /// How rows become batches.
    pub batching: Batching,
    /// Which rows an epoch sees.
    pub sampler: Sampler,
    /// Evaluate after every so many optimiser steps, in addition to the end of each epoch.
    pub evaluate_every: Option<usize>,
    /// The figure that decides which model is best; `None` leaves it to the task.
    pub select: Option<String>,
    /// Stop after so many evaluations in a row that are no better than the best.
    pub patience: Option<usize>,
    /// Whether the frozen part of the model has dropout, as in transformers. Nothing of it can then be kept.
    pub frozen_dropout: bool,
    /// Whether what the frozen part computes is kept for later epochs.
    pub feature_cache: FeatureCache,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            epochs: 3.0,
            max_steps: None,
            batch_size: 32,
            accumulation_steps: 1,
            learning_rate: 5e-5,
            schedule: ScheduleShape::Linear,
            warmup_ratio: 0.1,
            weight_decay: 0.01,
            max_grad_norm: Some(1.0),
            seed: 42,
            precision: Precision::F32,
            tune: Tune::All,
            head_lr: None,
            layer_decay: 1.0,
            freeze_embeddings: false,
            batching: Batching::Shuffled,
            sampler: Sampler::All,
            evaluate_every: None,
            select: None,
            patience: None,
            frozen_dropout: false,
            feature_cache: FeatureCache::default(),
        }
    }
}

impl TrainOptions {
    /// Checks every number.
    ///
    /// # Errors
    ///
    /// The first option with a value that no run can have.
    pub fn validate(&self) -> Result<(), TrainError> {
        let refuse = |name, value: String, expected| {
            Err(TrainError::Option {
                name,
                value,
                expected,
            })
        };
        let positive = [
            ("epochs", self.epochs),
            ("learning_rate", self.learning_rate),
            ("head_lr", self.head_lr.unwrap_or(1.0)),
            ("max_grad_norm", self.max_grad_norm.unwrap_or(1.0)),
        ];
        for (name, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return refuse(name, value.to_string(), "a finite number above 0");
            }
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            let expected = "a finite number, 0 or above";
            return refuse("weight_decay", self.weight_decay.to_string(), expected);
        }
        if !(0.0..=1.0).contains(&self.warmup_ratio) {
            let expected = "between 0 and 1";
            return refuse("warmup_ratio", self.warmup_ratio.to_string(), expected);
        }
        if !(self.layer_decay > 0.0 && self.layer_decay <= 1.0) {
            let expected = "above 0 and at most 1";
            return refuse("layer_decay", self.layer_decay.to_string(), expected);
        }
        let counts = [
            ("batch_size", Some(self.batch_size)),
            ("accumulation_steps", Some(self.accumulation_steps)),
            ("max_steps", self.max_steps),
            ("evaluate_every", self.evaluate_every),
            ("patience", self.patience),
        ];
        match counts.into_iter().find(|(_, count)| *count == Some(0)) {
            Some((name, _)) => refuse(name, "0".into(), "at least 1"),
            None => Ok(()),
        }
    }

    /// Makes sure that a device computes in the precision that is asked for.
    ///
    /// # Errors
    ///
    /// It does not.
    pub fn check_device(&self, device: &Device) -> Result<(), TrainError> {
        match self.precision {
            Precision::Bf16 if !has_kernels(device) => Err(TrainError::NoKernels {
                precision: self.precision,
            }),
            _ => Ok(()),
        }
    }

    /// Whether a row may pass the model more than once.
    pub(crate) fn passes_again(&self) -> bool {
        self.epochs > 1.0 || self.evaluate_every.is_some()
    }

    /// Optimiser steps of one epoch over `examples` rows.
    pub fn steps_per_epoch(&self, examples: usize) -> usize {
        examples
            .div_ceil(self.batch_size)
            .div_ceil(self.accumulation_steps)
    }

    /// Optimiser steps of the whole run.
    pub fn total_steps(&self, examples: usize) -> usize {
        let by_epochs = (self.steps_per_epoch(examples) as f64 * self.epochs).ceil() as usize;
        by_epochs.min(self.max_steps.unwrap_or(usize::MAX)).max(1)
    }

    /// The learning rates of the parts of a model with so many layers.
    pub fn part_rates(&self, layers: usize) -> PartRates {
        PartRates {
            head: self.head_lr.map_or(1.0, |head| head / self.learning_rate),
            layer_decay: self.layer_decay,
            layers,
        }
    }

    /// The learning rate over the run. The number of warm-up steps is rounded down, as Google's code does.
    pub fn schedule(&self, examples: usize) -> Schedule {
        let total_steps = self.total_steps(examples);
        let warmup_ratio = match self.schedule.warms_up() {
            true => self.warmup_ratio,
            false => 0.0,
        };
        Schedule {
            shape: self.schedule,
            peak: self.learning_rate,
            warmup_steps: (total_steps as f64 * warmup_ratio) as usize,
            total_steps,
        }
    }
}

fn as_word<S: Serializer>(precision: &Precision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut TrainOptions)) -> String {
        let mut options = TrainOptions::default();
        change(&mut options);
        options.validate().unwrap_err().to_string()
    }

    #[test]
    fn impossible_numbers_are_refused_by_name() {
        assert!(refused(|o| o.learning_rate = f64::NAN).contains("learning_rate"));
        assert!(refused(|o| o.learning_rate = -1.0).contains("learning_rate"));
        assert!(refused(|o| o.epochs = f64::INFINITY).contains("epochs"));
        assert!(refused(|o| o.batch_size = 0).contains("batch_size"));
        assert!(refused(|o| o.accumulation_steps = 0).contains("accumulation_steps"));
        assert!(refused(|o| o.warmup_ratio = 1.5).contains("warmup_ratio"));
        assert!(refused(|o| o.weight_decay = -0.1).contains("weight_decay"));
        assert!(refused(|o| o.max_grad_norm = Some(0.0)).contains("max_grad_norm"));
        assert!(refused(|o| o.head_lr = Some(0.0)).contains("head_lr"));
        assert!(refused(|o| o.layer_decay = 0.0).contains("layer_decay"));
        assert!(refused(|o| o.layer_decay = 1.1).contains("layer_decay"));
        assert!(refused(|o| o.evaluate_every = Some(0)).contains("evaluate_every"));
        assert!(refused(|o| o.patience = Some(0)).contains("patience"));
        TrainOptions::default().validate().unwrap();
    }

    #[test]
    fn steps_count_partial_batches_and_partial_epochs() {
        let options = TrainOptions {
            epochs: 1.5,
            batch_size: 4,
            accumulation_steps: 2,
            ..TrainOptions::default()
        };
        assert_eq!(options.steps_per_epoch(33), 5);
        assert_eq!(options.total_steps(33), 8);
        let limited = TrainOptions {
            max_steps: Some(3),
            ..options
        };
        assert_eq!(limited.total_steps(33), 3);
    }
}
