//! `modules.json`: which modules a model is made of.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::json::{read_optional, wrong};
use crate::TaskError;

const MODULES_FILE: &str = "modules.json";
/// What the names of the classes of sentence-transformers begin with, of every version.
const PACKAGE: &str = "sentence_transformers.";

/// The modules of a directory of sentence-transformers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Modules {
    /// The folder of the encoder's checkpoint.
    pub(super) transformer: PathBuf,
    /// The folder of the pooling's configuration.
    pub(super) pooling: PathBuf,
    /// What comes after pooling, each with its folder.
    pub(super) steps: Vec<(StepKind, PathBuf)>,
}

/// A module behind the pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    Dense,
    Normalize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModuleKind {
    Transformer,
    Pooling,
    Step(StepKind),
    /// Does nothing to a model that is not trained.
    Dropout,
}

#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Modules {
    /// Reads `modules.json` of a directory; `None` where there is none.
    ///
    /// # Errors
    ///
    /// A module is not known, or the modules do not stand in an order that has a meaning.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, TaskError> {
        let file = dir.join(MODULES_FILE);
        let Some(entries) = read_optional::<Vec<Entry>>(&file)? else {
            return Ok(None);
        };
        let modules = entries.iter().map(|entry| entry.module(dir));
        let modules = modules.collect::<Result<Vec<_>, String>>();
        let modules = modules.map_err(|reason| wrong(&file, reason))?;
        let arranged = Self::of(modules).ok_or_else(|| wrong(&file, wrong_order(&entries)))?;
        Ok(Some(arranged))
    }

    /// Modules in their order; `None` where the order has no meaning.
    fn of(modules: Vec<(ModuleKind, PathBuf)>) -> Option<Self> {
        let mut modules = modules.into_iter();
        let (ModuleKind::Transformer, transformer) = modules.next()? else {
            return None;
        };
        let (ModuleKind::Pooling, pooling) = modules.next()? else {
            return None;
        };
        let mut steps = Vec::new();
        for (kind, folder) in modules {
            match kind {
                ModuleKind::Step(kind) => steps.push((kind, folder)),
                ModuleKind::Dropout => {}
                ModuleKind::Transformer | ModuleKind::Pooling => return None,
            }
        }
        Some(Self {
            transformer,
            pooling,
            steps,
        })
    }
}

impl Entry {
    /// What the module is, and its folder.
    fn module(&self, dir: &Path) -> Result<(ModuleKind, PathBuf), String> {
        Ok((kind(&self.class)?, folder(dir, &self.path)?))
    }
}

fn wrong_order(entries: &[Entry]) -> String {
    let classes: Vec<&str> = entries
        .iter()
        .map(|entry| class_name(&entry.class))
        .collect();
    let classes = match classes.as_slice() {
        [] => "none".to_owned(),
        classes => classes.join(", "),
    };
    format!(
        "the modules are {classes}; expected are Transformer, then Pooling, then any of Dense and Normalize"
    )
}

/// The last part of the path of a class.
fn class_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

fn kind(class: &str) -> Result<ModuleKind, String> {
    if !class.starts_with(PACKAGE) {
        return Err(format!(
            "the module `{class}` is no class of sentence-transformers but code of the checkpoint's own, which is not run"
        ));
    }
    match class_name(class) {
        "Transformer" => Ok(ModuleKind::Transformer),
        "Pooling" => Ok(ModuleKind::Pooling),
        "Dense" => Ok(ModuleKind::Step(StepKind::Dense)),
        "Normalize" => Ok(ModuleKind::Step(StepKind::Normalize)),
        "Dropout" => Ok(ModuleKind::Dropout),
        _ => Err(format!(
            "the module `{class}` is not supported; supported are Transformer, Pooling, Dense, Normalize and Dropout"
        )),
    }
}

/// The folder of a module, which lies within the directory.
fn folder(dir: &Path, path: &str) -> Result<PathBuf, String> {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(path).components().all(inside) {
        return Err(format!(
            "the path {path:?} of a module leaves the directory"
        ));
    }
    Ok(dir.join(path))
}
