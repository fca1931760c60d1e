//! Scaled dot-product attention over heads, forward and backward, one sequence and head at a time: scores never leave the
//! cache. Sequences stand one behind the other without gaps; T rows of keys in all and Q of queries, of one sequence S and R,
//! L keys up to the last one that is not masked; N heads, D head width, H = N · D.

use super::layer_norm::dot;
use super::math::{exp, vectorized};
use super::part::Part;
use super::product::product;
use super::random::Mask;
use super::threads::{each, is_little};
use crate::AttentionParams;

/// Where queries, keys and values lie.
#[derive(Clone, Copy)]
pub(crate) enum Layout<'a> {
    /// Side by side, `[T, 3 · H]`: every token asks.
    Joined(&'a [f32]),
    /// Queries of some tokens, `[Q, H]`, and keys and values of all, `[T, 2 · H]`.
    Apart(&'a [f32], &'a [f32]),
}

/// What is attended to, and the additive mask `[T]` of the keys.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) layout: Layout<'a>,
    pub(crate) mask: &'a [f32],
}

/// The gradient of a [`Layout`], or a sequence's part of it.
pub(crate) enum Gradient<T> {
    Joined(T),
    Apart(T, T),
}

#[derive(Clone, Copy)]
enum Which {
    Queries,
    Keys,
    Values,
}

/// Of one row of scores the highest, and one over the sum of e^(score − highest): `[Q, N, 2]` for all, the rows of a head
/// within a sequence together.
const STATISTICS: usize = 2;

/// The sizes of one call.
#[derive(Clone, Copy)]
struct Sizes {
    heads: usize,
    head: usize,
    /// Keys of the longest sequence, by which the rows' dropout indices stand apart.
    longest: usize,
}

impl Sizes {
    fn new(inputs: &Inputs<'_>, params: &AttentionParams) -> Self {
        let (keys, parts) = match inputs.layout {
            Layout::Joined(joined) => (joined, 3),
            Layout::Apart(_, keys_values) => (keys_values, 2),
        };
        let width = keys.len() / parts / inputs.mask.len().max(1);
        Self {
            heads: params.heads,
            head: width / params.heads,
            longest: params.lengths.iter().copied().max().unwrap_or(0),
        }
    }

    /// H.
    fn width(&self) -> usize {
        self.heads * self.head
    }

    /// The first `rows` rows of one head in `[R, H]`.
    fn context(&self, head: usize, rows: usize) -> Part {
        self.part(0, 1, head, rows)
    }

    /// The first `rows` rows of one head in the column block `index` of `blocks`.
    fn part(&self, index: usize, blocks: usize, head: usize, rows: usize) -> Part {
        let start = index * self.width() + head * self.head;
        Part::rows(start, rows, self.head, blocks * self.width())
    }

    fn scale(&self) -> f32 {
        (self.head as f32).powf(-0.5)
    }
}

impl<'a> Layout<'a> {
    /// What belongs to one sequence.
    fn of(self, queries: &Rows, keys: &Rows, width: usize) -> Self {
        match self {
            Self::Joined(joined) => Self::Joined(&joined[keys.elements(3 * width)]),
            Self::Apart(q, keys_values) => Self::Apart(
                &q[queries.elements(width)],
                &keys_values[keys.elements(2 * width)],
            ),
        }
    }

    fn part(self, which: Which, sizes: &Sizes, head: usize, rows: usize) -> (&'a [f32], Part) {
        match (self, which) {
            (Self::Joined(joined), which) => (joined, sizes.part(which as usize, 3, head, rows)),
            (Self::Apart(queries, _), Which::Queries) => (queries, sizes.context(head, rows)),
            (Self::Apart(_, keys_values), which) => {
                (keys_values, sizes.part(which as usize - 1, 2, head, rows))
            }
        }
    }
}

impl Gradient<&mut [f32]> {
    fn part(
        &mut self,
        which: Which,
        sizes: &Sizes,
        head: usize,
        rows: usize,
    ) -> (&mut [f32], Part) {
        match (self, which) {
            (Self::Joined(joined), which) => (joined, sizes.part(which as usize, 3, head, rows)),
            (Self::Apart(queries, _), Which::Queries) => (queries, sizes.context(head, rows)),
            (Self::Apart(_, keys_values), which) => {
                (keys_values, sizes.part(which as usize - 1, 2, head, rows))
            }
        }
    }
}

