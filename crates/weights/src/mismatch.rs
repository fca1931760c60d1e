//! All differences between a checkpoint and a module, in one error.

use std::fmt;
use std::path::PathBuf;

use safetensors::Dtype;

/// How many names of one kind a message lists; it counts the rest.
const LISTED: usize = 10;

/// Every difference between a checkpoint and a module. The lists are complete; the message shortens long ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// Parameters that the checkpoint has no tensor for.
    pub missing: Vec<MissingTensor>,
    /// Tensors that no parameter wants: among those of the model, or anywhere while a parameter lacks its tensor.
    pub unexpected: Vec<String>,
    /// Tensors of another shape than their parameter.
    pub misshapen: Vec<MisshapenTensor>,
    /// Tensors that hold no floating-point numbers.
    pub wrong_dtype: Vec<WrongDtype>,
    /// Tensors that hold NaN or an infinity, or a number too large for F32.
    pub non_finite: Vec<String>,
    /// Module paths that the key map does not know.
    pub unmapped: Vec<String>,
}

/// A parameter without a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingTensor {
    /// The name it should have in the checkpoint.
    pub name: String,
    /// The parameter's path in the module.
    pub path: String,
}

/// A tensor of the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisshapenTensor {
    /// Its name in the checkpoint.
    pub name: String,
    /// The shape the module wants, in the checkpoint's layout.
    pub expected: Vec<usize>,
    /// The shape it has.
    pub found: Vec<usize>,
}

/// A tensor of the wrong type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongDtype {
    /// Its name in the checkpoint.
    pub name: String,
    /// The type it has.
    pub found: Dtype,
}

impl Mismatch {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
            && self.unexpected.is_empty()
            && self.misshapen.is_empty()
            && self.wrong_dtype.is_empty()
            && self.non_finite.is_empty()
            && self.unmapped.is_empty()
    }
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the checkpoint does not fit the model",
            self.checkpoint.display()
        )?;
        list(f, "missing from the checkpoint", &self.missing)?;
        list(f, "unexpected in the checkpoint", &self.unexpected)?;
        list(f, "of another shape", &self.misshapen)?;
        list(
            f,
            "not of a floating-point type (F16, BF16, F32, F64)",
            &self.wrong_dtype,
        )?;
        list(
            f,
            "with values that are NaN, infinite or too large for F32",
            &self.non_finite,
        )?;
        list(
            f,
            "parameters of the model that the key map does not know",
            &self.unmapped,
        )
    }
}

impl fmt::Display for MissingTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (for {})", self.name, self.path)
    }
}

impl fmt::Display for MisshapenTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {:?}, found {:?}",
            self.name, self.expected, self.found
        )
    }
}

impl fmt::Display for WrongDtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.found)
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, what: &str, items: &[T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    write!(f, "\n  {} {what}:", items.len())?;
    for item in items.iter().take(LISTED) {
        write!(f, "\n    {item}")?;
    }
    if items.len() > LISTED {
        write!(f, "\n    … and {} more", items.len() - LISTED)?;
    }
    Ok(())
}
