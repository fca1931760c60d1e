//! A packed left-hand side. It is quantized where the right-hand side is.

use std::ops::Range;

use pulp::Arch;
use pulp::bytemuck::{self, Pod};

use super::bf16_rows::words_of;
use super::dot_product::DotProduct;
use super::pack_lhs::LhsPanels;
use super::quantize::{Quantization, ZERO_POINT, bf16, inverse, quantize, scale_of, widen};
use crate::cpu::view::View;

/// A packed matrix `[M, K]`.
pub(crate) struct PackedLhs {
    quantization: Option<Quantization>,
    columns: usize,
    elements: LhsElements,
    scales: Vec<f32>,
}

pub(super) enum LhsElements {
    F32(LhsPanels),
    Words(LhsPanels<u32>, DotProduct),
}

/// A left-hand side that is not packed yet.
#[derive(Clone, Copy)]
pub(crate) enum Lhs<'a> {
    /// Of single precision, quantized as it is packed where the right-hand side is. Rows are contiguous, or columns in products
    /// of single precision.
    F32((&'a [f32], View)),
    /// Of bfloat16: rows of whole words, or contiguous columns.
    Bf16((&'a [u16], View)),
}

impl Lhs<'_> {
    /// M.
    pub(super) fn rows(&self) -> usize {
        self.view().rows
    }

    /// K.
    pub(super) fn columns(&self) -> usize {
        self.view().columns
    }

    fn view(&self) -> View {
        match self {
            Self::F32((_, view)) | Self::Bf16((_, view)) => *view,
        }
    }

    /// Some rows.
    pub(super) fn narrow_rows(self, rows: Range<usize>) -> Self {
        match self {
            Self::F32((slice, view)) => Self::F32((slice, view.narrow_rows(rows))),
            Self::Bf16((slice, view)) => Self::Bf16((slice, view.narrow_rows(rows))),
        }
    }

    /// Packs the matrix for products with a right-hand side of this quantization.
    ///
    /// # Panics
    ///
    /// The matrix reaches beyond its slice, or does not lie in memory as its variant says.
    pub(super) fn pack(self, arch: Arch, quantization: Option<Quantization>) -> PackedLhs {
        match self {
            Self::F32(lhs) => PackedLhs::pack(arch, lhs, quantization),
            Self::Bf16(lhs) => {
                assert_eq!(quantization, Some(Quantization::Bf16), "one format");
                PackedLhs::pack_bf16(arch, lhs)
            }
        }
    }
}

impl PackedLhs {
    /// Packs a matrix of bfloat16: rows of whole words, or contiguous columns.
    ///
    /// # Panics
    ///
    /// The matrix reaches beyond its slice, or lies otherwise in memory.
    pub(crate) fn pack_bf16(arch: Arch, lhs: (&[u16], View)) -> Self {
        Self::pack_bf16_for(DotProduct::of(arch, Quantization::Bf16), arch, lhs)
    }

    /// The same for this instruction, or for products of single precision.
    pub(super) fn pack_bf16_for(by: Option<DotProduct>, arch: Arch, lhs: (&[u16], View)) -> Self {
        let elements = match by {
            None => LhsElements::F32(LhsPanels::pack_converted(arch, lhs, widen)),
            // First, because a single row kept column by column is contiguous, too, but not in whole words.
            Some(by) if lhs.1.row_stride == 1 => {
                LhsElements::Words(LhsPanels::join_columns(arch, lhs), by)
            }
            Some(by) => LhsElements::Words(LhsPanels::pack(arch, words_of(lhs)), by),
        };
        Self {
            quantization: Some(Quantization::Bf16),
            columns: lhs.1.columns,
            elements,
            scales: Vec::new(),
        }
    }

    /// Packs a matrix for products with a right-hand side of this quantization.
    ///
    /// # Panics
    ///
    /// As [`LhsPanels::pack`], or the matrix is to be in int8 or in words and its rows are not contiguous.
    pub(crate) fn pack(
        arch: Arch,
        lhs: (&[f32], View),
        quantization: Option<Quantization>,
    ) -> Self {
        let by = quantization.and_then(|quantization| DotProduct::of(arch, quantization));
        Self::pack_for(by, arch, lhs, quantization)
    }

    /// Packs a matrix for this instruction, or for products of single precision.
    pub(super) fn pack_for(
        by: Option<DotProduct>,
        arch: Arch,
        lhs: (&[f32], View),
        quantization: Option<Quantization>,
    ) -> Self {
        let Some(quantization) = quantization else {
            return Self::f32(LhsPanels::pack(arch, lhs));
        };
        let rows = Rows {
            lhs,
            quantization,
            by,
        };
        let (elements, scales) = match (by, quantization) {
            (None, Quantization::Bf16) => {
                let rounded = LhsPanels::pack_converted(
                    arch,
                    lhs,
                    #[inline(always)]
                    |x| widen(bf16(x)),
                );
                (LhsElements::F32(rounded), Vec::new())
            }
            (None, Quantization::Int8) => {
                let (elements, scales) = arch.dispatch(
                    #[inline(always)]
                    || rows.in_f32(),
                );
                (LhsElements::F32(rows.pack(arch, &elements)), scales)
            }
            (Some(by), _) => {
                let (words, scales) = arch.dispatch(
                    #[inline(always)]
                    || rows.in_words(),
                );
                (LhsElements::Words(rows.pack(arch, &words), by), scales)
            }
        };
        Self {
            quantization: Some(quantization),
            columns: lhs.1.columns,
            elements,
            scales,
        }
    }

    /// Elements of single precision.
    pub(super) fn f32(panels: LhsPanels) -> Self {
        Self {
            quantization: None,
            columns: panels.columns(),
            elements: LhsElements::F32(panels),
            scales: Vec::new(),
        }
    }

    /// M.
    pub(crate) fn rows(&self) -> usize {
        match &self.elements {
            LhsElements::F32(panels) => panels.rows(),
            LhsElements::Words(panels, _) => panels.rows(),
        }
    }

    /// K.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// None for single precision.
    pub(crate) fn quantization(&self) -> Option<Quantization> {
        self.quantization
    }

    pub(super) fn elements(&self) -> &LhsElements {
        &self.elements
    }

    /// The int8 scale of each of these rows. Empty unless elements are int8.
    pub(crate) fn scales_of(&self, rows: &Range<usize>) -> &[f32] {
        match self.scales.is_empty() {
            true => &[],
            false => &self.scales[rows.clone()],
        }
    }
}

/// The rows of a left-hand side that is to be quantized, for this instruction if there is one.
#[derive(Clone, Copy)]
struct Rows<'a> {
    lhs: (&'a [f32], View),
    quantization: Quantization,
    by: Option<DotProduct>,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn slices(self) -> impl Iterator<Item = &'a [f32]> {
        let (slice, view) = self.lhs;
        assert_eq!(view.column_stride, 1, "contiguous rows");
        (0..view.rows).map(move |row| &slice[view.start + row * view.row_stride..][..view.columns])
    }

    /// Elements or words of a row.
    fn columns(self) -> usize {
        let columns = self.lhs.1.columns;
        match self.by {
            None => columns,
            Some(_) => columns.div_ceil(self.quantization.per_word()),
        }
    }

    fn pack<E: Pod>(self, arch: Arch, rows: &[E]) -> LhsPanels<E> {
        let columns = self.columns();
        let view = View::rows(0, self.lhs.1.rows, columns, columns);
        LhsPanels::pack(arch, (rows, view))
    }

    /// The int8 elements in single precision, and the scales of the rows.
    #[inline(always)]
    fn in_f32(self) -> (Vec<f32>, Vec<f32>) {
        let columns = self.columns();
        let mut elements = vec![0.0; self.lhs.1.rows * columns];
        let mut scales = Vec::new();
        for (row, places) in self.slices().zip(elements.chunks_exact_mut(columns.max(1))) {
            let scale = scale_of(row);
            let inverse = inverse(scale);
            for (place, x) in places.iter_mut().zip(row) {
                *place = f32::from(quantize(x * inverse));
            }
            scales.push(scale);
        }
        (elements, scales)
    }

    /// The quantized elements in words, and the scales of the rows. The first element of a word takes its lowest bits, where
    /// processors with an instruction for words begin.
    #[inline(always)]
    fn in_words(self) -> (Vec<u32>, Vec<f32>) {
        let columns = self.columns();
        let mut words = vec![0; self.lhs.1.rows * columns];
        let mut scales = Vec::new();
        for (row, words) in self.slices().zip(words.chunks_exact_mut(columns.max(1))) {
            match self.quantization {
                Quantization::Bf16 => {
                    let places: &mut [u16] = bytemuck::cast_slice_mut(words);
                    for (place, &x) in places.iter_mut().zip(row) {
                        *place = bf16(x);
                    }
                }
                Quantization::Int8 => {
                    let scale = scale_of(row);
                    let inverse = inverse(scale);
                    let places: &mut [u8] = bytemuck::cast_slice_mut(words);
                    for (place, x) in places.iter_mut().zip(row) {
                        *place = quantize(x * inverse).cast_unsigned() ^ ZERO_POINT;
                    }
                    scales.push(scale);
                }
            }
        }
        (words, scales)
    }
}
