use std::fmt;
use std::str::FromStr;

use bert_encoder::EncoderPart;
use bert_tasks::adapters::LoraOptions;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use serde::{Serialize, Serializer};

use crate::TrainError;
use crate::path::ModulePath;

/// Which parameters are trained; the others stay bit for bit what they were.
///
/// Frozen layers are computed as in evaluation, without dropout, unless
/// [`frozen_dropout`](crate::TrainOptions::frozen_dropout) says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Tune {
    /// Everything outside the encoder's embeddings and layers: the head and, where there is one, the pooler.
    Head,
    /// The same and the last K layers.
    Last(usize),
    /// Everything outside the encoder, and the biases of the encoder, those of LayerNorm included (Ben Zaken et al.,
    /// <https://arxiv.org/abs/2106.10199>).
    BitFit,
    /// Everything outside the encoder, and the low-rank adapters beside its linear layers. The model must
    /// [have them](bert_tasks::Pretrained::train_adapter).
    Lora(LoraOptions),
    /// Everything.
    All,
}

impl FromStr for Tune {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.split_once(':') {
            None if word == "head" => Ok(Tune::Head),
            None if word == "bitfit" => Ok(Tune::BitFit),
            None if word == "all" => Ok(Tune::All),
            None if word == "lora" => Ok(Tune::Lora(LoraOptions::default())),
            Some(("lora", _)) => word.parse().map(Tune::Lora),
            Some(("last", layers)) => match layers.parse() {
                Ok(layers) if layers > 0 => Ok(Tune::Last(layers)),
                _ => Err(format!(
                    "`last:{layers}` needs a number of layers, at least 1"
                )),
            },
            _ => Err(format!(
                "`{word}` is none of `head`, `last:K`, `bitfit`, `lora[:SETTINGS]` and `all`"
            )),
        }
    }
}

impl fmt::Display for Tune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tune::Head => f.write_str("head"),
            Tune::Last(layers) => write!(f, "last:{layers}"),
            Tune::BitFit => f.write_str("bitfit"),
            Tune::Lora(options) => options.fmt(f),
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
    /// More layers are asked for than there are, or biases or adapters of an encoder that has none.
    pub fn apply<M: Module>(&self, model: M, layers: usize) -> Result<M, TrainError> {
        let trained = match self {
            Tune::All => Trained::Everything,
            Tune::Head => Trained::From(layers),
            Tune::Last(asked) if *asked > layers => {
                let asked = *asked;
                return Err(TrainError::TooFewLayers { asked, layers });
            }
            Tune::Last(asked) => Trained::From(layers - asked),
            Tune::BitFit => Trained::Biases,
            Tune::Lora(_) => Trained::Adapters,
        };
        let mut selection = Selection {
            trained,
            layers,
            path: ModulePath::default(),
            in_encoder: 0,
        };
        let model = model.map(&mut selection);
        match self {
            Tune::BitFit if selection.in_encoder == 0 => Err(TrainError::NoBiases),
            Tune::Lora(_) if selection.in_encoder == 0 => Err(TrainError::NoAdapters),
            _ => Ok(model),
        }
    }
}

/// Keeps the embeddings of a model as they are, and the tables of relative positions.
pub(crate) fn freeze_embeddings<M: Module>(model: M) -> M {
    model.map(&mut Frozen(ModulePath::default()))
}

struct Frozen(ModulePath);

impl ModuleMapper for Frozen {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.0.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.0.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match EncoderPart::of(&self.0.dotted()) {
            Some(EncoderPart::Embeddings) => param.set_require_grad(false),
            _ => param,
        }
    }
}

/// What of the encoder is trained; everything outside always is.
#[derive(Clone, Copy)]
enum Trained {
    Everything,
    /// The layers from this one on.
    From(usize),
    Biases,
    Adapters,
}

struct Selection {
    trained: Trained,
    layers: usize,
    path: ModulePath,
    /// Parameters of the encoder that are trained, so far.
    in_encoder: usize,
}

impl Selection {
    fn is_trained(&self, path: &str) -> bool {
        let Some(part) = EncoderPart::of(path) else {
            return true;
        };
        match (self.trained, part) {
            (Trained::Everything, _) => true,
            (Trained::Biases, _) => is_bias(path),
            (Trained::Adapters, _) => path.contains(".low_rank."),
            (Trained::From(_), EncoderPart::Embeddings) => false,
            (Trained::From(first), EncoderPart::Layer(layer)) => layer >= first,
            (Trained::From(first), EncoderPart::FinalNorm) => first < self.layers,
        }
    }
}

/// Whether the parameter at a module path is a bias, of a linear layer, a convolution or a LayerNorm.
fn is_bias(path: &str) -> bool {
    path.ends_with(".bias") || path.ends_with(".beta")
}

impl ModuleMapper for Selection {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.dotted();
        let trained = self.is_trained(&path);
        self.in_encoder += usize::from(trained && EncoderPart::of(&path).is_some());
        param.set_require_grad(trained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_others_are_refused() {
        for word in [
            "head",
            "last:3",
            "bitfit",
            "lora:rank=4,alpha=8,dropout=0,dora",
            "all",
        ] {
            assert_eq!(word.parse::<Tune>().unwrap().to_string(), word);
        }
        for word in [
            "",
            "last",
            "last:0",
            "last:x",
            "lora:x",
            "lorax",
            "everything",
        ] {
            assert!(word.parse::<Tune>().is_err(), "{word} was taken");
        }
    }

    fn trained(first_trained: Option<usize>, path: &str) -> bool {
        selects(
            first_trained.map_or(Trained::Everything, Trained::From),
            path,
        )
    }

    fn selects(trained: Trained, path: &str) -> bool {
        Selection {
            trained,
            layers: 12,
            path: ModulePath::default(),
            in_encoder: 0,
        }
        .is_trained(path)
    }

    #[test]
    fn bitfit_trains_biases_and_what_is_outside_the_encoder() {
        for path in [
            "classifier.weight",
            "encoder.layers.0.PostNorm.attention.key.bias",
            "encoder.embeddings.layer_norm.beta",
        ] {
            assert!(selects(Trained::Biases, path), "{path}");
        }
        for path in [
            "encoder.layers.0.PostNorm.attention.key.weight",
            "encoder.layers.0.PostNorm.output_norm.gamma",
            "encoder.relative.Bias.weight",
        ] {
            assert!(!selects(Trained::Biases, path), "{path}");
        }
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
