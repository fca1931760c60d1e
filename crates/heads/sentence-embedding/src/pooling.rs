// B sentences, Q tokens that are pooled, S the most of them in a sentence, H hidden, M modes

use std::ops::Range;
use std::str::FromStr;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// How the hidden states of a sentence's tokens become one vector, special tokens included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolingMode {
    /// The first token.
    Cls,
    /// The largest value of each of the H numbers.
    Max,
    /// The mean.
    Mean,
    /// The sum, divided by the square root of the number of tokens.
    #[serde(rename = "mean_sqrt_len_tokens")]
    MeanSqrtLen,
    /// The mean in which each token weighs as much as the number of its position, from 1.
    WeightedMean,
    /// The last token.
    LastToken,
}

impl PoolingMode {
    /// Every mode, in the order in which the old spelling of a configuration concatenates them.
    pub const ALL: [Self; 6] = [
        Self::Cls,
        Self::Max,
        Self::Mean,
        Self::MeanSqrtLen,
        Self::WeightedMean,
        Self::LastToken,
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cls => "cls",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::MeanSqrtLen => "mean_sqrt_len_tokens",
            Self::WeightedMean => "weightedmean",
            Self::LastToken => "lasttoken",
        }
    }

    /// Its key in the old spelling of a configuration, which has a boolean for each mode.
    pub fn old_key(self) -> &'static str {
        match self {
            Self::Cls => "pooling_mode_cls_token",
            Self::Max => "pooling_mode_max_tokens",
            Self::Mean => "pooling_mode_mean_tokens",
            Self::MeanSqrtLen => "pooling_mode_mean_sqrt_len_tokens",
            Self::WeightedMean => "pooling_mode_weightedmean_tokens",
            Self::LastToken => "pooling_mode_lasttoken",
        }
    }

    /// Whether it looks at one token of a sentence.
    fn is_of_one_token(self) -> bool {
        matches!(self, Self::Cls | Self::LastToken)
    }
}

impl FromStr for PoolingMode {
    type Err = String;

    /// The mode of a name.
    fn from_str(name: &str) -> Result<Self, String> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == name);
        mode.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no pooling mode `{name}`; the modes are {names}")
        })
    }
}

/// One or several modes, whose vectors are concatenated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooling {
    modes: Vec<PoolingMode>,
}

impl Default for Pooling {
    /// The mean, which sentence-transformers takes for an encoder that says nothing.
    fn default() -> Self {
        PoolingMode::Mean.into()
    }
}

impl From<PoolingMode> for Pooling {
    fn from(mode: PoolingMode) -> Self {
        Self { modes: vec![mode] }
    }
}

impl Pooling {
    /// Several modes, in the order of their vectors; `None` without a mode.
    pub fn of(modes: Vec<PoolingMode>) -> Option<Self> {
        (!modes.is_empty()).then_some(Self { modes })
    }

    /// The modes, in the order of their vectors; there is at least one.
    pub fn modes(&self) -> &[PoolingMode] {
        &self.modes
    }

    /// Numbers of a pooled vector, of hidden states of this width.
    pub fn dimension(&self, hidden_size: usize) -> usize {
        self.modes.len() * hidden_size
    }

    /// The positions that this pooling looks at, of a sentence whose tokens at these positions are to be pooled. The encoder's
    /// last layer need compute no others.
    pub fn positions(&self, tokens: Range<usize>) -> Vec<usize> {
        if !self.modes.iter().all(|mode| mode.is_of_one_token()) {
            return tokens.collect();
        }
        let last = tokens.end.saturating_sub(1);
        let of_mode = |mode: &PoolingMode| match mode {
            PoolingMode::LastToken => last,
            _ => tokens.start,
        };
        let mut positions: Vec<usize> = self.modes.iter().map(of_mode).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// Pools the hidden states of the tokens at [`positions`](Self::positions), one sentence's tokens behind the other's.
    ///
    /// # Shapes
    ///
    /// `hidden` `[Q, H]` → `[B, M·H]`.
    ///
    /// # Panics
    ///
    /// There are not as many positions as tokens, or a sentence has none.
    pub fn forward(&self, hidden: Tensor<2>, positions: &[Vec<usize>]) -> Tensor<2> {
        let sentences = Sentences::new(positions, hidden.device());
        let modes = self.modes.iter();
        let vectors: Vec<Tensor<2>> = modes.map(|mode| sentences.pool(*mode, &hidden)).collect();
        Tensor::cat(vectors, 1)
    }
}

/// Which rows of `[Q, H]` are the tokens of which sentence.
struct Sentences<'a> {
    positions: &'a [Vec<usize>],
    device: Device,
}

impl<'a> Sentences<'a> {
    fn new(positions: &'a [Vec<usize>], device: Device) -> Self {
        Self { positions, device }
    }

