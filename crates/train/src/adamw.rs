use std::collections::HashMap;

use bert_kernels::{AdamWState, AdamWStep, StepOutcomes, adamw_update};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::PartRates;
use crate::path::ModulePath;

/// AdamW with decoupled weight decay (Loshchilov and Hutter, <https://arxiv.org/abs/1711.05101>), as `torch.optim.AdamW`
/// computes it in transformers' `Trainer`: biases and LayerNorm parameters are not decayed, and the bias corrections are
/// computed in double precision.
#[derive(Debug)]
pub struct AdamW {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: f64,
    rates: PartRates,
    pub(crate) steps: i32,
    pub(crate) moments: HashMap<ParamId, Moments>,
}

/// Running means of the gradient and of its square, flattened.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) first: Tensor<1>,
    pub(crate) second: Tensor<1>,
}

impl Moments {
    /// Before the first step. The two share no memory, so that the step can change both in place.
    fn zeros(elements: usize, device: &Device) -> Self {
        Self {
            first: Tensor::zeros([elements], device),
            second: Tensor::zeros([elements], device),
        }
    }
}

impl AdamW {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8: the defaults of PyTorch and of transformers.
    pub fn new(weight_decay: f64) -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay,
            rates: PartRates::UNIFORM,
            steps: 0,
            moments: HashMap::new(),
        }
    }

    /// The same with learning rates of their own for parts of the model.
    #[must_use]
    pub fn with_rates(self, rates: PartRates) -> Self {
        Self { rates, ..self }
    }

    /// Makes the moments of all parameters that are trained and have none. Moments that a first step makes, after activations
    /// and gradients, lie between the holes that these leave, and the heap grows by the next buffer that fits in no hole.
    pub(crate) fn reserve<M: Module>(&mut self, module: &M, device: &Device) {
        module.visit(&mut Reservation {
            moments: &mut self.moments,
            device: device.clone().inner(),
        });
    }

    /// Updates every parameter that has a gradient. Gradients are multiplied by `gradient_factor` first, which is how
    /// clipping by the global norm enters.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        learning_rate: f64,
        gradient_factor: f64,
    ) -> M {
        self.update(
            module,
            gradients,
            learning_rate,
            Clipping::Factor(gradient_factor),
        )
    }

    pub(crate) fn update<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        learning_rate: f64,
        clipping: Clipping<'_>,
    ) -> M {
        let (gradient_factor, outcomes) = match clipping {
            Clipping::Factor(factor) => (factor, None),
            Clipping::ByOutcome(outcomes) => (1.0, Some(outcomes)),
        };
        self.steps += 1;
        let mut update = Update {
            moments: &mut self.moments,
            gradients,
            outcomes,
            rates: self.rates,
            step: AdamWStep {
                learning_rate,
                beta_1: self.beta_1,
                beta_2: self.beta_2,
                epsilon: self.epsilon,
                weight_decay: self.weight_decay,
                gradient_factor,
                step: self.steps,
            },
            path: ModulePath::default(),
        };
        module.map(&mut update)
    }
}

/// By what gradients are multiplied.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clipping<'a> {
    Factor(f64),
    /// The factor of the last of these, which the host does not know.
    ByOutcome(&'a StepOutcomes),
}

/// Whether weight decay applies to the parameter at a module path.
fn is_decayed(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    !matches!(name, "bias" | "gamma" | "beta")
}

struct Reservation<'a> {
    moments: &'a mut HashMap<ParamId, Moments>,
    /// Without gradients.
    device: Device,
}

impl ModuleVisitor for Reservation<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            let zeros = || Moments::zeros(param.shape().num_elements(), &self.device);
            self.moments.entry(param.id).or_insert_with(zeros);
        }
    }
}

struct Update<'a> {
    moments: &'a mut HashMap<ParamId, Moments>,
    gradients: GradientsParams,
    outcomes: Option<&'a StepOutcomes>,
    rates: PartRates,
    step: AdamWStep,
    path: ModulePath,
}

impl Update<'_> {
    /// The updated parameter, off the autodiff graph.
    fn updated<const D: usize>(
        &mut self,
        id: ParamId,
        value: Tensor<D>,
        gradient: Tensor<D>,
    ) -> Tensor<D> {
        let shape = value.shape();
        let moments = self
            .moments
            .remove(&id)
            .unwrap_or_else(|| Moments::zeros(shape.num_elements(), &value.device()));
        let state = AdamWState {
            parameter: value.flatten(0, D - 1),
            first_moment: moments.first,
            second_moment: moments.second,
        };
        let path = self.path.dotted();
        let mut step = self.step;
        step.learning_rate *= self.rates.factor(&path);
        if !is_decayed(&path) {
            step.weight_decay = 0.0;
        }
        let gradient = gradient.flatten(0, D - 1);
        let updated = match self.outcomes {
            None => adamw_update(state, gradient, step),
            Some(outcomes) => outcomes.adamw_update(state, gradient, step),
        };
        let moments = Moments {
            first: updated.first_moment,
            second: updated.second_moment,
        };
        self.moments.insert(id, moments);
        updated.parameter.reshape(shape)
    }
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        let value = match self.gradients.remove::<D>(id) {
            None => value,
            Some(gradient) => {
                let strategy = value.gradient_checkpointing_strategy();
                let updated = Tensor::from_inner(self.updated(id, value.inner(), gradient));
                let updated = match strategy {
                    Some(strategy) => updated.with_gradient_checkpointing_strategy(strategy),
                    None => updated,
                };
                updated.require_grad()
            }
        };
        Param::from_mapped_value(id, value, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_and_layer_norms_are_not_decayed() {
        assert!(is_decayed("encoder.embeddings.word_embeddings.weight"));
        assert!(is_decayed("classifier.weight"));
        assert!(!is_decayed("classifier.bias"));
        assert!(!is_decayed("encoder.layers.0.output_norm.gamma"));
        assert!(!is_decayed("encoder.layers.0.output_norm.beta"));
    }
}
