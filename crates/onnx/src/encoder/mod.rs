//! The graph of an encoder: the same arithmetic as `bert_encoder::Encoder`, on padded rows.

// B batch, S sequence, H hidden, N heads, D head

mod attention;
mod convolution;
mod disentangled;
mod embeddings;
mod masks;
mod post_norm;
mod pre_norm;
mod relative;
mod rotary;
mod skew;

use bert_encoder::{EncoderConfig, EncoderPart, LayerKind};

use self::disentangled::Disentangled;
use self::masks::Masks;
use self::relative::Relative;
use self::rotary::Rotations;
use crate::graph::{Graph, Value};

/// What the caller of a graph gives, `[B, S]` each.
pub(crate) struct Inputs {
    pub(crate) input_ids: Value,
    /// One where there is a token, zero at padding.
    pub(crate) attention_mask: Value,
    /// In models with more than one type.
    pub(crate) token_type_ids: Option<Value>,
}

/// The output of an encoder, and what heads read beside it.
pub(crate) struct Encoded {
    /// `[B, S, H]`.
    pub(crate) last_hidden_state: Value,
    /// One where there is a token, zero at padding, `[B, S]`.
    pub(crate) real: Value,
}

/// What the layers share.
struct Shared<'a> {
    config: &'a EncoderConfig,
    masks: Masks,
    /// The longest sequence of the batch, one integer.
    length: Value,
    relative: Option<Relative>,
    rotations: Option<Rotations>,
}

/// The path of a part of the encoder in a model with a head.
pub(crate) fn path(part: &str) -> String {
    format!("{}.{part}", EncoderPart::FIELD)
}

impl Graph {
    pub(crate) fn encoder(&mut self, config: &EncoderConfig, inputs: &Inputs) -> Encoded {
        let shared = self.shared(config, inputs);
        let mut hidden = self.embeddings(config, inputs, &shared.length);
        if let Some(Relative::Disentangled(_)) = shared.relative {
            hidden = self.hide_padding(&hidden, &shared.masks);
        }
        let repeats = config.num_hidden_layers / config.layers_with_weights();
        for index in 0..config.num_hidden_layers {
            let output = self.layer(&hidden, index / repeats, &shared);
            hidden = match index {
                0 => self.beside_first_layer(&hidden, output, &shared),
                _ => output,
            };
        }
        let norm = path("final_norm");
        if self.has(&format!("{norm}.gamma")) {
            hidden = self.layer_norm(&hidden, &norm, config.layer_norm_eps);
        }
        Encoded {
            last_hidden_state: hidden,
            real: shared.masks.real,
        }
    }

    fn shared<'a>(&mut self, config: &'a EncoderConfig, inputs: &Inputs) -> Shared<'a> {
        let shape = self.node("Shape", &[&inputs.input_ids], Vec::new());
        let one = self.integers(&[1]);
        let length = self.gather(&shape, &one, 0);
        let masks = self.masks(config, &inputs.attention_mask, &length);
        Shared {
            relative: self.relative(config, &masks, &length),
            rotations: self.rotations(config, &length),
            config,
            masks,
            length,
        }
    }

    /// The layer whose weights are those of this index.
    fn layer(&mut self, hidden: &Value, index: usize, shared: &Shared<'_>) -> Value {
        match shared.config.model_type.family().layer {
            LayerKind::PostNorm => self.post_norm_layer(hidden, index, shared),
            LayerKind::PreNorm => self.pre_norm_layer(hidden, index, shared),
        }
    }

    /// Zero at padding.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, S, H]`.
    fn hide_padding(&mut self, hidden: &Value, masks: &Masks) -> Value {
        let real = self.unsqueeze(&masks.real, &[-1]);
        self.mul(hidden, &real)
    }
}