    /// `[Q, H]` → `[B, H]`.
    fn pool(&self, mode: PoolingMode, hidden: &Tensor<2>) -> Tensor<2> {
        let hidden = hidden.clone();
        match mode {
            PoolingMode::Cls => hidden.select(0, self.rows(|first, _| first)),
            PoolingMode::LastToken => hidden.select(0, self.rows(|first, count| first + count - 1)),
            PoolingMode::Max => self.largest(hidden),
            PoolingMode::Mean => self.sums(hidden) / self.column(Vec::len),
            PoolingMode::MeanSqrtLen => self.sums(hidden) / self.column(Vec::len).sqrt(),
            PoolingMode::WeightedMean => {
                let weight = |position: &usize| (position + 1) as f32;
                let weights: Vec<f32> = self.positions.iter().flatten().map(weight).collect();
                let total =
                    |positions: &Vec<usize>| positions.iter().sum::<usize>() + positions.len();
                self.sums(hidden * self.to_column(weights)) / self.column(total)
            }
        }
    }

    /// The sum over the tokens of each sentence, `[Q, H]` → `[B, H]`.
    fn sums(&self, hidden: Tensor<2>) -> Tensor<2> {
        let [_, width] = hidden.dims();
        let counted = self.positions.iter().enumerate();
        let of_rows = counted.flat_map(|(sentence, tokens)| tokens.iter().map(move |_| sentence));
        let zeros = Tensor::zeros([self.positions.len(), width], &self.device);
        zeros.select_assign(0, self.indices(of_rows), hidden, IndexingUpdateOp::Add)
    }

    /// The largest of each number, `[Q, H]` → `[B, H]`. A sentence's last token stands in for what it has less than the
    /// longest, which changes no maximum.
    fn largest(&self, hidden: Tensor<2>) -> Tensor<2> {
        let [_, width] = hidden.dims();
        let longest = self.positions.iter().map(Vec::len).max().unwrap_or(0);
        let rows = self
            .extents()
            .flat_map(|(first, count)| (0..longest).map(move |token| first + token.min(count - 1)));
        let padded = hidden.select(0, self.indices(rows));
        let padded = padded.reshape([self.positions.len(), longest, width]);
        padded.max_dim(1).squeeze_dim(1)
    }

    /// The first row of each sentence and how many it has.
    fn extents(&self) -> impl Iterator<Item = (usize, usize)> {
        self.positions.iter().scan(0, |next, tokens| {
            let first = *next;
            *next += tokens.len();
            Some((first, tokens.len()))
        })
    }

    /// A row of each sentence, from its first row and the number of its rows.
    fn rows(&self, row: impl Fn(usize, usize) -> usize) -> Tensor<1, Int> {
        self.indices(self.extents().map(|(first, count)| row(first, count)))
    }

    /// A number for each sentence, `[B, 1]`.
    fn column(&self, of: impl Fn(&Vec<usize>) -> usize) -> Tensor<2> {
        self.to_column(
            self.positions
                .iter()
                .map(|tokens| of(tokens) as f32)
                .collect(),
        )
    }

    fn to_column(&self, values: Vec<f32>) -> Tensor<2> {
        let shape = [values.len(), 1];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn indices(&self, values: impl Iterator<Item = usize>) -> Tensor<1, Int> {
        let values: Vec<i64> = values.map(|value| value as i64).collect();
        let shape = [values.len()];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_go_by_the_names_of_sentence_transformers() {
        for mode in PoolingMode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.name());
        }
        let error = "median".parse::<PoolingMode>().unwrap_err();
        assert!(
            error.contains("`median`") && error.contains("lasttoken"),
            "{error}"
        );
    }

    #[test]
    fn one_token_alone_is_asked_for_where_that_is_enough() {
        let positions = |modes: &[PoolingMode], tokens| {
            let pooling = Pooling::of(modes.to_vec()).unwrap();
            pooling.positions(tokens)
        };
        use PoolingMode::{Cls, LastToken, Mean};
        assert_eq!(positions(&[Cls], 0..5), [0]);
        assert_eq!(positions(&[LastToken, Cls], 2..5), [2, 4]);
        assert_eq!(positions(&[LastToken, Cls], 4..5), [4]);
        assert_eq!(positions(&[Cls, Mean], 2..5), [2, 3, 4]);
    }

    #[test]
    fn without_a_mode_there_is_no_pooling() {
        assert_eq!(Pooling::of(Vec::new()), None);
        assert_eq!(Pooling::default().modes(), [PoolingMode::Mean]);
        assert_eq!(
            Pooling::of(PoolingMode::ALL.to_vec()).unwrap().dimension(5),
            30
        );
    }
}
