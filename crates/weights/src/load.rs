//! The strict load of a checkpoint into a module.

use burn::module::Module;
use burn::tensor::DType;
use burn_store::{Applier, ApplyResult, FloatCastAdapter, ModuleAdapter, PyTorchToBurnAdapter};

use crate::{Checkpoint, CheckpointError, KeyMap, Mismatch, layout, names, plan, values};

/// What a load may leave out. The default leaves out nothing: it loads every parameter and uses every tensor.
///
/// A prefix ends at a dot: `classifier` covers `classifier.weight` and not `classifier_2.weight`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Module-path prefixes of parts declared new, such as `classifier`: they keep their initial values, and the
    /// checkpoint's tensors of the same name, of whatever shape, are reported as replaced.
    pub fresh: Vec<String>,
    /// Module-path prefixes of parts that are loaded when the checkpoint has them and else keep their initial values,
    /// such as `encoder.pooler`. The checkpoint has each of them as a whole or not at all.
    pub optional: Vec<String>,
    /// Checkpoint-name prefixes of other heads, such as `cls.`: the report lists a tensor under one of them that no
    /// parameter wants as ignored and not as unexpected. The base-model prefix may be present or absent.
    pub ignored: Vec<String>,
    /// Tensors that a file may hold a second time because the model ties two of its parts, such as a decoder that shares
    /// the word embeddings. The report lists a copy that equals its original as skipped; any other copy is an error. A copy
    /// whose original the file lacks is loaded in its place.
    pub copies: Vec<TiedCopy>,
}

/// A second copy of a tensor, under a name that no parameter has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TiedCopy {
    /// The copy's name in the checkpoint.
    pub name: String,
    /// Module path of the parameter that it is a copy of.
    pub original: String,
}

impl LoadOptions {
    /// Module path of the original, if the tensor is declared to be a copy.
    pub(crate) fn original_of(&self, name: &str) -> Option<&str> {
        let mut copies = self.copies.iter();
        copies
            .find(|copy| copy.name == name)
            .map(|copy| copy.original.as_str())
    }

    pub(crate) fn is_fresh(&self, path: &str) -> bool {
        self.fresh
            .iter()
            .any(|prefix| names::is_under(path, prefix))
    }
}

/// What a load did: each tensor of the file is in exactly one of `loaded`, `replaced`, `ignored`, `skipped` and `unknown`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The tensors that were loaded, by their names in the file.
    pub loaded: Vec<String>,
    /// The parameters that keep their initial values, by module path.
    pub new: Vec<String>,
    /// The tensors that a part declared new replaces.
    pub replaced: Vec<String>,
    /// The tensors of other heads.
    pub ignored: Vec<String>,
    /// The tensors that are no weights of their own: buffers, and copies of tied weights.
    pub skipped: Vec<String>,
    /// The tensors that belong to no part of the model, such as a second head or a loss's weight. A user is told of them.
    pub unknown: Vec<String>,
}

/// Why a checkpoint cannot be loaded into a module.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read any more.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint and the module differ.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),
    /// Two tensors mean one parameter, for instance one with the base-model prefix and one without.
    #[error(
        "the tensors `{first}` and `{second}` of the checkpoint both mean the parameter `{path}`"
    )]
    Collision {
        /// The first tensor.
        first: String,
        /// The second tensor.
        second: String,
        /// The parameter's path in the module.
        path: String,
    },
    /// Two tensors that the model ties have different values.
    #[error(
        "the tensors `{copy}` and `{original}` of the checkpoint differ, but the model has one parameter for both; a \
         checkpoint in which they are not tied cannot be loaded"
    )]
    NotTied {
        /// The name of what should be a copy.
        copy: String,
        /// The name of what it should be a copy of.
        original: String,
    },
    /// The module does not have a part that is declared new.
    #[error("`{prefix}` is declared new, but the model has no such parameter")]
    NoSuchParameter {
        /// The prefix in [`LoadOptions::fresh`].
        prefix: String,
    },
    /// The parameter is of an integer or boolean type, which no weight of a checkpoint has.
    #[error(
        "the parameter `{path}` does not have a floating-point type, so no weight can be loaded into it"
    )]
    UnsupportedParameter {
        /// The parameter's path in the module.
        path: String,
    },
    /// Burn could not take over a tensor that fits.
    #[error("loading stopped: {reason}")]
    Apply {
        /// The first failure, with the parameter's path.
        reason: String,
    },
}

/// Loads a checkpoint into a module, strictly and by name.
///
/// Every parameter of the module must have its tensor, and every tensor of the checkpoint that lies among those of the model
/// its parameter. The error lists all that have none and that `options` do not excuse. A tensor lies among those of the model
/// when the key map has a name with the same first segment, or when it has the base-model prefix: so
/// `bert.encoder.layer.12.…` of a model with twelve layers is an error. Tensors elsewhere, such as `linear.weight`, are
/// reported as [unknown](LoadReport::unknown), but are errors where a parameter lacks its tensor. Values become F32. Each parameter stays on its device and keeps its id and
/// whether it is trained. A parameter that is loaded is never initialised.
///
/// # Errors
/// [`LoadError`]; the module is consumed, so none is left partly loaded.
pub fn load<M: Module>(
    module: M,
    checkpoint: &Checkpoint,
    keys: &KeyMap,
    options: &LoadOptions,
) -> Result<(M, LoadReport), LoadError> {
    let plan = plan::plan(&layout::parameters(&module), checkpoint, keys, options)?;
    let tensors = plan
        .assignments
        .into_iter()
        .map(|assignment| values::deferred(assignment.tensor, assignment.dtype, assignment.path))
        .collect();
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    // The applier itself and not `ModuleSnapshot::apply`, which ends the process when a backend panics.
    let mut applier = Applier::new(tensors, None, Some(Box::new(adapter)), false);
    let module = module.map(&mut applier);
    all_applied(&applier.into_result())?;
    Ok((module, plan.report))
}

fn all_applied(result: &ApplyResult) -> Result<(), LoadError> {
    if let Some(error) = result.errors.first() {
        return Err(LoadError::Apply {
            reason: error.to_string(),
        });
    }
    match result.unused.first() {
        Some(path) => Err(LoadError::Apply {
            reason: format!("`{path}` is visited by the module but not mapped"),
        }),
        None => Ok(()),
    }
}
