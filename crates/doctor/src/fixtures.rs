use std::path::Path;

use flate2::read::GzDecoder;
use tar::Archive;
use tempfile::TempDir;

use crate::DoctorError;

/// The golden files that the checks need, as the build script packs them.
pub const ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/goldens.tar.gz"));

/// The golden files in a temporary folder, which goes with this value.
#[derive(Debug)]
pub struct Fixtures(TempDir);

impl Fixtures {
    /// Unpacks them.
    ///
    /// # Errors
    /// The system's folder for temporary files cannot be written.
    pub fn unpack() -> Result<Self, DoctorError> {
        let folder = TempDir::with_prefix("bert-doctor-")?;
        Archive::new(GzDecoder::new(ARCHIVE)).unpack(folder.path())?;
        Ok(Self(folder))
    }

    /// The folder of all cases.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
