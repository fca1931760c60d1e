//! What attention may look at.

// B batch, S sequence

use bert_encoder::{EncoderConfig, LayerType};

use crate::graph::{Graph, Value};
use crate::proto::DataType;

/// The masks of a batch.
pub(super) struct Masks {
    /// One where there is a token, zero at padding, `[B, S]`.
    pub(super) real: Value,
    /// What is added to the scores of each key: 0, or the lowest number at padding, `[B, 1, 1, S]`.
    pub(super) keys: Value,
    /// The same of layers with a window, `[B, 1, S, S]`.
    pub(super) window: Option<Value>,
}

impl Masks {
    /// That of layers of this type.
    pub(super) fn of(&self, layer_type: LayerType) -> &Value {
        match (layer_type, &self.window) {
            (LayerType::SlidingAttention, Some(window)) => window,
            _ => &self.keys,
        }
    }
}

impl Graph {
    /// `attention_mask` is `[B, S]`, `length` is S.
    pub(super) fn masks(
        &mut self,
        config: &EncoderConfig,
        attention_mask: &Value,
        length: &Value,
    ) -> Masks {
        self.within("mask", |graph| {
            let real = graph.cast(attention_mask, DataType::Float);
            let keys = graph.unsqueeze(&real, &[1, 2]);
            let modernbert = config.modernbert.as_ref();
            let window = modernbert.and_then(|keys| keys.window(LayerType::SlidingAttention));
            Masks {
                window: window.map(|window| {
                    let near = graph.near(window, length);
                    let visible = graph.mul(&keys, &near);
                    graph.additive(&visible)
                }),
                keys: graph.additive(&keys),
                real,
            }
        })
    }

    /// 0 for one, and the lowest number for zero.
    fn additive(&mut self, visible: &Value) -> Value {
        let one = self.number(1.0);
        let hidden = self.sub(&one, visible);
        self.scaled(&hidden, f64::from(f32::MIN))
    }

    /// One for tokens that are at most `window` places apart, zero elsewhere, `[S, S]`.
    fn near(&mut self, window: usize, length: &Value) -> Value {
        let (zero, one) = (self.integer(0), self.integer(1));
        let end = self.squeeze(length, 0);
        let keys = self.node("Range", &[&zero, &end, &one], Vec::new());
        let queries = self.unsqueeze(&keys, &[1]);
        let distances = self.sub(&queries, &keys);
        let distances = self.node("Abs", &[&distances], Vec::new());
        let window = self.integer(window as i64);
        let is_near = self.node("LessOrEqual", &[&distances, &window], Vec::new());
        self.cast(&is_near, DataType::Float)
    }
}
