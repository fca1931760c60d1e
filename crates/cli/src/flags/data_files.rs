//! Data files that a user names: one, several, or patterns.

use std::path::PathBuf;

use anyhow::Result;
use bert_text::{ReadNote, matching_files};

/// The files that the words of a flag name.
pub(crate) fn data_files(words: &[PathBuf]) -> Result<Vec<PathBuf>> {
    Ok(matching_files(words)?)
}

/// Says on standard error what is odd about how files were read.
pub(crate) fn print_notes(notes: &[ReadNote]) {
    for note in notes {
        let word = match note.is_warning() {
            true => "warning",
            false => "note   ",
        };
        say!("{word} {note}");
    }
}
