// B batch, S sequence, H hidden

use super::{Shared, path};
use crate::graph::{Graph, Value};

impl Graph {
    /// BERT's layer, `[B, S, H]` → `[B, S, H]`.
    pub(super) fn post_norm_layer(
        &mut self,
        hidden: &Value,
        index: usize,
        shared: &Shared<'_>,
    ) -> Value {
        let layer = path(&format!("layers.{index}.PostNorm"));
        self.within(&layer, |graph| {
            let part = |name: &str| format!("{layer}.{name}");
            let config = shared.config;
            let attended = graph.self_attention(hidden, &part("attention"), shared);
            let projected = graph.linear(&attended, &part("attention_output"));
            let sum = graph.add(&projected, hidden);
            let attended = graph.layer_norm(&sum, &part("attention_norm"), config.layer_norm_eps);
            let inner = graph.linear(&attended, &part("intermediate"));
            let inner = graph.within(&part("intermediate"), |graph| {
                graph.activation(&inner, config.hidden_act)
            });
            let output = graph.linear(&inner, &part("output"));
            let sum = graph.add(&output, &attended);
            graph.layer_norm(&sum, &part("output_norm"), config.layer_norm_eps)
        })
    }
}
