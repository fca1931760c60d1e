//! A whole model, ready to be written.

use bert_encoder::EncoderConfig;
use burn::module::Module;

use crate::OnnxError;
use crate::encoder::Inputs;
use crate::graph::{Graph, Value};
use crate::head::{Axes, Head, Output};
use crate::initializer::Initializer;
use crate::parameters::parameters;
use crate::proto::{
    DataType, Dimension, DimensionProto, GraphProto, ModelProto, OperatorSetIdProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// The first set of operators with LayerNormalization.
const OPERATORS: i64 = 17;
/// The version of the format that belongs to this set.
const FORMAT: i64 = 8;
const PRODUCER: &str = "bert-on-burn";
const BATCH: &str = "batch_size";
const SEQUENCE: &str = "sequence_length";

/// The numbers of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As the module has them.
    #[default]
    Float32,
    /// The weights of linear layers and the table of words in int8; what is multiplied by them is quantised in each pass.
    Int8,
}

/// A model as ONNX.
#[derive(Debug)]
pub struct OnnxModel {
    /// Without its constants.
    pub(crate) proto: ModelProto,
    pub(crate) initializers: Vec<Initializer>,
}

impl OnnxModel {
    /// The graph of a model whose encoder is its field `encoder`.
    ///
    /// # Errors
    ///
    /// The module has not exactly the parameters of this head and its encoder.
    pub fn new<M: Module>(
        model: &M,
        config: &EncoderConfig,
        head: Head,
        precision: Precision,
    ) -> Result<Self, OnnxError> {
        let mut graph = Graph::new(parameters(model), precision);
        let inputs = Inputs {
            input_ids: Value::named("input_ids"),
            attention_mask: Value::named("attention_mask"),
            token_type_ids: (config.type_vocab_size > 1).then(|| Value::named("token_type_ids")),
        };
        let encoded = graph.encoder(config, &inputs);
        let outputs = graph.head(head, config, &encoded);
        for output in &outputs {
            graph.output(output.name, &output.value);
        }
        let [missing, unused] = graph.unmatched();
        let head = head.class();
        if !missing.is_empty() {
            return Err(OnnxError::Missing {
                paths: missing,
                head,
            });
        }
        if !unused.is_empty() {
            return Err(OnnxError::Unused {
                paths: unused,
                head,
            });
        }
        let (nodes, initializers) = graph.into_parts();
        let graph = GraphProto {
            node: nodes,
            name: "main_graph".to_owned(),
            initializer: Vec::new(),
            input: inputs.described(),
            output: outputs.iter().map(Output::described).collect(),
        };
        let proto = ModelProto {
            ir_version: FORMAT,
            producer_name: PRODUCER.to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPERATORS,
            }],
        };
        Ok(Self {
            proto,
            initializers,
        })
    }
}

impl OnnxModel {
    /// The names of the inputs and of the outputs, in their order.
    pub fn names(&self) -> [Vec<&str>; 2] {
        match &self.proto.graph {
            Some(graph) => [names(&graph.input), names(&graph.output)],
            None => [Vec::new(), Vec::new()],
        }
    }
}

fn names(values: &[ValueInfoProto]) -> Vec<&str> {
    values.iter().map(|value| value.name.as_str()).collect()
}

impl Inputs {
    fn described(&self) -> Vec<ValueInfoProto> {
        let types = self.token_type_ids.as_ref();
        let values = [&self.input_ids, &self.attention_mask]
            .into_iter()
            .chain(types);
        values
            .map(|value| described(value.name(), DataType::Int64, Axes::Tokens))
            .collect()
    }
}

impl Output {
    fn described(&self) -> ValueInfoProto {
        described(self.name, DataType::Float, self.axes)
    }
}

fn described(name: &str, data_type: DataType, axes: Axes) -> ValueInfoProto {
    let any = |name: &str| Dimension::Param(name.to_owned());
    let of = |size: usize| Dimension::Value(size as i64);
    let dimensions = match axes {
        Axes::Sequence(size) => vec![any(BATCH), of(size)],
        Axes::Tokens => vec![any(BATCH), any(SEQUENCE)],
        Axes::TokensOf(size) => vec![any(BATCH), any(SEQUENCE), of(size)],
    };
    let dimensions = dimensions
        .into_iter()
        .map(|value| DimensionProto { value: Some(value) });
    let tensor_type = TensorTypeProto {
        elem_type: data_type.into(),
        shape: Some(TensorShapeProto {
            dim: dimensions.collect(),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}
