//! The cache of `huggingface_hub`: what Python has fetched is found here, and what is put here Python finds.
//!
//! ```text
//! models--OWNER--NAME/refs/REVISION          the commit of a branch or tag
//! models--OWNER--NAME/blobs/ETAG             a file's content
//! models--OWNER--NAME/snapshots/COMMIT/FILE  a link to its content
//! .locks/models--OWNER--NAME/ETAG.lock       held while a content is put into its place
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo};

use crate::disk;

/// The folder of one repository in the hub's cache.
#[derive(Debug)]
pub(crate) struct CachedRepo {
    cache: PathBuf,
    folder: PathBuf,
    lock_folder: PathBuf,
    paths: CacheRepo,
}

impl CachedRepo {
    /// The folder of `repo` in the cache folder `cache`; neither needs to exist.
    pub(crate) fn new(cache: &Path, repo: &Repo) -> Self {
        let name = repo.folder_name();
        Self {
            cache: cache.to_path_buf(),
            folder: cache.join(&name),
            lock_folder: cache.join(".locks").join(name),
            paths: Cache::new(cache.to_path_buf()).repo(repo.clone()),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The cache folder that holds this and other repositories.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// The commit that a revision meant when it was last fetched. A commit means itself.
    pub(crate) fn commit_of(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let commit = fs::read_to_string(self.reference(revision)).ok()?;
        let commit = commit.trim();
        is_safe_name(commit).then(|| commit.to_owned())
    }

    /// The folder of a commit's files.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.paths.pointer_path(commit)
    }

    /// The files of a commit that are there, by their paths with `/`, in order.
    pub(crate) fn files(&self, commit: &str) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.snapshot(commit), "", &mut files);
        files.sort();
        files
    }

    /// The file that holds the content with this entity tag.
    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.paths.blob_path(etag)
    }

    /// Records the commit of a branch or tag.
    pub(crate) fn write_reference(&self, revision: &str, commit: &str) -> io::Result<()> {
        if revision == commit || self.commit_of(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        disk::write_atomic(&self.reference(revision), commit.as_bytes())
    }

    /// Waits until no other process, Python's included, writes the content with this entity tag.
    pub(crate) fn lock(&self, etag: &str) -> io::Result<File> {
        fs::create_dir_all(&self.lock_folder)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.lock_folder.join(format!("{etag}.lock")))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Makes `file` of a commit the content with this entity tag.
    pub(crate) fn link(&self, etag: &str, commit: &str, file: &str) -> io::Result<()> {
        let pointer = self.snapshot(commit).join(file);
        if let Some(parent) = pointer.parent() {
            fs::create_dir_all(parent)?;
        }
        let up = "../".repeat(2 + file.matches('/').count());
        point(&pointer, &format!("{up}blobs/{etag}"), &self.blob(etag))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }
}

/// A relative link, so that the cache can be moved as a whole.
#[cfg(unix)]
fn point(pointer: &Path, target: &str, _blob: &Path) -> io::Result<()> {
    let mut fresh = pointer.as_os_str().to_owned();
    fresh.push(format!(".{}.link", std::process::id()));
    match fs::remove_file(&fresh) {
        Err(refused) if refused.kind() != io::ErrorKind::NotFound => return Err(refused),
        _ => std::os::unix::fs::symlink(target, &fresh)?,
    }
    fs::rename(&fresh, pointer)
}

/// Links need a privilege on other platforms. There huggingface_hub, too, moves the content to the pointer.
#[cfg(not(unix))]
fn point(pointer: &Path, _target: &str, blob: &Path) -> io::Result<()> {
    fs::rename(blob, pointer)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Links are followed. One whose content is gone is no file.
        match fs::metadata(entry.path()) {
            Ok(found) if found.is_dir() => {
                collect(&entry.path(), &format!("{prefix}{name}/"), files);
            }
            Ok(_) => files.push(format!("{prefix}{name}")),
            Err(_) => {}
        }
    }
}

/// A whole commit, as huggingface_hub recognises it.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40
        && revision
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What a server may have us use as the name of a file or folder.
pub(crate) fn is_safe_name(name: &str) -> bool {
    (1..=200).contains(&name.len())
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
