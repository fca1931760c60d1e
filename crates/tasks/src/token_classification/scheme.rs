use bert_text::TaggedDataset;
use bert_token_classification::tags::{Scheme, convert};

use crate::TaskError;

/// Writes the tags of a data set in another scheme; what they mean stays.
///
/// # Errors
///
/// A tag that is no entity tag.
pub fn convert_tags(data: &mut TaggedDataset, scheme: Scheme) -> Result<(), TaskError> {
    for sentence in &mut data.sentences {
        sentence.tags = convert(&sentence.tags, scheme).map_err(|error| TaskError::Labels {
            path: sentence.file.to_path_buf(),
            reason: format!("line {}: {error}", sentence.lines[error.index]),
        })?;
    }
    Ok(())
}
