use bert_kernels::gelu;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid, silu};
use burn::tensor::{Device, Tensor};

/// Tensor name and module path of every parameter of [`Dense`], one pair a line.
pub const DENSE_KEYS: &str = include_str!("keys/dense.tsv");

/// What a dense layer does with its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `tanh(x)`, the default of sentence-transformers.
    #[default]
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x · Φ(x)` through erf.
    Gelu,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 6] = [
        Self::Identity,
        Self::Tanh,
        Self::Relu,
        Self::Gelu,
        Self::Sigmoid,
        Self::Silu,
    ];

    /// The class of `torch.nn` that computes it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Identity => "Identity",
            Self::Tanh => "Tanh",
            Self::Relu => "ReLU",
            Self::Gelu => "GELU",
            Self::Sigmoid => "Sigmoid",
            Self::Silu => "SiLU",
        }
    }

    /// The activation that a path of a class means, such as `torch.nn.modules.activation.Tanh`.
    pub fn of_class(path: &str) -> Option<Self> {
        let class = path.strip_prefix("torch.nn.")?.rsplit('.').next()?;
        Self::ALL.into_iter().find(|one| one.class() == class)
    }

    fn forward(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Identity => x,
            Self::Tanh => x.tanh(),
            Self::Relu => relu(x),
            Self::Gelu => gelu(x),
            Self::Sigmoid => sigmoid(x),
            Self::Silu => silu(x),
        }
    }
}

/// The sizes of a [`Dense`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseConfig {
    /// Numbers of a vector that goes in.
    pub in_features: usize,
    /// Numbers of a vector that comes out.
    pub out_features: usize,
    /// Whether there is a bias.
    pub bias: bool,
    /// What comes after the linear layer.
    pub activation: Activation,
}

/// A linear layer and an activation: `Dense` of sentence-transformers.
#[derive(Module, Debug)]
pub struct Dense {
    /// The linear layer.
    pub linear: Linear,
    #[module(skip)]
    activation: Activation,
}

impl DenseConfig {
    /// A layer with fresh weights.
    pub fn init(&self, device: &Device) -> Dense {
        let linear = LinearConfig::new(self.in_features, self.out_features);
        Dense {
            linear: linear.with_bias(self.bias).init(device),
            activation: self.activation,
        }
    }
}

impl Dense {
    /// # Shapes
    ///
    /// `[B, in_features]` → `[B, out_features]`.
    pub fn forward(&self, vectors: Tensor<2>) -> Tensor<2> {
        self.activation.forward(self.linear.forward(vectors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_go_by_the_paths_of_their_classes() {
        let of = Activation::of_class;
        assert_eq!(
            of("torch.nn.modules.activation.Tanh"),
            Some(Activation::Tanh)
        );
        assert_eq!(
            of("torch.nn.modules.linear.Identity"),
            Some(Activation::Identity)
        );
        assert_eq!(of("torch.nn.modules.activation.Mish"), None);
        assert_eq!(of("my_code.Tanh"), None);
    }
}
