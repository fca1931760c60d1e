//! Dynamic quantisation, as `onnxruntime.quantization.quantize_dynamic` writes it: weights in int8 with a scale for each output,
//! activations in uint8 with a scale for the whole tensor, which each pass finds anew.

// B batch, S sequence, I inputs, O outputs, R rows

use crate::graph::{Graph, Value};
use crate::initializer::{dims, float_bytes};
use crate::parameters::Parameter;
use crate::proto::DataType;

/// The largest weight, of seven bits: two products of a weight and an activation then fit into 16 bits, which processors without
/// VNNI add up in (`reduce_range` of `quantize_dynamic`). Results are the same on every processor.
const LARGEST: f32 = 63.0;

/// A tensor that a pass quantises.
#[derive(Debug, Clone)]
pub(crate) struct QuantizedInput {
    values: Value,
    scale: Value,
    zero_point: Value,
}

/// A weight, and what its integers are multiplied by.
struct QuantizedWeight {
    values: Value,
    scale: Value,
}

/// Which of the two dimensions of a weight has a scale for each element.
#[derive(Clone, Copy)]
enum ScaleOf {
    Rows,
    Columns,
}

impl Graph {
    /// `x · weight`.
    ///
    /// # Shapes
    ///
    /// `[…, I]`, weight `[I, O]` → `[…, O]`.
    pub(crate) fn quantized_matmul(&mut self, x: &Value, path: &str) -> Value {
        let weight = self.quantized_weight(path, ScaleOf::Columns);
        self.integer_matmul(x, &weight.values, &weight.scale)
    }

    /// As [`Graph::look_up`].
    pub(crate) fn quantized_look_up(&mut self, ids: &Value, path: &str) -> Value {
        let table = self.quantized_weight(path, ScaleOf::Rows);
        let rows = self.gather(&table.values, ids, 0);
        let rows = self.cast(&rows, DataType::Float);
        let scales = self.gather(&table.scale, ids, 0);
        self.mul(&rows, &scales)
    }

    /// As [`Graph::by_rows`].
    pub(crate) fn quantized_by_rows(&mut self, x: &Value, path: &str) -> Value {
        let table = self.quantized_weight(path, ScaleOf::Rows);
        let columns = self.transpose(&table.values, &[1, 0]);
        let scale = self.reshape(&table.scale, &[-1]);
        self.integer_matmul(x, &columns, &scale)
    }

    fn integer_matmul(&mut self, x: &Value, weight: &Value, scale: &Value) -> Value {
        let input = self.quantized_input(x);
        let zero = self.constant(DataType::Int8, Vec::new(), vec![0]);
        let inputs = [&input.values, weight, &input.zero_point, &zero];
        let product = self.node("MatMulInteger", &inputs, Vec::new());
        let product = self.cast(&product, DataType::Float);
        let scale = self.mul(&input.scale, scale);
        self.mul(&product, &scale)
    }

    fn quantized_input(&mut self, x: &Value) -> QuantizedInput {
        if let Some(input) = self.quantized.get(x) {
            return input.clone();
        }
        let [values, scale, zero_point] = self.node_of("DynamicQuantizeLinear", &[x], Vec::new());
        let input = QuantizedInput {
            values,
            scale,
            zero_point,
        };
        self.quantized.insert(x.clone(), input.clone());
        input
    }

    fn quantized_weight(&mut self, path: &str, of: ScaleOf) -> QuantizedWeight {
        let names = [format!("{path}_quantized"), format!("{path}_scale")];
        if let Some(parameter) = self.take(path) {
            let (values, scales) = quantize(&parameter, of);
            let scale_dims = match of {
                ScaleOf::Rows => vec![scales.len() as i64, 1],
                ScaleOf::Columns => vec![scales.len() as i64],
            };
            self.named(&names[0], DataType::Int8, dims(&parameter.shape), values);
            self.named(&names[1], DataType::Float, scale_dims, float_bytes(&scales));
        }
        let [values, scale] = names.map(|name| Value::named(&name));
        QuantizedWeight { values, scale }
    }
}

/// Integers as bytes, and their scales. A row or column of zeros has the scale 1.
///
/// # Shapes
///
/// `[R, O]` → `[R · O]`, R or O scales.
fn quantize(parameter: &Parameter, of: ScaleOf) -> (Vec<u8>, Vec<f32>) {
    let values = parameter.values();
    let columns = parameter.shape.last().copied().unwrap_or(1);
    let index = |position: usize| match of {
        ScaleOf::Rows => position / columns,
        ScaleOf::Columns => position % columns,
    };
    let count = match of {
        ScaleOf::Rows => values.len() / columns,
        ScaleOf::Columns => columns,
    };
    let mut largest = vec![0.0f32; count];
    for (position, value) in values.iter().enumerate() {
        let largest = &mut largest[index(position)];
        *largest = largest.max(value.abs());
    }
    let scale = |&largest: &f32| {
        if largest > 0.0 {
            largest / LARGEST
        } else {
            1.0
        }
    };
    let scales: Vec<f32> = largest.iter().map(scale).collect();
    let rounded = values.iter().enumerate().map(|(position, value)| {
        let steps = (value / scales[index(position)]).round_ties_even();
        (steps.clamp(-LARGEST, LARGEST) as i8).cast_unsigned()
    });
    (rounded.collect(), scales)
}
