// B batch, S sequence, H hidden, N heads, D head

use bert_encoder::{EncoderConfig, LayerType};

use super::Shared;
use super::relative::Relative;
use crate::graph::{Graph, Value};

/// `[B, S, N, D]` ↔ `[B, N, S, D]`.
const SWAP_HEADS: [i64; 4] = [0, 2, 1, 3];

impl Graph {
    /// Self-attention with separate maps under this path, without the output projection.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, S, H]`.
    pub(super) fn self_attention(
        &mut self,
        hidden: &Value,
        path: &str,
        shared: &Shared<'_>,
    ) -> Value {
        self.within(path, |graph| {
            let config = shared.config;
            let mut project = |kind: &str| {
                let projected = graph.linear(hidden, &format!("{path}.{kind}"));
                graph.split_heads(&projected, config)
            };
            let [queries, keys, values] = ["query", "key", "value"].map(&mut project);
            let scores = match &shared.relative {
                Some(Relative::Disentangled(disentangled)) => {
                    graph.disentangled_scores([&queries, &keys], path, config, disentangled)
                }
                Some(Relative::Bias(bias)) => graph.scores([&queries, &keys], bias, config),
                None => {
                    let mask = shared.masks.of(LayerType::FullAttention);
                    graph.scores([&queries, &keys], mask, config)
                }
            };
            graph.context(&scores, &values)
        })
    }

    /// Scaled products of queries and keys, plus `addend`.
    ///
    /// # Shapes
    ///
    /// `[B, N, S, D]` each, a shape that broadcasts → `[B, N, S, S]`.
    pub(super) fn scores(
        &mut self,
        [queries, keys]: [&Value; 2],
        addend: &Value,
        config: &EncoderConfig,
    ) -> Value {
        let columns = self.transpose(keys, &[0, 1, 3, 2]);
        let products = self.matmul(queries, &columns);
        let root = self.number((config.head_size() as f64).sqrt());
        let scaled = self.div(&products, &root);
        self.add(&scaled, addend)
    }

    /// `[B, N, S, S]`, `[B, N, S, D]` → `[B, S, H]`.
    pub(super) fn context(&mut self, scores: &Value, values: &Value) -> Value {
        let probabilities = self.softmax(scores);
        let context = self.matmul(&probabilities, values);
        let context = self.transpose(&context, &SWAP_HEADS);
        self.reshape(&context, &[0, 0, -1])
    }

    /// `[B, S, H]` → `[B, N, S, D]`.
    pub(super) fn split_heads(&mut self, x: &Value, config: &EncoderConfig) -> Value {
        let heads = [config.num_attention_heads, config.head_size()].map(|size| size as i64);
        let split = self.reshape(x, &[0, 0, heads[0], heads[1]]);
        self.transpose(&split, &SWAP_HEADS)
    }
}
