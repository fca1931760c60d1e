//! A right-hand side that may not be packed yet.

use std::borrow::Cow;

use super::pack_rhs::RhsPanels;
use super::quantize::Quantization;
use crate::cpu::view::View;

/// The right-hand side of a product.
#[derive(Clone)]
pub(crate) enum Operand<'a> {
    /// Matrices of equally many columns, one below the other.
    Unpacked(Vec<(&'a [f32], View)>),
    /// Packed panels.
    Packed(&'a RhsPanels),
}

impl<'a> Operand<'a> {
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Unpacked(views) => views[0].1.columns,
            Self::Packed(panels) => panels.columns(),
        }
    }

    /// None for single precision.
    pub(super) fn quantization(&self) -> Option<Quantization> {
        match self {
            Self::Unpacked(_) => None,
            Self::Packed(panels) => panels.quantization(),
        }
    }

    /// The packed panels, packed now if need be.
    pub(crate) fn packed(&self) -> Cow<'a, RhsPanels> {
        match self {
            Self::Unpacked(views) => Cow::Owned(RhsPanels::pack(views)),
            Self::Packed(panels) => Cow::Borrowed(panels),
        }
    }
}
