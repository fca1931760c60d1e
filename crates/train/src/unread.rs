//! Outcomes of optimiser steps that the host has not asked for yet. A GPU goes on with the next step meanwhile.

use bert_kernels::{StepOutcomes, steps_on_device};
use burn::backend::ExecutionError;
use burn::tensor::{DType, Device, Tensor};

use crate::clip::EPSILON;
use crate::{StepOutcome, TrainError};

/// As many steps wait at most. Reading them costs as much as reading one.
const CAPACITY: usize = 10;

/// The outcomes since the last read, in the order of the steps.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    steps: Vec<Waiting>,
    on_device: Option<StepOutcomes>,
}

#[derive(Debug)]
struct Waiting {
    /// Counted from 1.
    step: usize,
    tokens: usize,
    /// Loss and gradient norm, if the host knows them.
    known: Option<[f64; 2]>,
}

impl Unread {
    pub(crate) fn add_known(&mut self, step: usize, outcome: StepOutcome) {
        self.steps.push(Waiting {
            step,
            tokens: outcome.tokens,
            known: Some([outcome.loss, outcome.grad_norm]),
        });
    }

    /// Leaves the outcome of a step on the device, and gives what clips the gradients by it.
    pub(crate) fn add_on_device(
        &mut self,
        step: usize,
        tokens: usize,
        loss: Tensor<1>,
        gradients: Vec<Tensor<1>>,
        max_grad_norm: Option<f64>,
    ) -> &StepOutcomes {
        let known = None;
        self.steps.push(Waiting {
            step,
            tokens,
            known,
        });
        let device = loss.device();
        let outcomes = self
            .on_device
            .get_or_insert_with(|| StepOutcomes::new(CAPACITY, &device));
        outcomes.add(loss, gradients, max_grad_norm, EPSILON);
        outcomes
    }

    /// Whether the next step has to wait until these are read.
    pub(crate) fn is_full(&self) -> bool {
        let are_known = self.steps.iter().any(|waiting| waiting.known.is_some());
        are_known || self.on_device.as_ref().is_some_and(StepOutcomes::is_full)
    }

    /// All outcomes, for which the host waits.
    ///
    /// # Errors
    ///
    /// Loss or norm of a step is not finite, or the device has failed.
    pub(crate) fn take(&mut self) -> Result<Vec<StepOutcome>, TrainError> {
        let is_waiting = self.steps.iter().any(|waiting| waiting.known.is_none());
        let read = match &mut self.on_device {
            Some(outcomes) if is_waiting => outcomes.take(),
            _ => Ok(Vec::new()),
        };
        let last = self.steps.last().map_or(0, |waiting| waiting.step);
        let read = read.map_err(|error| failed(last, &error))?;
        let mut read = read.into_iter();
        let steps = std::mem::take(&mut self.steps);
        let outcome = |waiting: Waiting| {
            let [loss, grad_norm] = waiting
                .known
                .or_else(|| read.next())
                .expect("the device has an outcome of every step that waits");
            Ok(StepOutcome {
                loss: finite("loss", loss, waiting.step)?,
                grad_norm: finite("gradient norm", grad_norm, waiting.step)?,
                tokens: waiting.tokens,
            })
        };
        steps.into_iter().map(outcome).collect()
    }
}

fn failed(step: usize, error: &ExecutionError) -> TrainError {
    TrainError::DeviceFailed {
        step,
        reason: error.to_string(),
    }
}

pub(crate) fn finite(quantity: &'static str, value: f64, step: usize) -> Result<f64, TrainError> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(TrainError::NonFinite {
        quantity,
        value,
        step,
    })
}

/// The sum of the losses of a step's micro-batches.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one value for each step that is not read yet; they do not live long"
)]
pub(crate) enum LossSum {
    Known(f64),
    OnDevice(Option<Tensor<1>>),
}

impl LossSum {
    /// On devices whose reads make the host wait, the sum stays there if nobody else needs it.
    pub(crate) fn new(device: &Device, is_shared: bool) -> Self {
        match !is_shared && steps_on_device(device) {
            true => Self::OnDevice(None),
            false => Self::Known(0.0),
        }
    }

    /// Adds the loss `[1]` of a micro-batch.
    pub(crate) fn add(&mut self, loss: &Tensor<1>) {
        match self {
            Self::Known(sum) => *sum += f64::from(loss.clone().into_scalar::<f32>()),
            Self::OnDevice(sum) => {
                let loss = loss.clone().inner();
                *sum = Some(match sum.take() {
                    None => loss,
                    Some(sum) => sum + loss,
                });
            }
        }
    }

    /// The sum on the device, if it is there, and all of the step's numbers are of single precision.
    pub(crate) fn on_device(&self, gradients: &[Tensor<1>]) -> Option<Tensor<1>> {
        let is_single = |tensor: &Tensor<1>| tensor.dtype() == DType::F32;
        match self {
            Self::OnDevice(Some(sum)) if is_single(sum) && gradients.iter().all(is_single) => {
                Some(sum.clone())
            }
            _ => None,
        }
    }

    /// The sum, for which the host waits.
    pub(crate) fn read(&self) -> f64 {
        match self {
            Self::Known(sum) => *sum,
            Self::OnDevice(sum) => {
                (sum.clone()).map_or(0.0, |sum| f64::from(sum.into_scalar::<f32>()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(loss: f64) -> StepOutcome {
        StepOutcome {
            loss,
            grad_norm: 2.0,
            tokens: 3,
        }
    }

    #[test]
    fn outcomes_that_the_host_knows_are_read_at_once() {
        let mut unread = Unread::default();
        assert!(!unread.is_full());
        unread.add_known(1, outcome(0.5));
        assert!(unread.is_full());
        assert_eq!(unread.take().unwrap(), [outcome(0.5)]);
        assert!(!unread.is_full());
        assert_eq!(unread.take().unwrap(), []);
    }

    #[test]
    fn an_outcome_that_is_not_finite_names_its_step() {
        let mut unread = Unread::default();
        unread.add_known(1, outcome(0.5));
        unread.add_known(2, outcome(f64::NAN));
        let error = unread.take().unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::NonFinite {
                    quantity: "loss",
                    step: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
}
