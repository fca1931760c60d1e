//! The folder that `$BERT_DATASETS` names. The fetcher finds files in it by size and hash, under any name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::disk;

/// The files under a folder, by size. A hash is computed when it is first needed and then kept.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    by_size: HashMap<u64, Vec<PathBuf>>,
    hashes: HashMap<PathBuf, Option<String>>,
}

impl Collection {
    /// Lists every file under `root`. It follows links to files but not to folders, which could form a cycle.
    pub(crate) fn of(root: &Path) -> Self {
        let mut collection = Self::default();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            // A folder without read permission counts as empty.
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    Ok(_) => collection.add(path),
                    Err(_) => {}
                }
            }
        }
        collection
            .by_size
            .values_mut()
            .for_each(|paths| paths.sort());
        collection
    }

    fn add(&mut self, path: PathBuf) {
        if let Ok(metadata) = fs::metadata(&path)
            && metadata.is_file()
        {
            self.by_size.entry(metadata.len()).or_default().push(path);
        }
    }

    /// A file with the hash `sha256`. Without a size it hashes only files called `name`, because hashing all could be slow.
    pub(crate) fn find(&mut self, name: &str, sha256: &str, size: Option<u64>) -> Option<PathBuf> {
        let candidates: Vec<PathBuf> = match size {
            Some(size) => self.by_size.get(&size).cloned().unwrap_or_default(),
            None => self
                .by_size
                .values()
                .flatten()
                .filter(|path| path.ends_with(name))
                .cloned()
                .collect(),
        };
        candidates
            .into_iter()
            .find(|path| self.hash_of(path) == Some(sha256))
    }

    fn hash_of(&mut self, path: &Path) -> Option<&str> {
        self.hashes
            .entry(path.to_path_buf())
            .or_insert_with(|| disk::sha256_of(path).ok())
            .as_deref()
    }
}