impl Gradient<Vec<f32>> {
    fn zeros(layout: Layout<'_>) -> Self {
        let zeros = |like: &[f32]| vec![0.0; like.len()];
        match layout {
            Layout::Joined(joined) => Self::Joined(zeros(joined)),
            Layout::Apart(queries, keys_values) => Self::Apart(zeros(queries), zeros(keys_values)),
        }
    }

    /// The part of each sequence.
    fn split(&mut self, params: &AttentionParams, width: usize) -> Vec<Gradient<&mut [f32]>> {
        match self {
            Self::Joined(joined) => split(joined, &params.lengths, 3 * width)
                .into_iter()
                .map(Gradient::Joined)
                .collect(),
            Self::Apart(queries, keys_values) => split(queries, &params.query_lengths, width)
                .into_iter()
                .zip(split(keys_values, &params.lengths, 2 * width))
                .map(|(queries, keys_values)| Gradient::Apart(queries, keys_values))
                .collect(),
        }
    }
}

/// Some rows that follow each other.
#[derive(Clone, Copy)]
struct Rows {
    first: usize,
    count: usize,
}

impl Rows {
    /// Where their elements lie in rows of this width.
    fn elements(&self, width: usize) -> std::ops::Range<usize> {
        self.first * width..(self.first + self.count) * width
    }

    /// The rows of each sequence.
    fn of_each(lengths: &[usize]) -> impl Iterator<Item = Self> + '_ {
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

/// One sequence: where it stands, and what belongs to it.
#[derive(Clone, Copy)]
struct Sequence<'a> {
    queries: Rows,
    layout: Layout<'a>,
    mask: &'a [f32],
    sizes: Sizes,
}

impl<'a> Sequence<'a> {
    fn all(inputs: Inputs<'a>, sizes: Sizes, params: &AttentionParams) -> Vec<Self> {
        Rows::of_each(&params.query_lengths)
            .zip(Rows::of_each(&params.lengths))
            .map(|(queries, keys)| Self {
                queries,
                layout: inputs.layout.of(&queries, &keys, sizes.width()),
                mask: &inputs.mask[keys.elements(1)],
                sizes,
            })
            .collect()
    }

    /// Behind this position every key is masked, and its probability is exactly 0. Where all are masked none is: they
    /// then share the attention evenly.
    fn positions(&self) -> usize {
        let last = self.mask.iter().rposition(|&mask| mask == 0.0);
        last.map_or(self.mask.len(), |last| last + 1)
    }

    fn part(&self, which: Which, head: usize, rows: usize) -> (&'a [f32], Part) {
        self.layout.part(which, &self.sizes, head, rows)
    }

    /// `scale · Q Kᵀ` of one head, `[R, L]`.
    fn scores(&self, head: usize, positions: usize, scores: &mut [f32]) {
        let rows = self.queries.count;
        let (keys, part) = self.part(Which::Keys, head, positions);
        product(
            (scores, Part::rows(0, rows, positions, positions)),
            self.part(Which::Queries, head, rows),
            (keys, part.transposed()),
            self.sizes.scale(),
        );
    }

    /// The dropout index of the first score of a row.
    fn first_score(&self, head: usize, row: usize) -> u32 {
        let rows = (self.queries.first + row) * self.sizes.heads + head;
        (rows as u32).wrapping_mul(self.sizes.longest as u32)
    }
}

/// The parts of `[T, width]` that belong to each sequence.
fn split<'a>(mut whole: &'a mut [f32], lengths: &[usize], width: usize) -> Vec<&'a mut [f32]> {
    let mut next = |&rows: &usize| {
        let (part, rest) = std::mem::take(&mut whole).split_at_mut(rows * width);
        whole = rest;
        part
    };
    lengths.iter().map(&mut next).collect()
}

