use bert_encoder::EncoderPart;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::path::ModulePath;

/// The learning rates of the parts of a model, as factors of the schedule's rate.
///
/// With a layer-wise decay d, the top of L layers learns at d, the lowest at dᴸ, and the embeddings at dᴸ⁺¹, times the
/// schedule's rate; what is outside the encoder learns at the schedule's rate itself. That is how BEiT's fine-tuning counts
/// (`LayerDecayValueAssigner`, <https://github.com/microsoft/unilm/blob/master/beit/run_class_finetuning.py>). ELECTRA's code,
/// which the method is known from, counts one place more between head and top layer: each of its rates below the head is d
/// times the one here. The LayerNorm after the last layer learns as that layer does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartRates {
    /// Of everything outside the encoder.
    pub head: f64,
    /// Between neighbouring layers; 1 for one rate in all of the encoder.
    pub layer_decay: f64,
    /// Layers of the encoder that have weights of their own.
    pub layers: usize,
}

impl PartRates {
    /// One rate for everything.
    pub const UNIFORM: Self = Self {
        head: 1.0,
        layer_decay: 1.0,
        layers: 0,
    };

    /// The factor of the parameter at a module path.
    pub(crate) fn factor(&self, path: &str) -> f64 {
        let below_the_head = match EncoderPart::of(path) {
            None => return self.head,
            Some(EncoderPart::FinalNorm) => 1,
            Some(EncoderPart::Layer(layer)) => self.layers.saturating_sub(layer),
            Some(EncoderPart::Embeddings) => self.layers + 1,
        };
        self.layer_decay
            .powi(i32::try_from(below_the_head).unwrap_or(i32::MAX))
    }
}

/// The number of layers with weights of their own in a model whose encoder is its field `encoder`.
pub(crate) fn layers_of<M: Module>(model: &M) -> usize {
    struct Highest {
        path: ModulePath,
        layers: usize,
    }
    impl ModuleVisitor for Highest {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }

        fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
            if let Some(EncoderPart::Layer(layer)) = EncoderPart::of(&self.path.dotted()) {
                self.layers = self.layers.max(layer + 1);
            }
        }
    }
    let mut highest = Highest {
        path: ModulePath::default(),
        layers: 0,
    };
    model.visit(&mut highest);
    highest.layers
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: PartRates = PartRates {
        head: 4.0,
        layer_decay: 0.5,
        layers: 3,
    };

    #[test]
    fn rates_fall_from_the_head_to_the_embeddings() {
        for (path, factor) in [
            ("classifier.weight", 4.0),
            ("pooler.dense.bias", 4.0),
            ("encoder.final_norm.gamma", 0.5),
            ("encoder.layers.2.PostNorm.output.weight", 0.5),
            ("encoder.layers.1.PostNorm.output.weight", 0.25),
            ("encoder.layers.0.PostNorm.output.weight", 0.125),
            ("encoder.embeddings.layer_norm.gamma", 0.0625),
            ("encoder.relative.Bias.weight", 0.0625),
        ] {
            assert_eq!(RATES.factor(path), factor, "{path}");
        }
    }

    #[test]
    fn without_a_decay_all_rates_are_those_of_the_schedule() {
        for path in [
            "classifier.weight",
            "encoder.layers.0.x",
            "encoder.embeddings.x",
        ] {
            assert_eq!(PartRates::UNIFORM.factor(path), 1.0);
        }
    }
}
