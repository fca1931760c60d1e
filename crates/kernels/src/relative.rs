// N heads, D head, H = N · D, S positions of a sequence, L of the longest, B sequences

use burn::tensor::Tensor;

use crate::skew::skew;

/// The projected positions of DeBERTa's disentangled attention (He et al., <https://arxiv.org/abs/2006.03654>): for each distance a
/// vector that queries are multiplied with, and one that keys are. Either may be missing.
#[derive(Debug, Clone)]
pub struct Positions<T = Tensor<2>> {
    /// Content to position, `[2 · L, H]`: row r belongs to the distance r − (L − 1), the key's position less the query's. The
    /// last row is not read.
    pub keys: Option<T>,
    /// Position to content, `[2 · L, H]`: row r belongs to the distance r − (L − 1), the query's position less the key's. The
    /// last row is not read.
    pub queries: Option<T>,
}

/// The kind of positions, where there is one kind alone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PositionKind {
    Keys,
    Queries,
}

impl PositionKind {
    pub(crate) fn alone<T>(self, positions: T) -> Positions<T> {
        let (keys, queries) = match self {
            Self::Keys => (Some(positions), None),
            Self::Queries => (None, Some(positions)),
        };
        Positions { keys, queries }
    }
}

impl<T> Positions<T> {
    pub(crate) fn both(keys: T, queries: T) -> Self {
        Self {
            keys: Some(keys),
            queries: Some(queries),
        }
    }

    /// How many of the two there are.
    pub(crate) fn count(&self) -> usize {
        self.tensors().count()
    }

    pub(crate) fn tensors(&self) -> impl Iterator<Item = &T> {
        self.keys.iter().chain(&self.queries)
    }

    pub(crate) fn map<U>(self, f: impl Fn(T) -> U) -> Positions<U> {
        Positions {
            keys: self.keys.map(&f),
            queries: self.queries.map(f),
        }
    }
}

/// What the distance of a key from its query adds to their score.
#[derive(Debug, Clone)]
pub(crate) enum Relative<T> {
    Nothing,
    /// `[N, 2 · L]`.
    Bias(T),
    Positions(Positions<T>),
}

impl<T> Relative<T> {
    /// In the order of their gradients.
    pub(crate) fn tensors(&self) -> Vec<&T> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Bias(bias) => vec![bias],
            Self::Positions(positions) => positions.tensors().collect(),
        }
    }

    pub(crate) fn map<U>(self, f: impl Fn(T) -> U) -> Relative<U> {
        match self {
            Self::Nothing => Relative::Nothing,
            Self::Bias(bias) => Relative::Bias(f(bias)),
            Self::Positions(positions) => Relative::Positions(positions.map(f)),
        }
    }
}

impl Relative<Tensor<2>> {
    /// What is added to the scores of sequences of one length, `[1 or B, N, S, S]`. Queries, which are [scaled](Positions::scale),
    /// and keys are `[B · S, H]`.
    pub(crate) fn addend(
        &self,
        [queries, keys]: [&Tensor<2>; 2],
        [batch, heads]: [usize; 2],
    ) -> Option<Tensor<4>> {
        let [tokens, width] = queries.dims();
        let length = tokens / batch;
        match self {
            Self::Nothing => None,
            Self::Bias(bias) => {
                let own: Tensor<3> = own_distances(bias, 1, length).unsqueeze_dim(1);
                let by_pair = skew(own.expand([heads, length, 2 * length]));
                Some(by_pair.unsqueeze_dim(0))
            }
            Self::Positions(positions) => {
                let split = |x: &Tensor<2>| {
                    let split = [batch, length, heads, width / heads];
                    x.clone().reshape(split).permute([2, 0, 1, 3])
                };
                positions.scores([split(queries), split(keys)])
            }
        }
    }
}

impl Positions {
    /// The factor of queries, beside 1 / √D: each kind of score that is added makes all of them smaller.
    pub(crate) fn scale(&self) -> f64 {
        ((1 + self.count()) as f64).powf(-0.5)
    }

    /// The scores that they add, `[B, N, S, S]`, for queries that are scaled and keys, `[N, B, S, D]`.
    fn scores(&self, [queries, keys]: [Tensor<4>; 2]) -> Option<Tensor<4>> {
        let [_, _, length, head] = queries.dims();
        let head_scale = (head as f64).powf(-0.5);
        let own = |rows: &Tensor<2>| own_distances(rows, 0, length);
        let of_queries = self.keys.as_ref();
        let of_queries = of_queries.map(|rows| scores_by_distance(queries * head_scale, own(rows)));
        let of_keys = self.queries.as_ref().map(|rows| {
            let rows = own(rows) * (head_scale * self.scale());
            scores_by_distance(keys, rows).swap_dims(2, 3)
        });
        let sum = match (of_queries, of_keys) {
            (Some(of_queries), Some(of_keys)) => of_queries + of_keys,
            (one, other) => one.or(other)?,
        };
        Some(sum.swap_dims(0, 1))
    }
}

/// The distances of a sequence of some length, which are in the middle of those of the longest.
fn own_distances(all: &Tensor<2>, axis: usize, length: usize) -> Tensor<2> {
    let middle = all.dims()[axis] / 2;
    all.clone()
        .slice_dim(axis, middle - length..middle + length)
}

/// The product of each token with the position that stands for its distance to each other token of its sequence.
///
/// # Shapes
///
/// `[N, B, S, D]`, the positions `[2 · S, H]` of the distances from −(S − 1) to S − 1, and one more that is not read →
/// `[N, B, S, S]`. Element (i, j) of the last two is that of token i and the distance j − i.
pub fn scores_by_distance(tokens: Tensor<4>, positions: Tensor<2>) -> Tensor<4> {
    let [heads, batch, length, head] = tokens.dims();
    let columns = 2 * length;
    let positions_ndc = positions.reshape([columns, heads, head]).permute([1, 2, 0]);
    let tokens = tokens.reshape([heads, batch * length, head]);
    let scores = tokens.matmul(positions_ndc);
    skew(scores.reshape([heads * batch, length, columns])).reshape([heads, batch, length, length])
}
