//! One function for each operator, and for what is made of a few of them.

use crate::graph::{Graph, Value, float, int, ints};
use crate::proto::DataType;

impl Graph {
    pub(crate) fn add(&mut self, left: &Value, right: &Value) -> Value {
        self.node("Add", &[left, right], Vec::new())
    }

    pub(crate) fn sub(&mut self, left: &Value, right: &Value) -> Value {
        self.node("Sub", &[left, right], Vec::new())
    }

    pub(crate) fn mul(&mut self, left: &Value, right: &Value) -> Value {
        self.node("Mul", &[left, right], Vec::new())
    }

    pub(crate) fn div(&mut self, left: &Value, right: &Value) -> Value {
        self.node("Div", &[left, right], Vec::new())
    }

    pub(crate) fn matmul(&mut self, left: &Value, right: &Value) -> Value {
        self.node("MatMul", &[left, right], Vec::new())
    }

    pub(crate) fn scaled(&mut self, x: &Value, factor: f64) -> Value {
        let factor = self.number(factor);
        self.mul(x, &factor)
    }

    pub(crate) fn cast(&mut self, x: &Value, to: DataType) -> Value {
        self.node("Cast", &[x], vec![int("to", to as i64)])
    }

    pub(crate) fn transpose(&mut self, x: &Value, order: &[i64]) -> Value {
        self.node("Transpose", &[x], vec![ints("perm", order)])
    }

    /// 0 is the size that the dimension has, −1 what is left over.
    pub(crate) fn reshape(&mut self, x: &Value, dims: &[i64]) -> Value {
        let dims = self.integers(dims);
        self.reshape_to(x, &dims)
    }

    pub(crate) fn reshape_to(&mut self, x: &Value, dims: &Value) -> Value {
        self.node("Reshape", &[x, dims], Vec::new())
    }

    pub(crate) fn unsqueeze(&mut self, x: &Value, axes: &[i64]) -> Value {
        let axes = self.integers(axes);
        self.node("Unsqueeze", &[x, &axes], Vec::new())
    }

    pub(crate) fn squeeze(&mut self, x: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("Squeeze", &[x, &axes], Vec::new())
    }

    pub(crate) fn gather(&mut self, x: &Value, indices: &Value, axis: i64) -> Value {
        self.node("Gather", &[x, indices], vec![int("axis", axis)])
    }

    pub(crate) fn concat(&mut self, parts: &[&Value], axis: i64) -> Value {
        self.node("Concat", parts, vec![int("axis", axis)])
    }

    /// From `start` up to `end`, values of one integer each.
    pub(crate) fn slice(&mut self, x: &Value, start: &Value, end: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("Slice", &[x, start, end, &axes], Vec::new())
    }

    /// The first elements.
    pub(crate) fn first(&mut self, x: &Value, count: &Value, axis: i64) -> Value {
        let start = self.integers(&[0]);
        self.slice(x, &start, count, axis)
    }

    /// Parts of one width along the last dimension.
    pub(crate) fn split<const N: usize>(&mut self, x: &Value, width: usize) -> [Value; N] {
        let sizes = self.integers(&[width as i64; N]);
        self.node_of("Split", &[x, &sizes], vec![int("axis", -1)])
    }

    pub(crate) fn softmax(&mut self, x: &Value) -> Value {
        self.node("Softmax", &[x], vec![int("axis", -1)])
    }

    pub(crate) fn sum(&mut self, x: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("ReduceSum", &[x, &axes], vec![int("keepdims", 0)])
    }

    /// `LayerNorm` with the parameters `gamma` and, where there is one, `beta` of this path.
    pub(crate) fn layer_norm(&mut self, x: &Value, path: &str, epsilon: f64) -> Value {
        self.within(path, |graph| {
            let gamma = graph.parameter(&format!("{path}.gamma"));
            let beta = graph.optional(&format!("{path}.beta"));
            let inputs: Vec<&Value> = [x, &gamma].into_iter().chain(&beta).collect();
            let settings = vec![int("axis", -1), float("epsilon", epsilon)];
            graph.node("LayerNormalization", &inputs, settings)
        })
    }
}
