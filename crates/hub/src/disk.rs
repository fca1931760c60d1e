//! Atomic writes, and hashes of files.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Bytes moved at a time.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// The sha256 of a file, in lower-case hexadecimal.
///
/// # Errors
///
/// The file cannot be read.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&block[..length]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Flushes `from` to the disk and gives it the name `to`, whose folder is created.
pub(crate) fn persist(from: &Path, to: &Path) -> io::Result<()> {
    let parent = parent_of(to)?;
    fs::create_dir_all(parent)?;
    File::options().write(true).open(from)?.sync_all()?;
    fs::rename(from, to)?;
    sync_dir(parent)
}

/// As [`persist`], also from another file system.
pub(crate) fn move_into_place(from: &Path, to: &Path) -> io::Result<()> {
    match persist(from, to) {
        Err(refused) if refused.kind() == io::ErrorKind::CrossesDevices => {
            let mut beside = to.as_os_str().to_owned();
            beside.push(".incomplete");
            let beside = Path::new(&beside);
            io::copy(&mut File::open(from)?, &mut File::create(beside)?)?;
            persist(beside, to)?;
            fs::remove_file(from)
        }
        moved => moved,
    }
}

/// Replaces the file at `path` in one step.
pub(crate) fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    let parent = parent_of(path)?;
    fs::create_dir_all(parent)?;
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|refused| refused.error)?;
    sync_dir(parent)
}

fn parent_of(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no folder"))
}

/// A rename is durable only after its folder is flushed. Windows has no such call and needs none.
#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}
