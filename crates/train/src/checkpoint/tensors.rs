//! Parameters by their module paths: from a module into a file, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bert_weights::{NamedTensor, TensorInfo, read_tensors};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::ResumeError;
use crate::path::ModulePath;

/// The paths of the parameters that get gradients.
pub(crate) fn trained_paths<M: Module>(module: &M) -> BTreeSet<String> {
    let mut collect = Collect::default();
    module.visit(&mut collect);
    collect.trained
}

/// The parameters at these paths.
pub(crate) fn parameters<M: Module>(module: &M, paths: &BTreeSet<String>) -> Vec<NamedTensor> {
    let mut collect = Collect {
        wanted: Some(paths),
        ..Collect::default()
    };
    module.visit(&mut collect);
    collect.tensors
}

#[derive(Default)]
struct Collect<'a> {
    wanted: Option<&'a BTreeSet<String>>,
    trained: BTreeSet<String>,
    tensors: Vec<NamedTensor>,
    path: ModulePath,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.dotted();
        if self.wanted.is_some_and(|wanted| wanted.contains(&path)) {
            self.tensors
                .push(NamedTensor::new(path.clone(), param.val()));
        }
        if param.is_require_grad() {
            self.trained.insert(path);
        }
    }
}

/// The tensors of a file, by name.
pub(crate) fn tensors_of(path: &Path) -> Result<BTreeMap<String, TensorInfo>, ResumeError> {
    let tensors = read_tensors(path)?;
    let named = tensors
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor));
    Ok(named.collect())
}

/// The module with the values of a file in the place of its own. Parameters that the file lacks keep theirs.
///
/// # Errors
///
/// The file cannot be read, or has a tensor that fits no parameter.
pub(crate) fn restored<M: Module>(module: M, file: &Path) -> Result<M, ResumeError> {
    let mut assign = Assign {
        file,
        tensors: tensors_of(file)?,
        path: ModulePath::default(),
        failure: None,
    };
    let module = module.map(&mut assign);
    match (assign.failure, assign.tensors.first_key_value()) {
        (Some(failure), _) => Err(failure),
        (None, Some((name, _))) => Err(ResumeError::OtherModel {
            path: file.to_owned(),
            reason: format!("it has no parameter `{name}`"),
        }),
        (None, None) => Ok(module),
    }
}

struct Assign<'a> {
    file: &'a Path,
    /// Those that have no place yet.
    tensors: BTreeMap<String, TensorInfo>,
    path: ModulePath,
    failure: Option<ResumeError>,
}

impl Assign<'_> {
    fn value<const D: usize>(
        &self,
        tensor: &TensorInfo,
        current: &Tensor<D>,
    ) -> Result<Tensor<D>, ResumeError> {
        let shape = current.dims();
        if tensor.shape != shape {
            return Err(ResumeError::OtherModel {
                path: self.file.to_owned(),
                reason: format!(
                    "`{}` has shape {:?}, the model's has {shape:?}",
                    tensor.name, tensor.shape
                ),
            });
        }
        let device = current.device();
        Ok(Tensor::from_data(
            tensor.data()?,
            (&device, current.dtype()),
        ))
    }
}

impl ModuleMapper for Assign<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(tensor) = self.tensors.remove(&self.path.dotted()) else {
            return param;
        };
        let is_trained = param.is_require_grad();
        let (id, current, mapper) = param.consume();
        let value = match self.value(&tensor, &current) {
            Ok(value) => value.set_require_grad(is_trained),
            Err(failure) => {
                self.failure.get_or_insert(failure);
                current
            }
        };
        Param::from_mapped_value(id, value, mapper)
    }
}
