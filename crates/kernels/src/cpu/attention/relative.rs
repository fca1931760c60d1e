//! What the distance of a key from its query adds to their score, and its gradient.

use super::bias::Bias;
use super::positions::{Positions, PositionsGradient};
use super::sequence::Sequence;

pub(crate) enum Relative {
    Bias(Bias),
    Positions(Positions),
}

impl Relative {
    /// The vectors of distances, if it has these.
    pub(super) fn positions(&self) -> Option<&Positions> {
        match self {
            Self::Bias(_) => None,
            Self::Positions(positions) => Some(positions),
        }
    }

    /// How many kinds of scores it adds to the products of queries and keys, by which all of them are scaled.
    pub(super) fn kinds(&self) -> usize {
        self.positions().map_or(0, Positions::kinds)
    }

    /// Room for the gradient of one sequence.
    pub(super) fn gradient(&self, one: &Sequence<'_>) -> RelativeGradient {
        match self {
            Self::Bias(bias) => RelativeGradient::Bias(bias.gradient()),
            Self::Positions(positions) => {
                RelativeGradient::Positions(positions.gradient(one.mask.len()))
            }
        }
    }

    /// The gradients of its tensors: the sums over the sequences, in their order. `scale` is that of the scores.
    pub(super) fn sum(&self, gradients: Vec<RelativeGradient>, scale: f32) -> Vec<Vec<f32>> {
        match self {
            Self::Bias(like) => {
                let gradients = gradients.into_iter().filter_map(RelativeGradient::bias);
                vec![Bias::sum(gradients, like, scale.recip())]
            }
            Self::Positions(like) => {
                let gradients = gradients.into_iter();
                like.sum(gradients.filter_map(RelativeGradient::positions))
            }
        }
    }
}

/// Of one sequence.
pub(super) enum RelativeGradient {
    /// Times the scale.
    Bias(Bias),
    Positions(PositionsGradient),
}

impl RelativeGradient {
    fn bias(self) -> Option<Bias> {
        match self {
            Self::Bias(bias) => Some(bias),
            Self::Positions(_) => None,
        }
    }

    fn positions(self) -> Option<PositionsGradient> {
        match self {
            Self::Bias(_) => None,
            Self::Positions(positions) => Some(positions),
        }
    }
}
