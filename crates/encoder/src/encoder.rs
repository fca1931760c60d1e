// B sequences, S positions, T tokens of all sequences, N heads, Q tokens that are wanted, H hidden

use bert_kernels::{Precision, WeightFormat, has_kernels};
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{DType, Device, Tensor};

use crate::batch::{Batch, check_positions};
use crate::frozen::FrozenPart;
use crate::sequences::Selection;
use crate::{
    Convolution, Embeddings, EncoderConfig, EncoderError, EncoderInput, Layer, LayerContext,
    LayerKind, Linear, Pooling, RelativeContext, RelativePositions, RotaryPositions, Rotations,
    kernel_args,
};

/// What a forward pass returns beside the last hidden state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want {
    /// The output of the embeddings and of every layer.
    pub hidden_states: bool,
    /// The attention probabilities of every layer.
    pub attentions: bool,
}

/// The result of a forward pass.
#[derive(Debug, Clone)]
pub struct EncoderOutput {
    /// Output of the last layer, after the final LayerNorm if there is one, `[B, S, H]`.
    pub last_hidden_state: Tensor<3>,
    /// Embeddings, then each layer's output, `[B, S, H]` each; empty unless wanted. The last one is `last_hidden_state`.
    pub hidden_states: Vec<Tensor<3>>,
    /// Attention probabilities of each layer before dropout, `[B, N, S, S]` each; empty unless wanted.
    pub attentions: Vec<Tensor<4>>,
}

/// Embeddings and layers of a model of any family, in the order in which they compute. A pooler belongs to the head that uses
/// it.
#[derive(Module, Debug)]
pub struct Encoder {
    /// Token ids to hidden states.
    pub embeddings: Embeddings,
    /// What attention knows of the distance between two tokens, in families where it does.
    pub relative: Option<RelativePositions>,
    /// Beside the first layer, in models that have it.
    pub convolution: Option<Convolution>,
    /// The layers that have weights of their own, first to last.
    pub layers: Vec<Layer>,
    /// After the last layer, in families that have it.
    pub final_norm: Option<LayerNorm>,
    /// How positions turn queries and keys, in families where they do.
    #[module(skip)]
    rotary: Option<RotaryPositions>,
    #[module(skip)]
    layer_norm_eps: f64,
    /// How often each of them is computed in a row.
    #[module(skip)]
    pub(crate) repeats: usize,
    /// What is computed as in evaluation.
    #[module(skip)]
    pub(crate) frozen: Option<FrozenPart>,
}

impl EncoderConfig {
    /// An encoder with fresh weights.
    ///
    /// # Errors
    ///
    /// The configuration does not [validate](Self::validate).
    pub fn init(&self, device: &Device) -> Result<Encoder, EncoderError> {
        self.validate()?;
        let groups = self.layers_with_weights();
        Ok(Encoder {
            embeddings: Embeddings::new(self, device),
            layers: (0..groups)
                .map(|index| Layer::new(self, index, device))
                .collect(),
            relative: RelativePositions::new(self, device),
            convolution: Convolution::new(self, device),
            final_norm: self.final_norm(device),
            rotary: RotaryPositions::new(self),
            layer_norm_eps: self.layer_norm_eps,
            repeats: self.num_hidden_layers / groups,
            frozen: None,
        })
    }

    fn final_norm(&self, device: &Device) -> Option<LayerNorm> {
        let norm = || {
            LayerNormConfig::new(self.hidden_size)
                .with_epsilon(self.layer_norm_eps)
                .with_bias(self.norm_bias())
                .init(device)
        };
        (self.model_type.family().layer == LayerKind::PreNorm).then(norm)
    }
}

impl Encoder {
    /// Keeps the layers' weights packed for the kernels, from the first batch without gradients on. This is for inference, and
    /// short inputs gain the most. It takes the memory of the layers' weights once more, half of it as
    /// [`WeightFormat::Bf16`], a quarter as [`WeightFormat::Int8`]. A weight that changes later is packed again. On devices
    /// without [kernels](bert_kernels::has_kernels), and for gradients, nothing changes.
    pub fn pack_weights(&mut self, format: WeightFormat) {
        for layer in &mut self.layers {
            layer.pack_weights(format);
        }
    }

    /// Has linear layers and attention multiply in these numbers, forward and backward, wherever gradients are computed. Weights
    /// keep their single precision, and a model in evaluation computes as ever. Devices without
    /// [kernels](bert_kernels::has_kernels) multiply in single precision.
    pub fn set_precision(&mut self, precision: Precision) {
        for (_, linear) in self.linears_mut() {
            linear.precision = precision;
        }
    }