/// Those of the two products of each head.
fn operations(sequences: &[Sequence<'_>]) -> usize {
    let of_one = |one: &Sequence<'_>| 4 * one.queries.count * one.positions() * one.sizes.width();
    sequences.iter().map(of_one).sum()
}

/// Gives the context `[Q, H]` and what the backward pass needs, `[Q, N, 2]`.
pub(crate) fn forward(inputs: Inputs<'_>, params: &AttentionParams) -> (Vec<f32>, Vec<f32>) {
    let sizes = Sizes::new(&inputs, params);
    let dropout = Mask::new(params.dropout);
    let lengths = &params.query_lengths;
    let rows: usize = lengths.iter().sum();
    let mut context = vec![0.0; rows * sizes.width()];
    let mut statistics = vec![0.0; rows * sizes.heads * STATISTICS];
    let contexts = split(&mut context, lengths, sizes.width());
    let of_heads = split(&mut statistics, lengths, sizes.heads * STATISTICS);
    let sequences = Sequence::all(inputs, sizes, params);
    let is_little = is_little(operations(&sequences));
    each(
        sequences.into_iter().zip(contexts).zip(of_heads).collect(),
        is_little,
        Vec::new,
        |scores, ((one, context), statistics)| {
            let (rows, positions) = (one.queries.count, one.positions());
            scores.resize(rows * positions, 0.0);
            let of_heads = statistics.chunks_exact_mut(rows.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                one.scores(head, positions, scores);
                let each = scores.chunks_exact_mut(positions);
                let each = each.zip(statistics.chunks_exact_mut(STATISTICS));
                vectorized(
                    #[inline(always)]
                    || {
                        for (row, (scores, statistics)) in each.enumerate() {
                            softmax(scores, &one.mask[..positions], statistics);
                            if let Some(dropout) = dropout {
                                dropout.apply(scores, one.first_score(head, row));
                            }
                        }
                    },
                );
                product(
                    (context, sizes.context(head, rows)),
                    (scores, Part::rows(0, rows, positions, positions)),
                    one.part(Which::Values, head, positions),
                    1.0,
                );
            }
        },
    );
    (context, statistics)
}

/// The gradients of queries, keys and values. With probabilities P and their kept part M ∘ P: `V' = (M ∘ P)ᵀ C'`,
/// `P' = M ∘ (C' Vᵀ)`, `S' = P ∘ (P' − rowsum(P' ∘ P))`, `Q' = scale · S' K`, `K' = scale · S'ᵀ Q`.
pub(crate) fn backward(
    inputs: Inputs<'_>,
    statistics: &[f32],
    grad: &[f32],
    params: &AttentionParams,
) -> Gradient<Vec<f32>> {
    let sizes = Sizes::new(&inputs, params);
    let dropout = Mask::new(params.dropout);
    let mut gradient = Gradient::zeros(inputs.layout);
    let sequences = Sequence::all(inputs, sizes, params);
    let is_little = is_little(operations(&sequences));
    let gradients = gradient.split(params, sizes.width());
    each(
        sequences.into_iter().zip(gradients).collect(),
        is_little,
        Scratch::default,
        |scratch, (one, mut out)| {
            let positions = one.positions();
            let rows = one.queries;
            let grad = &grad[rows.elements(sizes.width())];
            let statistics = &statistics[rows.elements(sizes.heads * STATISTICS)];
            scratch.resize(rows.count * positions);
            let of_heads = statistics.chunks_exact(rows.count.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                let of_head = Head {
                    one,
                    head,
                    positions,
                    statistics,
                };
                of_head.backward(grad, &mut out, dropout, scratch);
            }
        },
    );
    gradient
}

/// Three squares of scores.
#[derive(Default)]
struct Scratch {
    probabilities: Vec<f32>,
    kept: Vec<f32>,
    gradient: Vec<f32>,
}

impl Scratch {
    fn resize(&mut self, length: usize) {
        for buffer in [&mut self.probabilities, &mut self.kept, &mut self.gradient] {
            buffer.resize(length, 0.0);
        }
    }
}

/// One head of one sequence.
struct Head<'a> {
    one: Sequence<'a>,
    head: usize,
    positions: usize,
    statistics: &'a [f32],
}

