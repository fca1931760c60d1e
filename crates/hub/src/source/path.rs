//! Files from a local folder.

use super::accept_copy;
use crate::error::SourceError;
use crate::manifest::PathSource;
use crate::wanted::Wanted;

pub(super) fn obtain(source: &PathSource, wanted: &mut [Wanted<'_>]) -> Result<(), SourceError> {
    for wanted in wanted {
        let path = source.folder.join(&wanted.spec.path);
        if !path.is_file() {
            return Err(SourceError::MissingFile { path });
        }
        accept_copy(wanted, &path, None)?;
    }
    Ok(())
}
