//! The scores of DeBERTa's disentangled attention.

// B batch, N heads, S sequence, D head, H hidden, U rows of the table

use bert_encoder::{DisentangledConfig, EncoderConfig};

use super::masks::Masks;
use super::path;
use super::skew::Skew;
use crate::graph::{Graph, Value};
use crate::proto::DataType;

/// What the layers share.
pub(super) struct Disentangled {
    positions: Option<Positions>,
    /// Whether query and key are tokens, `[B, 1, S, S]`.
    pairs: Value,
}

struct Positions {
    /// `[U, H]`.
    table: Value,
    /// The row for each column of [`Graph::skew`] where rows are queries and columns keys, `[2 S]`.
    of_keys: Value,
    /// The same where rows are keys and columns queries.
    of_queries: Value,
    sizes: Skew,
}

impl Graph {
    /// `length` is S.
    pub(super) fn disentangled(
        &mut self,
        config: &EncoderConfig,
        keys: &DisentangledConfig,
        masks: &Masks,
        length: &Value,
    ) -> Disentangled {
        let part = path("relative.Disentangled");
        self.within(&part, |graph| {
            let pairs = graph.pairs(&masks.real);
            let table = graph.optional(&format!("{part}.rel_embeddings.weight"));
            let positions = table.map(|table| {
                let norm = format!("{part}.norm");
                let table = match graph.has(&format!("{norm}.gamma")) {
                    true => graph.layer_norm(&table, &norm, config.layer_norm_eps),
                    false => table,
                };
                let distances = keys.distances(config.max_position_embeddings);
                let rows = config.max_length();
                let mut columns = |name: &str, sign: i64| {
                    graph.columns(name, rows, length, |distance| {
                        distances.row(sign * distance)
                    })
                };
                Positions {
                    of_keys: columns("relative.rows_of_keys", -1),
                    of_queries: columns("relative.rows_of_queries", 1),
                    sizes: graph.skew_sizes(length),
                    table,
                }
            });
            Disentangled { positions, pairs }
        })
    }

    /// `[B, S]` → `[B, 1, S, S]`.
    fn pairs(&mut self, real: &Value) -> Value {
        let queries = self.unsqueeze(real, &[1, 3]);
        let keys = self.unsqueeze(real, &[1, 2]);
        let pairs = self.mul(&queries, &keys);
        self.cast(&pairs, DataType::Bool)
    }

    /// The scores of a layer whose attention has this path, with the lowest number where there is no token.
    ///
    /// # Shapes
    ///
    /// Queries and keys `[B, N, S, D]` → `[B, N, S, S]`.
    pub(super) fn disentangled_scores(
        &mut self,
        [queries, keys]: [&Value; 2],
        attention: &str,
        config: &EncoderConfig,
        shared: &Disentangled,
    ) -> Value {
        let types = config.disentangled.as_ref().map(|keys| keys.pos_att_type);
        let types = types.unwrap_or_default();
        let scale = types.score_scale(config.head_size());
        let queries = self.scaled(queries, scale);
        let columns = self.transpose(keys, &[0, 1, 3, 2]);
        let mut scores = self.matmul(&queries, &columns);
        if let Some(positions) = &shared.positions {
            if types.c2p {
                let rows = &positions.of_keys;
                let looked_at = self.projected(positions, attention, "key", rows, config);
                let added = self.by_distance(&queries, &looked_at, positions);
                scores = self.add(&scores, &added);
            }
            if types.p2c {
                let rows = &positions.of_queries;
                let looking = self.projected(positions, attention, "query", rows, config);
                let looking = self.scaled(&looking, scale);
                let added = self.by_distance(keys, &looking, positions);
                let added = self.transpose(&added, &[0, 1, 3, 2]);
                scores = self.add(&scores, &added);
            }
        }
        let lowest = self.number(f64::from(f32::MIN));
        self.node("Where", &[&shared.pairs, &scores, &lowest], Vec::new())
    }

    /// The table through the layer's own map for positions, or else that of the content, for each column of the skew.
    ///
    /// # Shapes
    ///
    /// `[U, H]` → `[N, D, 2 S]`.
    fn projected(
        &mut self,
        positions: &Positions,
        attention: &str,
        kind: &str,
        rows: &Value,
        config: &EncoderConfig,
    ) -> Value {
        let own = format!("{attention}.disentangled.position_{kind}");
        let map = match self.has(&format!("{own}.weight")) {
            true => own,
            false => format!("{attention}.{kind}"),
        };
        let projected = self.linear(&positions.table, &map);
        let columns = self.gather(&projected, rows, 0);
        let heads = [config.num_attention_heads, config.head_size()].map(|size| size as i64);
        let columns = self.reshape(&columns, &[-1, heads[0], heads[1]]);
        self.transpose(&columns, &[1, 2, 0])
    }

    /// The product of each token with what stands for its distance to each other.
    ///
    /// # Shapes
    ///
    /// `[B, N, S, D]`, `[N, D, 2 S]` → `[B, N, S, S]`.
    fn by_distance(&mut self, tokens: &Value, columns: &Value, positions: &Positions) -> Value {
        let scores = self.matmul(tokens, columns);
        self.skew(&scores, &positions.sizes)
    }
}
