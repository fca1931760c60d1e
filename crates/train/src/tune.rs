use std::fmt;
use std::str::FromStr;

use bert_encoder::EncoderPart;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use serde::{Serialize, Serializer};

use crate::TrainError;
use crate::path::ModulePath;

/// Which parameters are trained; the others stay bit for bit what they were.
///
/// The dropout of frozen layers stays active in training, as it does in transformers when `requires_grad` is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tune {
    /// Everything outside the encoder's embeddings and layers: the head and, where there is one, the pooler.
    Head,
    /// The same and the last K layers.
    Last(usize),
    /// Everything.
    All,
}

impl FromStr for Tune {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.split_once(':') {
            None if word == "head" => Ok(Tune::Head),
            None if word == "all" => Ok(Tune::All),
            Some(("last", layers)) => match layers.parse() {
                Ok(layers) if layers > 0 => Ok(Tune::Last(layers)),
                _ => Err(format!(
                    "`last:{layers}` needs a number of layers, at least 1"
                )),
            },
            _ => Err(format!("`{word}` is none of `head`, `last:K` and `all`")),
        }
    }
}

impl fmt::Display for Tune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tune::Head => f.write_str("head"),
            Tune::Last(layers) => write!(f, "last:{layers}"),
            Tune::All => f.write_str("all"),
        }
    }
}

impl Serialize for Tune {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Tune {
    /// Sets which parameters of a model get gradients, in a model whose encoder of `layers` layers is its field `encoder`.
    ///
    /// # Errors
    ///
    /// More layers are asked for than there are.
    pub fn apply<M: Module>(self, model: M, layers: usize) -> Result<M, TrainError> {
        let first_trained = match self {
            Tune::All => None,
            Tune::Head => Some(layers),
            Tune::Last(asked) if asked > layers => {
                return Err(TrainError::TooFewLayers { asked, layers });
            }
            Tune::Last(asked) => Some(layers - asked),
        };
        Ok(model.map(&mut Selection {
            first_trained,
            layers,
            path: ModulePath::default(),
        }))
    }
}

/// `first_trained` is the lowest encoder layer to train; `None` trains the embeddings too.
struct Selection {
    first_trained: Option<usize>,
    layers: usize,
    path: ModulePath,
}

impl Selection {
    fn is_trained(&self, path: &str) -> bool {
        let Some(first_trained) = self.first_trained else {
            return true;
        };
        match EncoderPart::of(path) {
            Some(EncoderPart::Embeddings) => false,
            Some(EncoderPart::Layer(layer)) => layer >= first_trained,
            Some(EncoderPart::FinalNorm) => first_trained < self.layers,
            None => true,
        }
    }
}

impl ModuleMapper for Selection {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = self.is_trained(&self.path.dotted());
        param.set_require_grad(trained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_others_are_refused() {
        for word in ["head", "last:3", "all"] {
            assert_eq!(word.parse::<Tune>().unwrap().to_string(), word);
        }
        for word in ["", "last", "last:0", "last:x", "everything"] {
            assert!(word.parse::<Tune>().is_err(), "{word} was taken");
        }
    }

    fn trained(first_trained: Option<usize>, path: &str) -> bool {
        let path_stack = ModulePath::default();
        Selection {
            first_trained,
            layers: 12,
            path: path_stack,
        }
        .is_trained(path)
    }

    #[test]
    fn the_head_and_the_pooler_are_always_trained() {
        for first_trained in [None, Some(4), Some(6)] {
            assert!(trained(first_trained, "classifier.weight"));
            assert!(trained(first_trained, "pooler.dense.bias"));
        }
    }

    #[test]
    fn layers_below_the_first_trained_one_are_frozen_with_the_embeddings() {
        assert!(!trained(Some(4), "encoder.layers.3.output.weight"));
        assert!(trained(Some(4), "encoder.layers.4.output.weight"));
        assert!(trained(Some(4), "encoder.layers.10.output.weight"));
        assert!(!trained(Some(4), "encoder.embeddings.layer_norm.gamma"));
        assert!(trained(None, "encoder.embeddings.layer_norm.gamma"));
    }

    #[test]
    fn the_final_norm_is_trained_with_the_last_layer() {
        let norm = "encoder.final_norm.gamma";
        assert!(trained(None, norm) && trained(Some(11), norm));
        assert!(!trained(Some(12), norm));
    }
}
