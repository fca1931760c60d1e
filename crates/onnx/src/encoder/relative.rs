//! What attention knows of the distance between two tokens.

// B batch, N heads, S sequence

use bert_encoder::{EncoderConfig, bias_bucket};

use super::masks::Masks;
use super::{Disentangled, path};
use crate::graph::{Graph, Value};

/// What the layers share of it.
pub(super) enum Relative {
    /// MPNet's, with the mask: it is added to the scores, `[B, N, S, S]`.
    Bias(Value),
    /// DeBERTa's.
    Disentangled(Disentangled),
}

impl Graph {
    /// `length` is S.
    pub(super) fn relative(
        &mut self,
        config: &EncoderConfig,
        masks: &Masks,
        length: &Value,
    ) -> Option<Relative> {
        if let Some(keys) = &config.disentangled {
            let shared = self.disentangled(config, keys, masks, length);
            return Some(Relative::Disentangled(shared));
        }
        config.relative_attention_num_buckets?;
        let part = path("relative.Bias");
        let bias = self.within(&part, |graph| {
            let table = graph.parameter(&format!("{part}.weight"));
            let sizes = graph.skew_sizes(length);
            let positions = config.max_length();
            let buckets = graph.columns("relative.buckets", positions, length, bias_bucket);
            let columns = graph.gather(&table, &buckets, 0);
            let columns = graph.transpose(&columns, &[1, 0]);
            let columns = graph.unsqueeze(&columns, &[0, 2]);
            let (same, kept) = (graph.integers(&[1, 1]), graph.integers(&[1]));
            let shape = graph.concat(&[&same, length, &kept], 0);
            let rows = graph.node("Expand", &[&columns, &shape], Vec::new());
            let bias = graph.skew(&rows, &sizes);
            graph.add(&bias, &masks.keys)
        });
        Some(Relative::Bias(bias))
    }
}
