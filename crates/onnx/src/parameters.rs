//! The parameters of a module by their paths.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor};

/// One parameter. Its values are read from the device when they are asked for.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) shape: Vec<usize>,
    read: Rc<dyn Fn() -> Vec<f32>>,
}

impl Parameter {
    /// Row by row.
    pub(crate) fn values(&self) -> Vec<f32> {
        (self.read)()
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Parameter {:?}", self.shape)
    }
}

/// Every floating-point parameter of a module, by its path.
pub(crate) fn parameters<M: Module>(module: &M) -> BTreeMap<String, Parameter> {
    let mut visitor = Visitor::default();
    module.visit(&mut visitor);
    visitor.parameters
}

#[derive(Default)]
struct Visitor {
    names: Vec<String>,
    parameters: BTreeMap<String, Parameter>,
}

impl ModuleVisitor for Visitor {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.names.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let parameter = Parameter {
            shape: tensor.dims().to_vec(),
            read: Rc::new(move || {
                let values = tensor.clone().into_data().convert_dtype(DType::F32);
                values.iter::<f32>().collect()
            }),
        };
        self.parameters.insert(self.names.join("."), parameter);
    }
}
