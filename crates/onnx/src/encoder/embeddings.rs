// B batch, S sequence, E embedding width, H hidden

use bert_encoder::{EmbeddingProjection, EncoderConfig, FirstPosition};

use super::{Inputs, path};
use crate::graph::{Graph, Value, int};
use crate::proto::DataType;

impl Graph {
    /// The embeddings of the tokens, `[B, S, H]`. `length` is S.
    pub(super) fn embeddings(
        &mut self,
        config: &EncoderConfig,
        inputs: &Inputs,
        length: &Value,
    ) -> Value {
        self.within(&path("embeddings"), |graph| {
            let words = path("embeddings.word_embeddings.weight");
            let mut sum = graph.look_up(&inputs.input_ids, &words);
            if let Some(positions) = graph.positions(config, inputs, length) {
                sum = graph.add(&sum, &positions);
            }
            if let Some(types) = graph.token_types(inputs) {
                sum = graph.add(&sum, &types);
            }
            graph.normed_and_projected(&sum, config)
        })
    }

    /// `[S, E]` or `[B, S, E]`, in models with a table of positions.
    fn positions(
        &mut self,
        config: &EncoderConfig,
        inputs: &Inputs,
        length: &Value,
    ) -> Option<Value> {
        let table = self.optional(&path("embeddings.position_embeddings.weight"))?;
        Some(match config.model_type.family().first_position {
            FirstPosition::Zero => self.first(&table, length, 0),
            FirstPosition::AfterPadding => {
                let padding = config.pad_token_id.unwrap_or(0) as i64;
                let positions = self.positions_after(padding, &inputs.input_ids);
                self.gather(&table, &positions, 0)
            }
        })
    }

    /// Tokens unlike the padding token, counted from its id + 1 on; the padding token has its id.
    ///
    /// # Shapes
    ///
    /// `[B, S]` → `[B, S]`.
    fn positions_after(&mut self, padding: i64, input_ids: &Value) -> Value {
        let (padding, axis) = (self.integer(padding), self.integer(1));
        let is_padding = self.node("Equal", &[input_ids, &padding], Vec::new());
        let is_real = self.node("Not", &[&is_padding], Vec::new());
        let real = self.cast(&is_real, DataType::Int64);
        let counted = self.node("CumSum", &[&real, &axis], vec![int("exclusive", 0)]);
        let counted = self.mul(&counted, &real);
        self.add(&counted, &padding)
    }

    /// `[B, S, E]` or `[1, E]`, in models with a table of types.
    fn token_types(&mut self, inputs: &Inputs) -> Option<Value> {
        let table = self.optional(&path("embeddings.token_type_embeddings.weight"))?;
        Some(match &inputs.token_type_ids {
            Some(ids) => self.gather(&table, ids, 0),
            // Its only row.
            None => table,
        })
    }

    /// `[B, S, E]` → `[B, S, H]`.
    fn normed_and_projected(&mut self, sum: &Value, config: &EncoderConfig) -> Value {
        let norm = |graph: &mut Self, x: &Value| {
            graph.layer_norm(x, &path("embeddings.layer_norm"), config.layer_norm_eps)
        };
        let projection = path("embeddings.projection");
        if !self.has(&format!("{projection}.weight")) {
            return norm(self, sum);
        }
        match config.model_type.family().embedding_projection {
            EmbeddingProjection::BeforeNorm => {
                let projected = self.linear(sum, &projection);
                norm(self, &projected)
            }
            EmbeddingProjection::Always | EmbeddingProjection::WhereWidthsDiffer => {
                let normed = norm(self, sum);
                self.linear(&normed, &projection)
            }
        }
    }
}
