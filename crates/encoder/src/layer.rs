// B sequences, S positions, T tokens of all sequences, Q tokens that are wanted, H hidden, N heads

use bert_kernels::WeightFormat;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::sequences::Selection;
use crate::{
    EncoderConfig, LayerKind, Linear, PostNormLayer, PreNormLayer, RelativeContext, Rotations,
    Sequences,
};

/// What the layers of one pass share.
#[derive(Debug, Clone, Copy)]
pub struct LayerContext<'a> {
    /// Which rows are the tokens of which sequence.
    pub sequences: &'a Sequences,
    /// What attention knows of the distance between tokens.
    pub relative: Option<&'a RelativeContext>,
    /// How positions turn queries and keys.
    pub rotations: Option<&'a Rotations>,
}

/// A layer of an encoder, one variant for each kind of arithmetic.
#[expect(
    clippy::large_enum_variant,
    reason = "a model has few layers, all of one variant"
)]
#[derive(Module, Debug)]
pub enum Layer {
    /// BERT's.
    PostNorm(PostNormLayer),
    /// ModernBERT's.
    PreNorm(PreNormLayer),
}

impl Layer {
    /// The layer of this index.
    pub(crate) fn new(config: &EncoderConfig, index: usize, device: &Device) -> Self {
        match config.model_type.family().layer {
            LayerKind::PostNorm => Self::PostNorm(PostNormLayer::new(config, device)),
            LayerKind::PreNorm => Self::PreNorm(PreNormLayer::new(config, index, device)),
        }
    }

    /// Its linear layers with their paths.
    pub(crate) fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        let (variant, linears) = match self {
            Self::PostNorm(layer) => ("PostNorm", layer.linears_mut()),
            Self::PreNorm(layer) => ("PreNorm", layer.linears_mut()),
        };
        let linears = linears.into_iter();
        linears
            .map(|(path, linear)| (format!("{variant}.{path}"), linear))
            .collect()
    }

    pub(crate) fn pack_weights(&mut self, format: WeightFormat) {
        match self {
            Self::PostNorm(layer) => layer.pack_weights(format),
            Self::PreNorm(layer) => layer.pack_weights(format),
        }
    }

    /// Runs the layer.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → `[T, H]` and, if wanted, the attention probabilities `[B, N, S, S]`.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        context: LayerContext<'_>,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        match self {
            Self::PostNorm(layer) => layer.forward(hidden, context, want_probabilities),
            Self::PreNorm(layer) => layer.forward(hidden, context, want_probabilities),
        }
    }

    /// The output of some tokens.
    ///
    /// # Shapes
    ///
    /// `hidden` `[T, H]` → `[Q, H]`.
    pub(crate) fn forward_selected(
        &self,
        hidden: Tensor<2>,
        context: LayerContext<'_>,
        selection: &Selection,
    ) -> Tensor<2> {
        match self {
            Self::PostNorm(layer) => layer.forward_selected(hidden, context, selection),
            Self::PreNorm(layer) => layer.forward_selected(hidden, context, selection),
        }
    }
}
