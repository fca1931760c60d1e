//! Where queries, keys, values and their gradients are in memory: for all sequences, for one sequence, and for one head.

use std::ops::Range;

use super::relative::Relative;
use crate::cpu::gemm::bf16_rows::widen_into;
use crate::cpu::view::View;
use crate::params::AttentionParams;

/// The layout of queries, keys and values in memory.
#[derive(Clone, Copy)]
pub(crate) enum Layout<'a, E> {
    /// Side by side, `[T, 3 · H]`, for self-attention.
    Joined(&'a [E]),
    /// Queries `[Q, H]`, and keys and values side by side, `[T, 2 · H]`, for cross-attention.
    Separate(&'a [E], &'a [E]),
}

/// Queries, keys and values, in single precision or in bfloat16.
#[derive(Clone, Copy)]
pub(crate) enum Operands<'a> {
    F32(Layout<'a, f32>),
    Bf16(Layout<'a, u16>),
}

impl<'a> Operands<'a> {
    /// The rows of one sequence.
    pub(super) fn of(self, queries: &Rows, keys: &Rows, width: usize) -> Self {
        match self {
            Self::F32(layout) => Self::F32(layout.of(queries, keys, width)),
            Self::Bf16(layout) => Self::Bf16(layout.of(queries, keys, width)),
        }
    }

    /// Some rows of one head, widened into `room` if need be.
    #[inline(always)]
    pub(super) fn view<'b>(
        self,
        which: Which,
        sizes: &Sizes,
        (head, rows): (usize, Range<usize>),
        room: &'b mut Vec<f32>,
    ) -> (&'b [f32], View)
    where
        'a: 'b,
    {
        match self {
            Self::F32(layout) => layout.view(which, sizes, head, rows),
            Self::Bf16(layout) => {
                let (elements, view) = layout.view(which, sizes, head, rows);
                room.resize(view.rows * view.columns, 0.0);
                for (row, places) in room.chunks_exact_mut(view.columns).enumerate() {
                    widen_into(places, &elements[view.start + row * view.row_stride..]);
                }
                (room, View::rows(0, view.rows, view.columns, view.columns))
            }
        }
    }

    /// The numbers of elements of queries, keys and values, or of queries, and of keys and values.
    fn lengths(self) -> Gradient<usize> {
        match self {
            Self::F32(layout) => layout.lengths(),
            Self::Bf16(layout) => layout.lengths(),
        }
    }
}

/// Queries, keys and values, the additive mask `[T]` of the keys, and what distances add to the scores.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) operands: Operands<'a>,
    pub(crate) mask: &'a [f32],
    pub(crate) relative: Option<&'a Relative>,
}

/// Of queries, keys and values as they are laid out: the gradient, that of one sequence, or the number of elements.
pub(crate) enum Gradient<T> {
    Joined(T),
    Separate(T, T),
}

#[derive(Clone, Copy)]
pub(super) enum Which {
    Queries,
    Keys,
    Values,
}

/// The sizes of one call.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) heads: usize,
    pub(super) head: usize,
    /// The number of keys of the longest sequence, which is the distance of the rows' dropout indices.
    pub(super) longest: usize,
    /// How many kinds of scores are added up.
    kinds: usize,
}

impl Sizes {
    pub(super) fn new(inputs: &Inputs<'_>, params: &AttentionParams) -> Self {
        let keys = match inputs.operands.lengths() {
            Gradient::Joined(joined) => joined / 3,
            Gradient::Separate(_, keys_values) => keys_values / 2,
        };
        let width = keys / inputs.mask.len().max(1);
        Self {
            heads: params.heads,
            head: width / params.heads,
            longest: params.lengths.iter().copied().max().unwrap_or(0),
            kinds: 1 + inputs.relative.map_or(0, Relative::kinds),
        }
    }

    /// H.
    pub(super) fn width(&self) -> usize {
        self.heads * self.head
    }

    /// Rows of one head in `[R, H]`.
    pub(super) fn context(&self, head: usize, rows: Range<usize>) -> View {
        self.view(0, 1, head, rows)
    }

    /// Rows of one head in the column block `index` of `blocks`.
    pub(super) fn view(
        &self,
        index: usize,
        blocks: usize,
        head: usize,
        rows: Range<usize>,
    ) -> View {
        let stride = blocks * self.width();
        let start = index * self.width() + head * self.head + rows.start * stride;
        View::rows(start, rows.len(), self.head, stride)
    }

