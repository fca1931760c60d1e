//! A graph that grows node by node.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use crate::Precision;
use crate::initializer::{Data, Initializer, float_bytes, integer_bytes};
use crate::parameters::Parameter;
use crate::proto::{AttributeProto, AttributeType, DataType, NodeProto};
use crate::quantized::QuantizedInput;

/// The name of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Value(Rc<str>);

impl Value {
    pub(crate) fn named(name: &str) -> Self {
        Self(name.into())
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// Nodes and constants so far. Nodes are named after the part of the model that they are of.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) precision: Precision,
    nodes: Vec<NodeProto>,
    initializers: Vec<Initializer>,
    /// Inputs that are quantised already.
    pub(crate) quantized: HashMap<Value, QuantizedInput>,
    parameters: BTreeMap<String, Parameter>,
    used: BTreeSet<String>,
    missing: Vec<String>,
    /// Values of constants that are there already.
    constants: HashMap<(DataType, Vec<i64>, Vec<u8>), Value>,
    /// How many nodes there are of each name.
    names: HashMap<String, usize>,
    part: String,
}

impl Graph {
    pub(crate) fn new(parameters: BTreeMap<String, Parameter>, precision: Precision) -> Self {
        Self {
            precision,
            nodes: Vec::new(),
            initializers: Vec::new(),
            quantized: HashMap::new(),
            parameters,
            used: BTreeSet::new(),
            missing: Vec::new(),
            constants: HashMap::new(),
            names: HashMap::new(),
            part: String::new(),
        }
    }

    /// Names the nodes that `build` adds after a part of the model.
    pub(crate) fn within<T>(&mut self, part: &str, build: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.part, part.to_owned());
        let built = build(self);
        self.part = outer;
        built
    }

    /// Adds a node with one output.
    pub(crate) fn node(
        &mut self,
        op_type: &str,
        inputs: &[&Value],
        attribute: Vec<AttributeProto>,
    ) -> Value {
        let name = self.node_name(op_type);
        let output = Value::named(&format!("{name}_output"));
        self.push(
            name,
            op_type,
            inputs,
            vec![output.name().to_owned()],
            attribute,
        );
        output
    }

    /// Adds a node with N outputs.
    pub(crate) fn node_of<const N: usize>(
        &mut self,
        op_type: &str,
        inputs: &[&Value],
        attribute: Vec<AttributeProto>,
    ) -> [Value; N] {
        let name = self.node_name(op_type);
        let outputs = std::array::from_fn(|index| Value::named(&format!("{name}_output_{index}")));
        let names = outputs.iter().map(|value| value.name().to_owned());
        self.push(name, op_type, inputs, names.collect(), attribute);
        outputs
    }

    /// Gives a value the name of an output of the graph.
    pub(crate) fn output(&mut self, name: &str, value: &Value) {
        let node_name = self.node_name(name);
        self.push(
            node_name,
            "Identity",
            &[value],
            vec![name.to_owned()],
            Vec::new(),
        );
    }

    fn push(
        &mut self,
        name: String,
        op_type: &str,
        inputs: &[&Value],
        output: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|value| value.name().to_owned()).collect(),
            output,
            name,
            op_type: op_type.to_owned(),
            attribute,
        });
    }

    fn node_name(&mut self, op_type: &str) -> String {
        let name = match self.part.as_str() {
            "" => op_type.to_owned(),
            part => format!("{part}/{op_type}"),
        };
        let count = self.names.entry(name.clone()).or_default();
        *count += 1;
        match count {
            1 => name,
            count => format!("{name}_{}", *count - 1),
        }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.parameters.contains_key(path)
    }

    /// The number of outputs of the linear layer of this path.
    pub(crate) fn outputs(&self, path: &str) -> usize {
        let weight = self.parameters.get(&format!("{path}.weight"));
        weight
            .and_then(|weight| weight.shape.last().copied())
            .unwrap_or(0)
    }

    /// The parameter of this path. One that the module lacks is reported at the end.
    pub(crate) fn parameter(&mut self, path: &str) -> Value {
        if let Some(parameter) = self.take(path) {
            self.initializers
                .push(Initializer::parameter(path, parameter));
        }
        Value::named(path)
    }

    /// The parameter of this path, if the module has it.
    pub(crate) fn optional(&mut self, path: &str) -> Option<Value> {
        self.has(path).then(|| self.parameter(path))
    }

    /// Marks a parameter as used and returns it, if that is the first use of it.
    pub(crate) fn take(&mut self, path: &str) -> Option<Parameter> {
        let Some(parameter) = self.parameters.get(path) else {
            self.missing.push(path.to_owned());
            return None;
        };
        let is_first = self.used.insert(path.to_owned());
        is_first.then(|| parameter.clone())
    }

    /// Paths that the module lacks, and paths that the graph does not use.
    pub(crate) fn unmatched(&self) -> [Vec<String>; 2] {
        let unused = self
            .parameters
            .keys()
            .filter(|path| !self.used.contains(*path));
        [self.missing.clone(), unused.cloned().collect()]
    }

    pub(crate) fn into_parts(self) -> (Vec<NodeProto>, Vec<Initializer>) {
        (self.nodes, self.initializers)
    }

    /// A constant under a name of its own.
    pub(crate) fn named(
        &mut self,
        name: &str,
        data_type: DataType,
        dims: Vec<i64>,
        bytes: Vec<u8>,
    ) -> Value {
        self.initializers.push(Initializer {
            name: name.to_owned(),
            data_type,
            dims,
            data: Data::Bytes(bytes),
        });
        Value::named(name)
    }

    /// A small constant; the same one twice is one.
    pub(crate) fn constant(
        &mut self,
        data_type: DataType,
        dims: Vec<i64>,
        bytes: Vec<u8>,
    ) -> Value {
        let key = (data_type, dims, bytes);
        if let Some(value) = self.constants.get(&key) {
            return value.clone();
        }
        let name = format!("constant_{}", self.constants.len());
        let (data_type, dims, bytes) = key.clone();
        let value = self.named(&name, data_type, dims, bytes);
        self.constants.insert(key, value.clone());
        value
    }

    /// One number.
    pub(crate) fn number(&mut self, value: f64) -> Value {
        self.constant(DataType::Float, Vec::new(), float_bytes(&[value as f32]))
    }

    /// One integer.
    pub(crate) fn integer(&mut self, value: i64) -> Value {
        self.constant(DataType::Int64, Vec::new(), integer_bytes(&[value]))
    }

    /// A row of integers.
    pub(crate) fn integers(&mut self, values: &[i64]) -> Value {
        let dims = vec![values.len() as i64];
        self.constant(DataType::Int64, dims, integer_bytes(values))
    }
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value),
        r#type: AttributeType::Int.into(),
        ..AttributeProto::default()
    }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: values.to_vec(),
        r#type: AttributeType::Ints.into(),
        ..AttributeProto::default()
    }
}

pub(crate) fn float(name: &str, value: f64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: Some(value as f32),
        r#type: AttributeType::Float.into(),
        ..AttributeProto::default()
    }
}