impl Head<'_> {
    fn backward(
        &self,
        grad: &[f32],
        out: &mut Gradient<&mut [f32]>,
        dropout: Option<Mask>,
        scratch: &mut Scratch,
    ) {
        let Self {
            one,
            head,
            positions,
            ..
        } = *self;
        let (rows, sizes) = (one.queries.count, &one.sizes);
        let context = (grad, sizes.context(head, rows));
        let (values, part) = one.part(Which::Values, head, positions);
        let scores = Part::rows(0, rows, positions, positions);
        one.scores(head, positions, &mut scratch.probabilities);
        product(
            (&mut scratch.gradient, scores),
            context,
            (values, part.transposed()),
            1.0,
        );
        self.differentiate_scores(dropout, scratch);
        let Scratch { kept, gradient, .. } = scratch;
        let (transposed, scale) = (scores.transposed(), sizes.scale());
        product(
            out.part(Which::Values, sizes, head, positions),
            (kept, transposed),
            context,
            1.0,
        );
        product(
            out.part(Which::Queries, sizes, head, rows),
            (gradient, scores),
            one.part(Which::Keys, head, positions),
            scale,
        );
        product(
            out.part(Which::Keys, sizes, head, positions),
            (gradient, transposed),
            one.part(Which::Queries, head, rows),
            scale,
        );
    }

    /// From scores and P' without its dropout to M ∘ P and S'.
    fn differentiate_scores(&self, dropout: Option<Mask>, scratch: &mut Scratch) {
        let Self {
            one,
            head,
            positions,
            statistics,
        } = *self;
        let rows = scratch
            .probabilities
            .chunks_exact_mut(positions)
            .zip(scratch.kept.chunks_exact_mut(positions))
            .zip(scratch.gradient.chunks_exact_mut(positions))
            .zip(statistics.chunks_exact(STATISTICS));
        vectorized(
            #[inline(always)]
            || {
                for (row, (((probabilities, kept), gradient), statistics)) in rows.enumerate() {
                    recompute(probabilities, &one.mask[..positions], statistics);
                    let first = one.first_score(head, row);
                    keep(probabilities, kept, gradient, dropout, first);
                    let along = dot(gradient, probabilities);
                    for (g, &p) in gradient.iter_mut().zip(probabilities.iter()) {
                        *g = p * (*g - along);
                    }
                }
            },
        );
    }
}

/// Turns a row of scores into probabilities, and keeps what recomputes them.
#[inline(always)]
fn softmax(scores: &mut [f32], mask: &[f32], statistics: &mut [f32]) {
    let mut highest = [f32::NEG_INFINITY; 16];
    for (scores, mask) in scores.chunks_mut(16).zip(mask.chunks(16)) {
        for ((score, &mask), highest) in scores.iter_mut().zip(mask).zip(&mut highest) {
            *score += mask;
            *highest = if *score > *highest { *score } else { *highest };
        }
    }
    let highest = highest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0_f32; 16];
    for scores in scores.chunks_mut(16) {
        for (score, sum) in scores.iter_mut().zip(&mut sums) {
            *score = exp(*score - highest);
            *sum += *score;
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    for score in scores.iter_mut() {
        *score *= inverse;
    }
    statistics[0] = highest;
    statistics[1] = inverse;
}

#[inline(always)]
fn recompute(scores: &mut [f32], mask: &[f32], statistics: &[f32]) {
    let (highest, inverse) = (statistics[0], statistics[1]);
    for (score, &mask) in scores.iter_mut().zip(mask) {
        *score = exp(*score + mask - highest) * inverse;
    }
}

/// Dropout of a row of probabilities into `kept`, and of their gradient in place.
#[inline(always)]
fn keep(
    probabilities: &[f32],
    kept: &mut [f32],
    gradient: &mut [f32],
    dropout: Option<Mask>,
    first: u32,
) {
    let Some(dropout) = dropout else {
        kept.copy_from_slice(probabilities);
        return;
    };
    let pairs = kept.iter_mut().zip(gradient).zip(probabilities);
    for (index, ((kept, gradient), &probability)) in pairs.enumerate() {
        let factor = dropout.factor(first.wrapping_add(index as u32));
        *kept = probability * factor;
        *gradient *= factor;
    }
}
