// B batch, S sequence, H hidden, I inner

use bert_encoder::LayerType;

use super::{Shared, path};
use crate::graph::{Graph, Value};

impl Graph {
    /// ModernBERT's layer, `[B, S, H]` → `[B, S, H]`.
    pub(super) fn pre_norm_layer(
        &mut self,
        hidden: &Value,
        index: usize,
        shared: &Shared<'_>,
    ) -> Value {
        let layer = path(&format!("layers.{index}.PreNorm"));
        self.within(&layer, |graph| {
            let part = |name: &str| format!("{layer}.{name}");
            let config = shared.config;
            let norm = part("attention_norm");
            let normed = match graph.has(&format!("{norm}.gamma")) {
                true => graph.layer_norm(hidden, &norm, config.layer_norm_eps),
                false => hidden.clone(),
            };
            let joined = graph.linear(&normed, &part("query_key_value"));
            let attended = graph.rotary_attention(&joined, index, shared);
            let projected = graph.linear(&attended, &part("attention_output"));
            let attended = graph.add(hidden, &projected);
            let norm = part("intermediate_norm");
            let normed = graph.layer_norm(&attended, &norm, config.layer_norm_eps);
            let inner = graph.linear(&normed, &part("intermediate"));
            let [input, gate] = graph.split(&inner, config.intermediate_size);
            let activated = graph.activation(&input, config.hidden_act);
            let gated = graph.mul(&activated, &gate);
            let output = graph.linear(&gated, &part("output"));
            graph.add(&attended, &output)
        })
    }

    /// Attention of queries, keys and values side by side.
    ///
    /// # Shapes
    ///
    /// `[B, S, 3 · H]` → `[B, S, H]`.
    fn rotary_attention(&mut self, joined: &Value, index: usize, shared: &Shared<'_>) -> Value {
        let config = shared.config;
        let keys = config.modernbert.as_ref();
        let layer_type = keys.map_or(LayerType::FullAttention, |keys| keys.layer_type(index));
        let parts: [Value; 3] = self.split(joined, config.hidden_size);
        let [mut queries, mut keys, values] = parts.map(|part| self.split_heads(&part, config));
        if let Some(rotations) = &shared.rotations {
            let rotation = rotations.of(layer_type);
            queries = self.rotate(&queries, rotation, config.head_size());
            keys = self.rotate(&keys, rotation, config.head_size());
        }
        let scores = self.scores([&queries, &keys], shared.masks.of(layer_type), config);
        self.context(&scores, &values)
    }
}
