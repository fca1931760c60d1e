//! Linear layers.

// B batch, S sequence, I inputs, O outputs

use crate::Precision;
use crate::graph::{Graph, Value};

impl Graph {
    /// `x · weight + bias`, with the parameters of this path; the bias where there is one.
    ///
    /// # Shapes
    ///
    /// `[…, I]` → `[…, O]`.
    pub(crate) fn linear(&mut self, x: &Value, path: &str) -> Value {
        self.within(path, |graph| {
            let weight = format!("{path}.weight");
            let product = match graph.precision {
                Precision::Float32 => {
                    let weight = graph.parameter(&weight);
                    graph.matmul(x, &weight)
                }
                Precision::Int8 => graph.quantized_matmul(x, &weight),
            };
            match graph.optional(&format!("{path}.bias")) {
                Some(bias) => graph.add(&product, &bias),
                None => product,
            }
        })
    }

    /// The rows of a table of this path.
    ///
    /// # Shapes
    ///
    /// Ids `[B, S]` → `[B, S, O]`.
    pub(crate) fn look_up(&mut self, ids: &Value, path: &str) -> Value {
        match self.precision {
            Precision::Float32 => {
                let table = self.parameter(path);
                self.gather(&table, ids, 0)
            }
            Precision::Int8 => self.quantized_look_up(ids, path),
        }
    }

    /// The product of each row with each row of a table of this path.
    ///
    /// # Shapes
    ///
    /// `[…, I]`, table `[O, I]` → `[…, O]`.
    pub(crate) fn by_rows(&mut self, x: &Value, path: &str) -> Value {
        match self.precision {
            Precision::Float32 => {
                let table = self.parameter(path);
                let columns = self.transpose(&table, &[1, 0]);
                self.matmul(x, &columns)
            }
            Precision::Int8 => self.quantized_by_rows(x, path),
        }
    }
}
