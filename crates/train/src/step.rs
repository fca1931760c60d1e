use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

use bert_tasks::{BatchLoss, Communicator, TaskError};

use crate::adamw::Clipping;
use crate::clip::gradient_rows;
use crate::path::ModulePath;
use crate::ranks::Exchange;
use crate::unread::{LossSum, Unread, finite};
use crate::{AdamW, Traffic, TrainError, clip_factor, global_norm};

/// One optimiser step after another.
#[derive(Debug)]
pub struct Stepper<'a> {
    pub(crate) optimizer: AdamW,
    pub(crate) exchange: Exchange<'a>,
    max_grad_norm: Option<f64>,
    seed: u64,
    steps: usize,
    unread: Unread,
}

/// What an optimiser step computed on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepOutcome {
    /// Mean loss over the labels of the step.
    pub loss: f64,
    /// Global norm of the gradients before clipping.
    pub grad_norm: f64,
    /// Tokens that are not padding.
    pub tokens: usize,
}

impl<'a> Stepper<'a> {
    /// Starts before the first step.
    pub fn new(optimizer: AdamW, max_grad_norm: Option<f64>, seed: u64) -> Self {
        Self {
            optimizer,
            exchange: Exchange::default(),
            max_grad_norm,
            seed,
            steps: 0,
            unread: Unread::default(),
        }
    }

    /// Takes each step together with other processes: micro-batches are then this rank's rows, and gradients and losses are
    /// those of all ranks.
    #[must_use]
    pub fn among(mut self, ranks: &'a dyn Communicator) -> Self {
        self.exchange = Exchange::among(ranks);
        self
    }

    /// Goes on after so many steps.
    pub(crate) fn skip_to(&mut self, steps: usize) {
        self.steps = steps;
    }

    /// What this rank has exchanged so far.
    pub fn traffic(&self) -> Traffic {
        self.exchange.traffic
    }

    /// Optimiser steps done.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// One optimiser step over `micro_batches`, each given with the weight of its labels
    /// ([`Task::label_weight`](bert_tasks::Task::label_weight)): losses weighted by it → backward → clip by the global norm →
    /// AdamW.
    ///
    /// Several processes add up the gradients of a single micro-batch while its backward pass goes on, on devices whose memory
    /// is the host's, and else after the last backward pass; the bits are the same. `loss` may be given a copy of the model
    /// whose parameters are not the leaves of the graph.
    ///
    /// Dropout draws from a stream that depends on the seed, on the position of the step, and on the rank alone. A rank may
    /// have micro-batches without labels, but all ranks have the same number of them.
    ///
    /// # Errors
    ///
    /// `loss` fails, a loss or the gradient norm is not finite, in the first step a trainable parameter got no gradient, or
    /// another process is gone.
    pub fn step<M: Module, B>(
        &mut self,
        model: M,
        micro_batches: &[(B, f64)],
        learning_rate: f64,
        device: &Device,
        loss: impl Fn(&M, &B) -> Result<BatchLoss, TaskError>,
    ) -> Result<(M, StepOutcome), TrainError> {
        let model = self.step_unread(model, micro_batches, learning_rate, device, loss)?;
        let outcome = self.read()?.pop();
        Ok((model, outcome.expect("a step has an outcome")))
    }

    /// [`step`](Self::step), whose outcome [`read`](Self::read) gives. On a GPU loss and norm stay there until then, and the
    /// host does not wait for them; where one of them is not finite, the step changes nothing, and `read` is the error.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    ///
    /// # Panics
    ///
    /// [`must_read`](Self::must_read) says yes.
    pub fn step_unread<M: Module, B>(
        &mut self,
        model: M,
        micro_batches: &[(B, f64)],
        learning_rate: f64,
        device: &Device,
        loss: impl Fn(&M, &B) -> Result<BatchLoss, TaskError>,
    ) -> Result<M, TrainError> {
        if self.steps == 0 {
            self.optimizer.reserve(&model, device);
        }
        let sum: f64 = micro_batches.iter().map(|(_, labels)| labels).sum();
        let [sum] = self.exchange.sum([sum])?;
        let all_labels = if sum > 0.0 { sum } else { 1.0 };
        let is_shared = self.exchange.is_shared();
        let mut losses = LossSum::new(device, is_shared);
        let mut tokens = 0;
        let seeds: Vec<u64> = (0..micro_batches.len())
            .map(|micro| self.dropout_seed(micro))
            .collect();
        let forward = |model: &M, micro: usize| -> Result<Option<Tensor<1>>, TrainError> {
            let (batch, batch_labels) = &micro_batches[micro];
            if *batch_labels == 0.0 && is_shared {
                return Ok(None);
            }
            device.seed(seeds[micro]);
            let of_batch = loss(model, batch)?;
            let weighted = of_batch.loss * (batch_labels / all_labels);
            losses.add(&weighted);
            tokens += of_batch.tokens;
            Ok(Some(weighted))
        };
        let gradients = self.gradients(&model, micro_batches.len(), device, forward)?;
        if let LossSum::Known(sum) = &mut losses {
            let sums = self.exchange.sum([*sum, tokens as f64])?;
            *sum = finite("loss", sums[0], self.steps + 1)?;
            tokens = sums[1] as usize;
        }
        if self.steps == 0 {
            every_parameter_has_a_gradient(&model, &gradients)?;
        }
        let model = self.update(model, gradients, learning_rate, losses, tokens)?;
        self.steps += 1;
        Ok(model)
    }

