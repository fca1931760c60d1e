//! AdamW's moments by the paths of their parameters: into a file, and back.

use std::collections::BTreeMap;
use std::path::Path;

use bert_weights::{NamedTensor, TensorInfo};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor};

use crate::adamw::{AdamW, Moments};
use crate::checkpoint::{ResumeError, tensors_of};
use crate::path::ModulePath;

const FIRST: &str = "first_moment";
const SECOND: &str = "second_moment";

impl AdamW {
    /// The moments of a module's parameters, two for each that has been updated.
    pub(crate) fn named_moments<M: Module>(&self, module: &M) -> Vec<NamedTensor> {
        let updated = paths(module).into_iter().filter_map(|(path, place)| {
            let moments = self.moments.get(&place.id)?;
            Some((path, moments))
        });
        let named = updated.flat_map(|(path, moments)| {
            let named =
                |kind, values: &Tensor<1>| NamedTensor::new(name(&path, kind), values.clone());
            [named(FIRST, &moments.first), named(SECOND, &moments.second)]
        });
        named.collect()
    }

    /// Goes on after so many steps with the moments of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has moments of parameters that the module lacks.
    pub(crate) fn restore<M: Module>(
        &mut self,
        module: &M,
        steps: usize,
        file: &Path,
    ) -> Result<(), ResumeError> {
        let mut tensors = tensors_of(file)?;
        self.steps = i32::try_from(steps).unwrap_or(i32::MAX);
        for (path, place) in paths(module) {
            let pair = [FIRST, SECOND].map(|kind| tensors.remove(&name(&path, kind)));
            if let [Some(first), Some(second)] = pair {
                let read = |tensor: &TensorInfo| place.read(file, tensor);
                let (first, second) = (read(&first)?, read(&second)?);
                self.moments.insert(place.id, Moments { first, second });
            }
        }
        match tensors.first_key_value() {
            None => Ok(()),
            Some((name, _)) => Err(other_model(file, format!("it has no place for `{name}`"))),
        }
    }
}

fn name(path: &str, kind: &str) -> String {
    format!("{path}.{kind}")
}

fn other_model(file: &Path, reason: String) -> ResumeError {
    ResumeError::OtherModel {
        path: file.to_owned(),
        reason,
    }
}

/// What is needed of a parameter.
struct Place {
    id: ParamId,
    elements: usize,
    device: Device,
}

impl Place {
    fn read(&self, file: &Path, tensor: &TensorInfo) -> Result<Tensor<1>, ResumeError> {
        if tensor.shape != [self.elements] {
            let reason = format!(
                "`{}` has shape {:?}, the model has {} of these values",
                tensor.name, tensor.shape, self.elements
            );
            return Err(other_model(file, reason));
        }
        let data = tensor.data()?;
        let dtype = data.dtype();
        Ok(Tensor::from_data(data, (&self.device, dtype)))
    }
}

/// The parameters of a module by path.
fn paths<M: Module>(module: &M) -> BTreeMap<String, Place> {
    #[derive(Default)]
    struct Paths {
        found: BTreeMap<String, Place>,
        path: ModulePath,
    }
    impl ModuleVisitor for Paths {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let place = Place {
                id: param.id,
                elements: param.lazy_shape().num_elements(),
                device: param.val().device().inner(),
            };
            self.found.insert(self.path.dotted(), place);
        }
    }
    let mut paths = Paths::default();
    module.visit(&mut paths);
    paths.found
}
