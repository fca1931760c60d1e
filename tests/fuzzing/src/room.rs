//! A folder with the files of one input.
//!
//! An input is the content of one file, or of several, each behind a line of `>>> ` and its name:
//!
//! ```text
//! >>> config.json
//! {"hidden_size": 8}
//! >>> vocab.txt
//! [PAD]
//! ```
//!
//! The end of a line before such a line belongs to it. What stands before the first of them is the target's usual file.

use std::fs;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

const MARK: &[u8] = b">>> ";
/// Longer names than this are no names of an input's file.
const MAX_NAME: usize = 64;

/// A folder that goes away with this value.
#[derive(Debug)]
pub struct Room {
    folder: TempDir,
    names: Vec<PathBuf>,
}

impl Room {
    /// A folder with these files, of which those of the input take the place. `usual`: the file without a name.
    ///
    /// # Panics
    ///
    /// The machine has no place for temporary files.
    pub fn new(base: &[(&str, &[u8])], usual: &str, input: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        for (name, content) in base {
            write(folder.path(), Path::new(name), content);
        }
        let mut names = Vec::new();
        for (name, content) in files(usual, input) {
            write(folder.path(), &name, content);
            names.push(name);
        }
        Self { folder, names }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The paths of the input's own files, in its order.
    pub fn files(&self) -> Vec<PathBuf> {
        let names = self.names.iter();
        names.map(|name| self.path().join(name)).collect()
    }
}

/// What of an input has no file's name in it, or every name that leads nowhere else than into the room.
fn files<'a>(usual: &str, input: &'a [u8]) -> Vec<(PathBuf, &'a [u8])> {
    let mut files = Vec::new();
    let (mut name, mut start, mut at) = (PathBuf::from(usual), 0, 0);
    while at < input.len() {
        let end = line_end(input, at);
        if let Some(next) = named(&input[at..end]) {
            let content = &input[start..at.max(start)];
            if start > 0 || at > 0 {
                files.push((name, content.strip_suffix(b"\n").unwrap_or(content)));
            }
            (name, start) = (next, (end + 1).min(input.len()));
        }
        at = end + 1;
    }
    files.push((name, &input[start..]));
    files
}

fn line_end(input: &[u8], at: usize) -> usize {
    let rest = input[at..].iter().position(|&byte| byte == b'\n');
    rest.map_or(input.len(), |length| at + length)
}

/// The name in a line that begins a file.
fn named(line: &[u8]) -> Option<PathBuf> {
    let name = str::from_utf8(line.strip_prefix(MARK)?).ok()?;
    let inside = |part| matches!(part, Component::Normal(_));
    let is_name = !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.contains('\0')
        && Path::new(name).components().all(inside);
    is_name.then(|| PathBuf::from(name))
}

/// Writes a file; one whose place is taken by a folder, or the other way round, is left out.
fn write(folder: &Path, name: &Path, content: &[u8]) {
    let path = folder.join(name);
    let made = path.parent().map(fs::create_dir_all);
    if let Some(Ok(())) = made {
        let _ = fs::write(path, content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_one_file_or_several() {
        let one = files("a.txt", b"x\ny");
        assert_eq!(one, [(PathBuf::from("a.txt"), &b"x\ny"[..])]);
        let several = files("a.txt", b">>> b/c\nx\n\n>>> d\ny");
        let expected = [("b/c", &b"x\n"[..]), ("d", b"y")];
        assert_eq!(
            several,
            expected.map(|(name, text)| (PathBuf::from(name), text))
        );
        let first = files("a.txt", b"x\n>>> d\n");
        let expected = [("a.txt", &b"x"[..]), ("d", b"")];
        assert_eq!(
            first,
            expected.map(|(name, text)| (PathBuf::from(name), text))
        );
    }

    #[test]
    fn no_name_leads_out_of_the_room() {
        for name in ["../x", "/x", "a/../../x", "", "a\0b"] {
            assert_eq!(named(format!(">>> {name}").as_bytes()), None, "{name:?}");
        }
    }
}
