//! Rotary positions.

// B batch, N heads, S sequence, D head

use bert_encoder::{EncoderConfig, LayerType, RotaryPositions};

use crate::graph::{Graph, Value};
use crate::initializer::float_bytes;
use crate::proto::DataType;

/// Cosines and sines of the angles of the batch's positions.
pub(super) struct Rotations {
    full: Rotation,
    sliding: Rotation,
}

/// `[S, D / 2]` each.
pub(super) struct Rotation {
    cos: Value,
    sin: Value,
}

impl Rotations {
    /// Those of layers of this type.
    pub(super) fn of(&self, layer_type: LayerType) -> &Rotation {
        match layer_type {
            LayerType::FullAttention => &self.full,
            LayerType::SlidingAttention => &self.sliding,
        }
    }
}

impl Graph {
    /// `length` is S.
    pub(super) fn rotations(
        &mut self,
        config: &EncoderConfig,
        length: &Value,
    ) -> Option<Rotations> {
        let positions = RotaryPositions::new(config)?;
        let (rows, width) = (config.max_length(), config.head_size() / 2);
        let mut rotation = |name: &str, layer_type| {
            let angles = positions.angles(layer_type, rows);
            let mut table = |function: fn(f64) -> f64, function_name: &str| {
                let values = angles
                    .iter()
                    .map(|&angle| function(f64::from(angle)) as f32);
                let bytes = float_bytes(&values.collect::<Vec<f32>>());
                let name = format!("rotary.{name}.{function_name}");
                let dims = vec![rows as i64, width as i64];
                let table = self.named(&name, DataType::Float, dims, bytes);
                self.within("rotary", |graph| graph.first(&table, length, 0))
            };
            Rotation {
                cos: table(f64::cos, "cos"),
                sin: table(f64::sin, "sin"),
            }
        };
        Some(Rotations {
            full: rotation("full_attention", LayerType::FullAttention),
            sliding: rotation("sliding_attention", LayerType::SlidingAttention),
        })
    }

    /// Turns the pairs of elements i and i + D / 2.
    ///
    /// # Shapes
    ///
    /// `[B, N, S, D]` → `[B, N, S, D]`.
    pub(super) fn rotate(&mut self, x: &Value, rotation: &Rotation, head_size: usize) -> Value {
        let Rotation { cos, sin } = rotation;
        let [left, right] = self.split(x, head_size / 2);
        let (left_cos, right_sin) = (self.mul(&left, cos), self.mul(&right, sin));
        let (right_cos, left_sin) = (self.mul(&right, cos), self.mul(&left, sin));
        let turned_left = self.sub(&left_cos, &right_sin);
        let turned_right = self.add(&right_cos, &left_sin);
        self.concat(&[&turned_left, &turned_right], -1)
    }
}
