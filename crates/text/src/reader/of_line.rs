//! Which errors are about one line alone.

use super::ReadError;

impl ReadError {
    /// Whether it is about one line or row of an input, so that the next one can be read.
    pub fn is_of_line(&self) -> bool {
        matches!(
            self,
            Self::InvalidUtf8 { .. }
                | Self::Predict { .. }
                | Self::ColumnCount { .. }
                | Self::Json { .. }
                | Self::MissingColumn { .. }
                | Self::InputColumns { .. }
        )
    }
}
