//! Rows as JSON objects, one a line.

use std::path::Path;

use super::rows::{FileRows, Object, Objects};
use super::source::numbered_lines;
use super::{ColumnOptions, ReadError};

pub(super) fn read(
    path: &Path,
    content: &str,
    options: &ColumnOptions,
) -> Result<FileRows, ReadError> {
    let mut rows = Objects::new(path, options)?;
    for (line, text) in numbered_lines(content) {
        let object: Object = serde_json::from_str(text).map_err(|source| ReadError::Json {
            path: path.to_owned(),
            line,
            source,
        })?;
        rows.push(line, &object)?;
    }
    rows.finish()
}
