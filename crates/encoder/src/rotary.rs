// T tokens of all sequences, D head width

use bert_kernels::Rotation;
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::{EncoderConfig, LayerType, Sequences};

/// How positions turn queries and keys: one angle for each pair of a head's elements and each position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotaryPositions {
    head_size: usize,
    /// Bases of the frequencies, of layers that attend to every token and of layers with a window.
    thetas: [f64; 2],
}

/// The angles of the tokens of one pass.
#[derive(Debug, Clone)]
pub struct Rotations {
    full: Rotation,
    sliding: Rotation,
}

impl Rotations {
    /// Those of the layers of this type.
    pub fn of(&self, layer_type: LayerType) -> &Rotation {
        match layer_type {
            LayerType::FullAttention => &self.full,
            LayerType::SlidingAttention => &self.sliding,
        }
    }
}

impl RotaryPositions {
    /// `None` for families whose positions do not turn.
    pub fn new(config: &EncoderConfig) -> Option<Self> {
        let keys = config.modernbert.as_ref()?;
        let types = [LayerType::FullAttention, LayerType::SlidingAttention];
        Some(Self {
            head_size: config.head_size(),
            thetas: types.map(|layer_type| keys.rope_theta(layer_type)),
        })
    }

    /// The angles in radians by which the first positions turn, in layers of this type: D / 2 for each position, one position
    /// behind the other.
    pub fn angles(&self, layer_type: LayerType, positions: usize) -> Vec<f32> {
        let [full, sliding] = self.thetas;
        let theta = match layer_type {
            LayerType::FullAttention => full,
            LayerType::SlidingAttention => sliding,
        };
        let frequencies = frequencies(theta, self.head_size);
        let rows = (0..positions).map(|position| position as f32);
        rows.flat_map(|position| frequencies.iter().map(move |&f| position * f))
            .collect()
    }

    /// The angles of the tokens of sequences; each sequence counts from 0.
    pub(crate) fn of(&self, sequences: &Sequences, dtype: DType, device: &Device) -> Rotations {
        let lengths = sequences.lengths();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let rotation = |layer_type| {
            let angles = self.angles(layer_type, longest);
            rotation(&lengths, &angles, self.head_size / 2, dtype, device)
        };
        Rotations {
            full: rotation(LayerType::FullAttention),
            sliding: rotation(LayerType::SlidingAttention),
        }
    }
}

/// `θ^(−2i / D)` in single precision, as transformers computes it.
fn frequencies(theta: f64, head_size: usize) -> Vec<f32> {
    let exponents = (0..head_size).step_by(2);
    exponents
        .map(|index| 1.0 / (theta as f32).powf(index as f32 / head_size as f32))
        .collect()
}

/// `angles` has one row of this width for each position; sequences begin with the same rows.
fn rotation(
    lengths: &[usize],
    angles: &[f32],
    width: usize,
    dtype: DType,
    device: &Device,
) -> Rotation {
    let of_tokens = |function: fn(f64) -> f64| {
        let table: Vec<f32> = (angles.iter())
            .map(|&angle| function(f64::from(angle)) as f32)
            .collect();
        let rows = lengths.iter().map(|length| &table[..length * width]);
        let rows: Vec<f32> = rows.flatten().copied().collect();
        let shape = [rows.len() / width, width];
        Tensor::from_data(TensorData::new(rows, shape), (device, dtype))
    };
    Rotation {
        cos: of_tokens(f64::cos),
        sin: of_tokens(f64::sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pair_turns_by_one_radian_a_position_and_the_others_slower() {
        assert_eq!(frequencies(10_000.0, 8), [1.0, 0.1, 0.01, 0.001]);
    }
}