    /// Its linear layers, each with its module path in the encoder, such as `layers.0.PostNorm.attention.query`.
    pub fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        let projection = self.embeddings.projection.iter_mut();
        let projection = projection.map(|linear| ("embeddings.projection".to_owned(), linear));
        let layers = self.layers.iter_mut().enumerate();
        let of_layers = layers.flat_map(|(index, layer)| {
            let linears = layer.linears_mut().into_iter();
            linears.map(move |(path, linear)| (format!("layers.{index}.{path}"), linear))
        });
        projection.chain(of_layers).collect()
    }

    /// Encodes a batch.
    ///
    /// # Errors
    ///
    /// The batch is empty, longer than the model takes, has an id beyond a table, or its tensors differ in shape.
    pub fn forward(&self, input: EncoderInput) -> Result<EncoderOutput, EncoderError> {
        self.forward_with(input, Want::default())
    }

    /// Encodes a batch and returns the intermediate results that are wanted.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with(
        &self,
        input: EncoderInput,
        want: Want,
    ) -> Result<EncoderOutput, EncoderError> {
        let frozen = match want == Want::default() {
            true => self.above_frozen(&input)?,
            false => None,
        };
        let batch = self.batch(input, !want.attentions)?;
        let device = batch.input_ids.device();
        let passed = kernel_args::on_threads_of(&device, || self.pass(&batch, frozen, want));
        let hidden_states = passed.hidden_states.into_iter();
        Ok(EncoderOutput {
            last_hidden_state: batch.unpack(passed.last),
            hidden_states: hidden_states.map(|hidden| batch.unpack(hidden)).collect(),
            attentions: passed.attentions,
        })
    }

    /// The last hidden state of each sequence's first token, which poolers look at. Nothing else of the last layer is
    /// computed, on devices that have kernels: for a head that looks at this alone, that saves the most.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, H]`.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_first(&self, input: EncoderInput) -> Result<Tensor<2>, EncoderError> {
        let [sequences, _] = input.dims();
        self.forward_selected(input, &vec![vec![0]; sequences])
    }

    /// The last hidden state of some tokens alone, given by their positions in each sequence. Nothing else of the last layer
    /// is computed, on devices that have kernels.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[Q, H]`, sequence by sequence in the order of the positions.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward); or there is not one list of positions for each sequence, or a position beyond its
    /// end.
    pub fn forward_selected(
        &self,
        input: EncoderInput,
        positions: &[Vec<usize>],
    ) -> Result<Tensor<2>, EncoderError> {
        if let Some(selected) = self.frozen_selected(&input, positions)? {
            return Ok(selected);
        }
        let frozen = self.above_frozen(&input)?;
        let batch = self.batch(input, true)?;
        check_positions(positions, &batch.sequences.lengths())?;
        let device = batch.input_ids.device();
        let selection = Selection::new(positions, &batch.sequences.lengths(), &device);
        let layers: Vec<&Layer> = self.layers_in_order().collect();
        let Some((last, others)) = layers.split_last() else {
            let embedded = self.embeddings.forward(&batch);
            return Ok(self.normed(embedded.select(0, selection.rows)));
        };
        let is_plain = !others.is_empty() || self.convolution.is_none();
        Ok(kernel_args::on_threads_of(&device, || {
            let shared = self.shared(&batch);
            let context = shared.context(&batch);
            let (start, mut hidden) = frozen.unwrap_or_else(|| (0, self.embed(&batch, context)));
            for (index, layer) in others.iter().enumerate().skip(start) {
                hidden = self.run(index, layer, hidden, context, false).0;
            }
            let selected = if is_plain && self.has_kernels() {
                last.forward_selected(hidden, context, &selection)
            } else {
                let (output, _) = self.run(others.len(), last, hidden, context, false);
                output.select(0, selection.rows)
            };
            self.normed(selected)
        }))
    }

    /// What a classifier of sequences looks at.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, H]`.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_pooled(
        &self,
        input: EncoderInput,
        pooling: Pooling,
    ) -> Result<Tensor<2>, EncoderError> {
        match pooling {
            Pooling::First => self.forward_first(input),
            Pooling::Mean => {
                let frozen = self.above_frozen(&input)?;
                let batch = self.batch(input, true)?;
                let device = batch.input_ids.device();
                let pass = || self.pass(&batch, frozen, Want::default()).last;
                Ok(batch.mean(kernel_args::on_threads_of(&device, pass)))
            }
        }
    }

    fn shared(&self, batch: &Batch) -> Shared {
        let words = self.embeddings.word_embeddings.weight.val();
        let relative = self.relative.as_ref();
        let rotary = self.rotary.as_ref();
        Shared {
            relative: relative
                .map(|positions| positions.context(&batch.sequences, &batch.input_ids.device())),
            rotations: rotary
                .map(|rotary| rotary.of(&batch.sequences, words.dtype(), &words.device())),
        }
    }

    /// The final LayerNorm, where there is one.
    fn normed(&self, hidden: Tensor<2>) -> Tensor<2> {
        match &self.final_norm {
            Some(norm) => kernel_args::norm(hidden, norm, self.layer_norm_eps),
            None => hidden,
        }
    }

    /// The embeddings of a batch, `[T, H]`.
    fn embed(&self, batch: &Batch, context: LayerContext<'_>) -> Tensor<2> {
        let embedded = self.embeddings.forward(batch);
        match context.relative {
            Some(relative) => relative.embedded(embedded),
            None => embedded,
        }
    }

    /// A layer, with what stands beside the first one. Shapes are those of [`Layer::forward`].
    fn run(
        &self,
        index: usize,
        layer: &Layer,
        hidden: Tensor<2>,
        context: LayerContext<'_>,
        want_probabilities: bool,
    ) -> (Tensor<2>, Option<Tensor<4>>) {
        let convolution = self.convolution.as_ref().filter(|_| index == 0);
        let rows = context.relative.and_then(RelativeContext::disentangled);
        let (Some(convolution), Some((rows, _))) = (convolution, rows) else {
            return layer.forward(hidden, context, want_probabilities);
        };
        let (output, probabilities) = layer.forward(hidden.clone(), context, want_probabilities);
        let convolved = convolution.forward(hidden, output, rows);
        (convolved, probabilities)
    }

    /// Number of layers, each counted as often as it is computed.
    pub(crate) fn depth(&self) -> usize {
        self.layers.len() * self.repeats
    }

    /// What the first of the layers from this one on takes: the final LayerNorm is behind them all.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[T, H]`, with padding where the encoder pads.
    pub(crate) fn forward_below(
        &self,
        input: EncoderInput,
        layers: usize,
    ) -> Result<Tensor<2>, EncoderError> {
        let batch = self.batch(input, true)?;
        Ok(kernel_args::on_threads_of(
            &batch.input_ids.device(),
            || {
                let shared = self.shared(&batch);
                let context = shared.context(&batch);
                let mut hidden = self.embed(&batch, context);
                for (index, layer) in self.layers_in_order().enumerate().take(layers) {
                    hidden = self.run(index, layer, hidden, context, false).0;
                }
                match layers == self.depth() {
                    true => self.normed(hidden),
                    false => hidden,
                }
            },
        ))
    }

    /// Every layer as often as it is computed.
    fn layers_in_order(&self) -> impl Iterator<Item = &Layer> {
        self.layers
            .iter()
            .flat_map(|layer| std::iter::repeat_n(layer, self.repeats))
    }

    /// `frozen` is the first layer that is computed and what it takes, where that is known.
    fn pass(&self, batch: &Batch, frozen: Option<(usize, Tensor<2>)>, want: Want) -> Passed {
        let frozen = match frozen {
            Some((start, last)) if start == self.depth() => return Passed::of(last),
            frozen => frozen,
        };
        let shared = self.shared(batch);
        let context = shared.context(batch);
        let (start, mut hidden) = frozen.unwrap_or_else(|| (0, self.embed(batch, context)));
        let mut hidden_states = Vec::new();
        let mut attentions = Vec::new();
        for (index, layer) in self.layers_in_order().enumerate().skip(start) {
            if want.hidden_states {
                hidden_states.push(hidden.clone());
            }
            let (output, probabilities) = self.run(index, layer, hidden, context, want.attentions);
            hidden = output;
            attentions.extend(probabilities);
        }
        hidden = self.normed(hidden);
        if want.hidden_states {
            hidden_states.push(hidden.clone());
        }
        Passed {
            last: hidden,
            hidden_states,
            attentions,
        }
    }

    /// The input as tokens of sequences. Ragged input `may` stay `ragged` on devices that have kernels; elsewhere it is
    /// padded.
    pub(crate) fn batch(
        &self,
        input: EncoderInput,
        may_stay_ragged: bool,
    ) -> Result<Batch, EncoderError> {
        input.check(self.embeddings.tables())?;
        let device = self.embeddings.word_embeddings.weight.val().device();
        let numbering = self.embeddings.numbering();
        Ok(match input {
            EncoderInput::Ragged(ragged) if may_stay_ragged && self.has_kernels() => {
                Batch::ragged(&ragged, numbering, &device)
            }
            EncoderInput::Ragged(ragged) => {
                let filler = self.embeddings.filler();
                Batch::padded(ragged.to_padded(filler, &device), numbering)
            }
            EncoderInput::Padded(padded) => Batch::padded(padded, numbering),
        })
    }

    /// Whether the kernels compute this model. Work is then arranged for them: without padding and unused tokens.
    pub(crate) fn has_kernels(&self) -> bool {
        let words = self.embeddings.word_embeddings.weight.val();
        words.dtype() == DType::F32 && has_kernels(&words.device())
    }
}

/// What the layers share in one pass, beside the sequences.
struct Shared {
    relative: Option<RelativeContext>,
    rotations: Option<Rotations>,
}

impl Shared {
    fn context<'a>(&'a self, batch: &'a Batch) -> LayerContext<'a> {
        LayerContext {
            sequences: &batch.sequences,
            relative: self.relative.as_ref(),
            rotations: self.rotations.as_ref(),
        }
    }
}

/// What comes out of the layers: `[T, H]` each, and attention probabilities `[B, N, S, S]`.
struct Passed {
    last: Tensor<2>,
    hidden_states: Vec<Tensor<2>>,
    attentions: Vec<Tensor<4>>,
}

impl Passed {
    fn of(last: Tensor<2>) -> Self {
        Self {
            last,
            hidden_states: Vec::new(),
            attentions: Vec::new(),
        }
    }
}
