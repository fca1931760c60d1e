//! The golden files of this repository; `tests/goldens/README.md` says what is in them.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use bert_parity::ParityError;

/// The folder of all cases, `tests/goldens` of the workspace.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens")
}

/// One case of this repository.
#[derive(Debug)]
pub struct Golden(bert_parity::Golden);

impl Golden {
    /// Reads a case by the name of its folder.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn open(case: &str) -> Result<Self, ParityError> {
        bert_parity::Golden::open_in(&folder(), case).map(Self)
    }
}

impl Deref for Golden {
    type Target = bert_parity::Golden;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