    pub(super) fn scale(&self) -> f32 {
        ((self.head * self.kinds) as f32).powf(-0.5)
    }
}

impl<'a, E> Layout<'a, E> {
    fn lengths(self) -> Gradient<usize> {
        match self {
            Self::Joined(joined) => Gradient::Joined(joined.len()),
            Self::Separate(queries, keys_values) => {
                Gradient::Separate(queries.len(), keys_values.len())
            }
        }
    }

    /// The rows of one sequence.
    pub(super) fn of(self, queries: &Rows, keys: &Rows, width: usize) -> Self {
        match self {
            Self::Joined(joined) => Self::Joined(&joined[keys.elements(3 * width)]),
            Self::Separate(q, keys_values) => Self::Separate(
                &q[queries.elements(width)],
                &keys_values[keys.elements(2 * width)],
            ),
        }
    }

    pub(super) fn view(
        self,
        which: Which,
        sizes: &Sizes,
        head: usize,
        rows: Range<usize>,
    ) -> (&'a [E], View) {
        match (self, which) {
            (Self::Joined(joined), which) => (joined, sizes.view(which as usize, 3, head, rows)),
            (Self::Separate(queries, _), Which::Queries) => (queries, sizes.context(head, rows)),
            (Self::Separate(_, keys_values), which) => {
                (keys_values, sizes.view(which as usize - 1, 2, head, rows))
            }
        }
    }
}

impl Gradient<&mut [f32]> {
    pub(super) fn view(
        &mut self,
        which: Which,
        sizes: &Sizes,
        head: usize,
        rows: Range<usize>,
    ) -> (&mut [f32], View) {
        match (self, which) {
            (Self::Joined(joined), which) => (joined, sizes.view(which as usize, 3, head, rows)),
            (Self::Separate(queries, _), Which::Queries) => (queries, sizes.context(head, rows)),
            (Self::Separate(_, keys_values), which) => {
                (keys_values, sizes.view(which as usize - 1, 2, head, rows))
            }
        }
    }
}

impl Gradient<Vec<f32>> {
    pub(super) fn zeros(operands: Operands<'_>) -> Self {
        let zeros = |length| vec![0.0; length];
        match operands.lengths() {
            Gradient::Joined(joined) => Self::Joined(zeros(joined)),
            Gradient::Separate(queries, keys_values) => {
                Self::Separate(zeros(queries), zeros(keys_values))
            }
        }
    }

    /// The gradient of each sequence.
    pub(super) fn split(
        &mut self,
        params: &AttentionParams,
        width: usize,
    ) -> Vec<Gradient<&mut [f32]>> {
        match self {
            Self::Joined(joined) => split(joined, &params.lengths, 3 * width)
                .into_iter()
                .map(Gradient::Joined)
                .collect(),
            Self::Separate(queries, keys_values) => split(queries, &params.query_lengths, width)
                .into_iter()
                .zip(split(keys_values, &params.lengths, 2 * width))
                .map(|(queries, keys_values)| Gradient::Separate(queries, keys_values))
                .collect(),
        }
    }
}

/// Consecutive rows.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) first: usize,
    pub(super) count: usize,
}

impl Rows {
    /// The range of their elements where rows have this width.
    pub(super) fn elements(&self, width: usize) -> std::ops::Range<usize> {
        self.first * width..(self.first + self.count) * width
    }

    /// The rows of each sequence.
    pub(super) fn of_each(lengths: &[usize]) -> impl Iterator<Item = Self> + '_ {
        lengths.iter().scan(0, |first, &count| {
            let rows = Self {
                first: *first,
                count,
            };
            *first += count;
            Some(rows)
        })
    }
}

/// The rows of each sequence in `[T, width]`.
pub(super) fn split<'a>(
    mut whole: &'a mut [f32],
    lengths: &[usize],
    width: usize,
) -> Vec<&'a mut [f32]> {
    let mut next = |&rows: &usize| {
        let (part, rest) = std::mem::take(&mut whole).split_at_mut(rows * width);
        whole = rest;
        part
    };
    lengths.iter().map(&mut next).collect()
}
