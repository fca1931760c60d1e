// B batch, S sequence, H hidden

use bert_encoder::EncoderConfig;

use super::{Shared, path};
use crate::graph::{Graph, Value, int, ints};

/// `[B, S, H]` ↔ `[B, H, S]`.
const SWAP_CHANNELS: [i64; 3] = [0, 2, 1];

impl Graph {
    /// The output of the first layer, with the convolution of its input in models that have one.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` each → `[B, S, H]`.
    pub(super) fn beside_first_layer(
        &mut self,
        input: &Value,
        output: Value,
        shared: &Shared<'_>,
    ) -> Value {
        let Some(keys) = &shared.config.disentangled else {
            return output;
        };
        let part = path("convolution");
        if !self.has(&format!("{part}.conv.weight")) {
            return output;
        }
        self.within(&part, |graph| {
            let real = graph.hide_padding(input, &shared.masks);
            let convolved = graph.convolve(&real, &part, shared.config);
            let activated = graph.activation(&convolved, keys.conv_act);
            let sum = graph.add(&output, &activated);
            let norm = format!("{part}.norm");
            let normed = graph.layer_norm(&sum, &norm, shared.config.layer_norm_eps);
            graph.hide_padding(&normed, &shared.masks)
        })
    }

    /// `[B, S, H]` → `[B, S, H]`.
    fn convolve(&mut self, x: &Value, part: &str, config: &EncoderConfig) -> Value {
        let keys = config.disentangled.as_ref();
        let [width, groups] = keys.map_or([1, 1], |keys| {
            [keys.conv_kernel_size, keys.conv_groups].map(|size| size as i64)
        });
        let around = (width - 1) / 2;
        let channels = self.transpose(x, &SWAP_CHANNELS);
        let weight = self.parameter(&format!("{part}.conv.weight"));
        let bias = self.parameter(&format!("{part}.conv.bias"));
        let settings = vec![
            int("group", groups),
            ints("kernel_shape", &[width]),
            ints("pads", &[around, around]),
        ];
        let convolved = self.node("Conv", &[&channels, &weight, &bias], settings);
        self.transpose(&convolved, &SWAP_CHANNELS)
    }
}
