//! What belongs to each distance, laid out as `[S, S]`, as `bert_encoder` does it: each row moves one column to the left of the
//! row before it.

// B batch, N heads, S sequence, M positions of the model

use crate::graph::{Graph, Value};
use crate::initializer::integer_bytes;
use crate::proto::DataType;

/// The sizes of one batch, one integer each, but for `rows`.
pub(super) struct Skew {
    /// S.
    length: Value,
    /// S − 1.
    start: Value,
    /// S − 1 + S · (2 S − 1).
    end: Value,
    /// The shape `[B, N, S, 2 S − 1]`.
    rows: Value,
}

impl Graph {
    /// `length` is S.
    pub(super) fn skew_sizes(&mut self, length: &Value) -> Skew {
        self.within("skew", |graph| {
            let (one, two) = (graph.integers(&[1]), graph.integers(&[2]));
            let start = graph.sub(length, &one);
            let columns = graph.mul(length, &two);
            let columns = graph.sub(&columns, &one);
            let count = graph.mul(length, &columns);
            let end = graph.add(&start, &count);
            let (same, rest) = (graph.integers(&[0, 0]), graph.integers(&[-1]));
            Skew {
                rows: graph.concat(&[&same, length, &rest], 0),
                length: length.clone(),
                start,
                end,
            }
        })
    }

    /// `[B, N, S, 2 S]`, a column for each distance of a key from a query from −(S − 1) on → `[B, N, S, S]`.
    pub(super) fn skew(&mut self, by_distance: &Value, sizes: &Skew) -> Value {
        let flat = self.reshape(by_distance, &[0, 0, -1]);
        let moved = self.slice(&flat, &sizes.start, &sizes.end, 2);
        let rows = self.reshape_to(&moved, &sizes.rows);
        self.first(&rows, &sizes.length, 3)
    }

    /// For each column of [`Graph::skew`] an integer that belongs to its distance, `[2 S]`. The constant has them for
    /// every distance in the model.
    pub(super) fn columns(
        &mut self,
        name: &str,
        positions: usize,
        length: &Value,
        of_distance: impl Fn(i64) -> usize,
    ) -> Value {
        let longest = positions as i64;
        let values = (1 - longest..=longest).map(|distance| of_distance(distance) as i64);
        let values: Vec<i64> = values.collect();
        let dims = vec![values.len() as i64];
        let all = self.named(name, DataType::Int64, dims, integer_bytes(&values));
        let middle = self.integers(&[longest]);
        let (start, end) = (self.sub(&middle, length), self.add(&middle, length));
        self.slice(&all, &start, &end, 0)
    }
}
