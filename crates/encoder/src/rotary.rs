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
    pub(crate) fn new(config: &EncoderConfig) -> Option<Self> {
        let keys = config.modernbert.as_ref()?;
        let types = [LayerType::FullAttention, LayerType::SlidingAttention];
        Some(Self {
            head_size: config.head_size(),
            thetas: types.map(|layer_type| keys.rope_theta(layer_type)),
        })
    }

    /// The angles of the tokens of sequences; each sequence counts from 0.
    pub(crate) fn of(&self, sequences: &Sequences, dtype: DType, device: &Device) -> Rotations {
        let lengths = sequences.lengths();
        let [full, sliding] = self
            .thetas
            .map(|theta| rotation(&lengths, &frequencies(theta, self.head_size), dtype, device));
        Rotations { full, sliding }
    }
}

/// `θ^(−2i / D)` in single precision, as transformers computes it.
fn frequencies(theta: f64, head_size: usize) -> Vec<f32> {
    let exponents = (0..head_size).step_by(2);
    exponents
        .map(|index| 1.0 / (theta as f32).powf(index as f32 / head_size as f32))
        .collect()
}

fn rotation(lengths: &[usize], frequencies: &[f32], dtype: DType, device: &Device) -> Rotation {
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let of_tokens = |function: fn(f64) -> f64| {
        // One row a position; sequences begin with the same rows.
        let table: Vec<f32> = (0..longest)
            .flat_map(|position| frequencies.iter().map(move |&f| position as f32 * f))
            .map(|angle| function(f64::from(angle)) as f32)
            .collect();
        let rows = lengths
            .iter()
            .map(|length| &table[..length * frequencies.len()]);
        let rows: Vec<f32> = rows.flatten().copied().collect();
        let shape = [rows.len() / frequencies.len(), frequencies.len()];
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
