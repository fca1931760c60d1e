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
    /// The factor of queries, beside 1 / √D: each kind of score that is added makes all of them smaller.
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::Nothing | Self::Bias(_) => 1.0,
            Self::Positions(positions) => ((1 + positions.count()) as f64).powf(-0.5),
        }
    }

    /// What is added to the scores of sequences of one length, `[1 or B, N, S, S]`. `queries` are scaled. Both are `[B · S, H]`.
    pub(crate) fn addend(
        &self,
        [queries, keys]: [&Tensor<2>; 2],
        [batch, heads]: [usize; 2],
    ) -> Option<Tensor<4>> {
        let [tokens, width] = queries.dims();
        let length = tokens / batch;
        // The distances of a shorter sequence are in the middle.
        let own = |rows: usize| rows / 2 - length..rows / 2 + length;
        let split = |x: &Tensor<2>| {
            let split = [batch, length, heads, width / heads];
            x.clone().reshape(split).permute([2, 0, 1, 3])
        };
        match self {
            Self::Nothing => None,
            Self::Bias(bias) => {
                let [_, columns] = bias.dims();
                let own: Tensor<3> = bias.clone().slice_dim(1, own(columns)).unsqueeze_dim(1);
                let by_pair = skew(own.expand([heads, length, 2 * length]));
                Some(by_pair.unsqueeze_dim(0))
            }
            Self::Positions(positions) => {
                let of = |tokens, positions: &Tensor<2>| {
                    let [rows, _] = positions.dims();
                    by_distance(tokens, positions.clone().slice_dim(0, own(rows)))
                };
                let head_scale = ((width / heads) as f64).powf(-0.5);
                let of_queries = positions.keys.as_ref();
                let of_queries = of_queries.map(|rows| of(split(queries) * head_scale, rows));
                let of_keys = positions.queries.as_ref().map(|rows| {
                    let scaled = rows.clone() * (head_scale * self.scale());
                    of(split(keys), &scaled).swap_dims(2, 3)
                });
                let sum = match (of_queries, of_keys) {
                    (Some(of_queries), Some(of_keys)) => Some(of_queries + of_keys),
                    (one, other) => one.or(other),
                };
                sum.map(|scores_nbss| scores_nbss.swap_dims(0, 1))
            }
        }
    }
}

/// The product of each token with the position that stands for its distance to each other token of its sequence.
///
/// # Shapes
///
/// `[N, B, S, D]`, the positions `[2 · S, H]` of the distances from −(S − 1) to S − 1, and one more that is not read →
/// `[N, B, S, S]`. Element (i, j) of the last two is that of token i and the distance j − i.
pub fn by_distance(tokens: Tensor<4>, positions: Tensor<2>) -> Tensor<4> {
    let [heads, batch, length, head] = tokens.dims();
    let columns = 2 * length;
    let positions_ndc = positions.reshape([columns, heads, head]).permute([1, 2, 0]);
    let tokens = tokens.reshape([heads, batch * length, head]);
    let scores = tokens.matmul(positions_ndc);
    skew(scores.reshape([heads * batch, length, columns])).reshape([heads, batch, length, length])
}
