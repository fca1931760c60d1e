//! A right-hand side that may not be packed yet.

use std::borrow::Cow;
use std::ops::Range;

use super::pack_rhs::RhsPanels;
use super::quantize::Quantization;
use crate::cpu::view::View;

/// The right-hand side of a product.
#[derive(Clone)]
pub(crate) enum Operand<'a> {
    /// Matrices of equally many columns, one below the other.
    Unpacked(Vec<(&'a [f32], View)>),
    /// The same, to be rounded to bfloat16.
    Rounded(Vec<(&'a [f32], View)>),
    /// A matrix of bfloat16.
    Bf16((&'a [u16], View)),
    /// Packed panels.
    Packed(&'a RhsPanels),
}

impl<'a> Operand<'a> {
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Unpacked(views) | Self::Rounded(views) => views[0].1.columns,
            Self::Bf16((_, view)) => view.columns,
            Self::Packed(panels) => panels.columns(),
        }
    }

    /// None for single precision.
    pub(super) fn quantization(&self) -> Option<Quantization> {
        match self {
            Self::Unpacked(_) => None,
            Self::Rounded(_) | Self::Bf16(_) => Some(Quantization::Bf16),
            Self::Packed(panels) => panels.quantization(),
        }
    }

    /// The packed panels, packed now if need be.
    pub(crate) fn packed(&self) -> Cow<'a, RhsPanels> {
        match self {
            Self::Unpacked(views) => Cow::Owned(RhsPanels::pack(views)),
            Self::Rounded(views) => {
                Cow::Owned(RhsPanels::pack_rounded(views).widened_without_instruction())
            }
            Self::Bf16(view) => {
                Cow::Owned(RhsPanels::pack_bf16(*view).widened_without_instruction())
            }
            Self::Packed(panels) => Cow::Borrowed(panels),
        }
    }

    /// Some columns.
    ///
    /// # Panics
    ///
    /// The operand is packed.
    pub(super) fn narrow(&self, columns: &Range<usize>) -> Self {
        let narrow = |(slice, view): &(&'a [f32], View)| (*slice, view.narrow(columns.clone()));
        match self {
            Self::Unpacked(views) => Self::Unpacked(views.iter().map(narrow).collect()),
            Self::Rounded(views) => Self::Rounded(views.iter().map(narrow).collect()),
            Self::Bf16((slice, view)) => Self::Bf16((slice, view.narrow(columns.clone()))),
            Self::Packed(_) => unreachable!("packed columns are not cut"),
        }
    }
}
