//! Where the pickles lie in a file of `torch.save`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::result::ZipError;
use zip::{ZipArchive, ZipReadOptions};

use super::fault::PickleFault;
use super::scan::scan;

/// Names and shapes of a model with ten thousand tensors take two megabytes.
const MAX_PICKLE_BYTES: u64 = 16 << 20;
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";
/// The number in the first pickle of files of PyTorch 1.5 and older. Before it stands what the protocol of the pickle asks for.
const LEGACY_MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// How far into the file the legacy number may begin and end.
const LEGACY_MAGIC_WITHIN: u64 = 64;
/// Magic number, protocol, system, the object itself, the order of the storages.
const LEGACY_PICKLES: usize = 5;
/// The pickle in an archive.
const PICKLE_ENTRY: &str = "data.pkl";

/// Scans every pickle of a file.
///
/// # Errors
/// The file cannot be read, or the fault that its pickles have.
pub(super) fn scan_file(path: &Path, file_len: u64) -> io::Result<Result<(), PickleFault>> {
    let mut magic = Vec::new();
    File::open(path)?
        .take(LEGACY_MAGIC_WITHIN)
        .read_to_end(&mut magic)?;
    let mut windows = magic.windows(LEGACY_MAGIC.len());
    if magic.starts_with(ZIP_MAGIC) {
        scan_archive(File::open(path)?, file_len)
    } else if magic.first() == Some(&0x80) && windows.any(|window| window == LEGACY_MAGIC) {
        scan_legacy(File::open(path)?, file_len)
    } else {
        Ok(Err(PickleFault::NotTorchSave))
    }
}

fn scan_legacy(file: File, file_len: u64) -> io::Result<Result<(), PickleFault>> {
    let mut bytes = Vec::new();
    file.take(MAX_PICKLE_BYTES).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    for _ in 0..LEGACY_PICKLES {
        match scan(rest, file_len) {
            Ok(length) => rest = &rest[length..],
            Err(PickleFault::CutShort { .. }) if bytes.len() as u64 == MAX_PICKLE_BYTES => {
                return Ok(Err(too_large()));
            }
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(()))
}

fn scan_archive(file: File, file_len: u64) -> io::Result<Result<(), PickleFault>> {
    let pickle = match read_pickle(file) {
        Ok(pickle) if pickle.len() as u64 > MAX_PICKLE_BYTES => return Ok(Err(too_large())),
        Ok(pickle) => pickle,
        Err(ZipError::Io(error)) if error.raw_os_error().is_some() => return Err(error),
        Err(error) => {
            return Ok(Err(PickleFault::Archive {
                reason: error.to_string(),
            }));
        }
    };
    Ok(scan(&pickle, file_len).map(drop))
}

/// The pickle of an archive, or as much of it as shows that it is too large.
fn read_pickle(file: File) -> Result<Vec<u8>, ZipError> {
    let mut archive = ZipArchive::new(BufReader::new(file))?;
    let names = archive.file_names().collect::<Result<Vec<_>, _>>()?;
    let is_pickle = |name: &&str| *name == PICKLE_ENTRY || name.ends_with("/data.pkl");
    let mut pickles = names.iter().map(|name| name.as_ref()).filter(is_pickle);
    let (Some(name), None) = (pickles.next(), pickles.next()) else {
        return Err(ZipError::InvalidArchive("it must hold one data.pkl".into()));
    };
    let index = archive.index_for_name(name).ok_or(ZipError::FileNotFound)?;
    // `torch.save` can be told to leave checksums out, and the reader checks those that are there.
    let options = ZipReadOptions::new().ignore_crc32(true);
    let mut pickle = Vec::new();
    archive
        .by_index_with_options(index, options)?
        .take(MAX_PICKLE_BYTES + 1)
        .read_to_end(&mut pickle)?;
    Ok(pickle)
}

fn too_large() -> PickleFault {
    PickleFault::TooLarge {
        limit: MAX_PICKLE_BYTES,
    }
}