    /// Clips the gradients and takes the step.
    fn update<M: Module>(
        &mut self,
        model: M,
        gradients: GradientsParams,
        learning_rate: f64,
        losses: LossSum,
        tokens: usize,
    ) -> Result<M, TrainError> {
        let step = self.steps + 1;
        if let LossSum::OnDevice(_) = &losses {
            let rows = gradient_rows(&model, &gradients);
            if let Some(loss) = losses.on_device(&rows) {
                let maximum = self.max_grad_norm;
                let outcomes = self.unread.add_on_device(step, tokens, loss, rows, maximum);
                let clipping = Clipping::ByOutcome(outcomes);
                let optimizer = &mut self.optimizer;
                return Ok(optimizer.update(model, gradients, learning_rate, clipping));
            }
        }
        let loss = finite("loss", losses.read(), step)?;
        let grad_norm = finite("gradient norm", global_norm(&model, &gradients), step)?;
        let outcome = StepOutcome {
            loss,
            grad_norm,
            tokens,
        };
        let factor = clip_factor(grad_norm, self.max_grad_norm);
        let model = self.optimizer.step(model, gradients, learning_rate, factor);
        self.unread.add_known(step, outcome);
        Ok(model)
    }

    /// Whether [`read`](Self::read) has to come before the next step: on a CPU after each, on a GPU after some.
    pub fn must_read(&self) -> bool {
        self.unread.is_full()
    }

    /// The outcomes of the steps since the last time, for which the host waits.
    ///
    /// # Errors
    ///
    /// Loss or gradient norm of a step is not finite, or the device has failed, for example for want of memory.
    pub fn read(&mut self) -> Result<Vec<StepOutcome>, TrainError> {
        self.unread.take()
    }

    /// The gradients of all ranks, from the weighted loss of each micro-batch that has one.
    fn gradients<M: Module>(
        &mut self,
        model: &M,
        micro_batches: usize,
        device: &Device,
        mut forward: impl FnMut(&M, usize) -> Result<Option<Tensor<1>>, TrainError>,
    ) -> Result<GradientsParams, TrainError> {
        if micro_batches == 1 && self.exchange.can_overlap(device) {
            let forward = |model: &M| forward(model, 0);
            return self.exchange.sum_during_backward(model, device, forward);
        }
        let mut accumulator = GradientsAccumulator::new();
        for micro in 0..micro_batches {
            if let Some(loss) = forward(model, micro)? {
                let gradients = GradientsParams::from_grads(loss.backward(), model);
                accumulator.accumulate(model, gradients);
            }
        }
        Ok(self.exchange.sum_gradients(model, accumulator.grads())?)
    }

    /// A seed for one forward pass. That of the first rank is that of a run of one process.
    fn dropout_seed(&self, micro: usize) -> u64 {
        let rank = self.exchange.ranks.rank() as u64;
        let position = [self.steps as u64, micro as u64];
        stream(
            self.seed,
            position.into_iter().chain((rank > 0).then_some(rank)),
        )
    }
}

/// SplitMix64's finaliser over the seed and the counters, so that neighbours do not resemble each other (Steele, Lea and
/// Flood, <https://doi.org/10.1145/2714064.2660195>).
fn stream(seed: u64, counters: impl IntoIterator<Item = u64>) -> u64 {
    counters.into_iter().fold(seed, |state, counter| {
        let z = state.wrapping_add(counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

fn every_parameter_has_a_gradient<M: Module>(
    model: &M,
    gradients: &GradientsParams,
) -> Result<(), TrainError> {
    let mut without = WithoutGradient {
        gradients,
        path: ModulePath::default(),
        names: Vec::new(),
    };
    model.visit(&mut without);
    match without.names {
        names if names.is_empty() => Ok(()),
        names => Err(TrainError::NoGradient { names }),
    }
}

struct WithoutGradient<'a> {
    gradients: &'a GradientsParams,
    path: ModulePath,
    names: Vec<String>,
}

impl ModuleVisitor for WithoutGradient<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() && self.gradients.get::<D>(param.id).is_none() {
            self.names.push(self.path.dotted());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_of_a_run_has_a_stream_of_its_own() {
        let mut seeds = std::collections::HashSet::new();
        for seed in 0..3 {
            for step in 0..100 {
                for micro in 0..4 {
                    assert!(seeds.insert(stream(seed, [step, micro])));
                    for rank in 1..3 {
                        assert!(seeds.insert(stream(seed, [step, micro, rank])));
                    }
                }
            }
        }
    }
}
