//! Optimiser steps whose outcomes stay on the device until somebody asks for them.

use burn::backend::{Dispatch, ExecutionError};
use burn::tensor::{Device, Tensor};

use crate::adamw::{AdamWState, AdamWStep};
use crate::dispatch::{computes_on_gpu, kernels_are_off};
use crate::gpu_ops::{Clip, GpuSteps, OUTCOME, parts_of};

/// Whether [`StepOutcomes`] can be kept on this device: a GPU with kernels, which reads make wait.
pub fn steps_on_device(device: &Device) -> bool {
    !kernels_are_off() && computes_on_gpu(device)
}

/// The losses and gradient norms of several optimiser steps, on their device.
#[derive(Debug)]
pub struct StepOutcomes {
    /// `[capacity · 3]`.
    outcomes: Tensor<1>,
    capacity: usize,
    steps: usize,
}

impl StepOutcomes {
    /// Room for the outcomes of so many steps on a device without autodiff.
    pub fn new(capacity: usize, device: &Device) -> Self {
        Self {
            outcomes: Tensor::empty([capacity * OUTCOME], device),
            capacity,
            steps: 0,
        }
    }

    /// Steps whose outcomes are there.
    pub fn len(&self) -> usize {
        self.steps
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }

    /// Whether [`take`](Self::take) has to come before the next step.
    pub fn is_full(&self) -> bool {
        self.steps == self.capacity
    }

    /// Adds the outcome of a step: its loss `[1]`, and the norm of the gradients taken as one vector, which are to have
    /// `max_norm` at most. PyTorch adds `epsilon` to the norm before it divides.
    ///
    /// # Panics
    ///
    /// It is full.
    pub fn add(
        &mut self,
        loss: Tensor<1>,
        gradients: Vec<Tensor<1>>,
        max_norm: Option<f64>,
        epsilon: f64,
    ) {
        assert!(!self.is_full(), "the outcomes are taken when it is full");
        let device = self.outcomes.device();
        let parts = |gradient: &Tensor<1>| parts_of(gradient.shape().num_elements());
        let count: usize = gradients.iter().map(parts).sum();
        let mut sums = match count {
            0 => Tensor::<1>::zeros([1], &device),
            _ => Tensor::<1>::empty([count], &device),
        };
        let mut first = 0;
        for gradient in gradients {
            let end = first + parts(&gradient);
            sums = Tensor::from_dispatch(<Dispatch as GpuSteps>::gpu_squares(
                sums.into_dispatch(),
                gradient.into_dispatch(),
                first,
            ));
            first = end;
        }
        let clip = Clip {
            max_norm,
            epsilon,
            index: self.steps,
        };
        let outcomes = std::mem::replace(&mut self.outcomes, loss.clone());
        self.outcomes = Tensor::from_dispatch(<Dispatch as GpuSteps>::gpu_clip(
            outcomes.into_dispatch(),
            sums.into_dispatch(),
            loss.into_dispatch(),
            clip,
        ));
        self.steps += 1;
    }

    /// [`adamw_update`](crate::adamw_update()) by a gradient that is clipped by the last outcome, and multiplied by the step's
    /// factor. A step whose loss or norm is not finite changes nothing.
    ///
    /// # Shapes
    ///
    /// All `[N]`, none of them on an autodiff graph.
    ///
    /// # Panics
    ///
    /// It is empty.
    pub fn adamw_update(
        &self,
        state: AdamWState,
        gradient: Tensor<1>,
        step: AdamWStep,
    ) -> AdamWState {
        let last = self.steps.checked_sub(1).expect("there is an outcome");
        let updated = <Dispatch as GpuSteps>::gpu_adamw(
            state.parameter.into_dispatch(),
            gradient.into_dispatch(),
            state.first_moment.into_dispatch(),
            state.second_moment.into_dispatch(),
            self.outcomes.clone().into_dispatch(),
            last,
            step,
        );
        AdamWState {
            parameter: Tensor::from_dispatch(updated.parameter),
            first_moment: Tensor::from_dispatch(updated.first_moment),
            second_moment: Tensor::from_dispatch(updated.second_moment),
        }
    }

    /// Waits for the device, and gives loss and gradient norm of each step since the last time.
    ///
    /// # Errors
    ///
    /// The device did not compute them, for example for want of memory.
    pub fn take(&mut self) -> Result<Vec<[f64; 2]>, ExecutionError> {
        let outcomes = self.outcomes.clone().try_into_data()?;
        let numbers: Vec<f64> = outcomes.iter::<f64>().collect();
        let steps = std::mem::take(&mut self.steps);
        let each = numbers.chunks_exact(OUTCOME).take(steps);
        Ok(each.map(|outcome| [outcome[0], outcome[1]]).collect())
    }
}
