//! A module's parameters as a checkpoint lays them out.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, DType, Int, Shape, Tensor};
use burn_store::burn_pack::{Bytes, Tensor as PackTensor};
use burn_store::{BurnToPyTorchAdapter, ModuleAdapter, ModuleContext};

/// Turns Burn's layout into PyTorch's and keeps the names: only the key map renames.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointLayout;

impl ModuleAdapter for CheckpointLayout {
    fn adapt(&self, tensor: PackTensor, ctx: ModuleContext<'_>) -> PackTensor {
        let name = tensor.name.clone();
        let mut adapted = BurnToPyTorchAdapter.adapt(tensor, ctx);
        adapted.name = name;
        adapted
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}

/// One parameter of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) path: String,
    /// In the checkpoint's layout.
    pub(crate) shape: Vec<usize>,
    pub(crate) is_float: bool,
}

/// Every parameter, in the module's order. The visit initialises none of them, so a model whose weights are about to be
/// loaded does not draw random ones first.
pub(crate) fn parameters<M: Module>(module: &M) -> Vec<Parameter> {
    let mut visitor = ParameterVisitor::default();
    module.visit(&mut visitor);
    visitor.parameters
}

#[derive(Default)]
struct ParameterVisitor {
    names: Vec<String>,
    containers: Vec<String>,
    parameters: Vec<Parameter>,
}

impl ParameterVisitor {
    fn record(&mut self, shape: Shape, is_float: bool) {
        let path = self.names.join(".");
        let shape = checkpoint_shape(&path, shape, &self.containers);
        self.parameters.push(Parameter {
            path,
            shape,
            is_float,
        });
    }
}

impl ModuleVisitor for ParameterVisitor {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.names.push(name.to_owned());
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.record(param.lazy_shape(), true);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.record(param.lazy_shape(), false);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.record(param.lazy_shape(), false);
    }
}

/// Asks the adapter itself with a tensor without values, so that only the adapter decides what is transposed.
fn checkpoint_shape(path: &str, shape: Shape, containers: &[String]) -> Vec<usize> {
    let outline = PackTensor::new(
        path.to_owned(),
        DType::F32,
        shape,
        None,
        Bytes::from_bytes_vec(Vec::new()),
    );
    CheckpointLayout
        .adapt(outline, ModuleContext::new(containers))
        .shape
        .to_vec()
}
