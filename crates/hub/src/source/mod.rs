//! The four kinds of source. A source stages every file that is still missing, or says why it cannot.

mod hub;
mod package;
mod path;
mod url;

pub(crate) use url::{transfer, unpack as unpack_archive};

use std::fs;
use std::path::{Path, PathBuf};

use ureq::Agent;

use crate::archive::Member;
use crate::error::SourceError;
use crate::manifest::Source;
use crate::options::FetchOptions;
use crate::progress::Progress;
use crate::wanted::Wanted;

/// What every source is given.
pub(crate) struct Context<'a> {
    pub(crate) options: &'a FetchOptions,
    pub(crate) agent: &'a Agent,
    /// The entry's folder for transfers under way.
    pub(crate) partial: &'a Path,
    pub(crate) progress: &'a mut dyn Progress,
}

/// Stages every wanted file from `source`; those accepted before a failure stay staged.
pub(crate) fn obtain(
    source: &Source,
    wanted: &mut [Wanted<'_>],
    context: &mut Context<'_>,
) -> Result<(), SourceError> {
    match source {
        Source::Hub(hub) => hub::obtain(hub, wanted, context),
        Source::Package(package) => package::obtain(package, wanted, context),
        Source::Url(source) => url::obtain(source, wanted, context),
        Source::Path(source) => path::obtain(source, wanted),
    }
}

/// Copies a local file to `wanted` and accepts it.
pub(crate) fn accept_copy(
    wanted: &mut Wanted<'_>,
    from: &Path,
    announced: Option<&str>,
) -> Result<(), SourceError> {
    let copy = beside(&wanted.staged, "copy");
    if let Some(parent) = copy.parent() {
        fs::create_dir_all(parent).map_err(SourceError::disk("create the folder", parent))?;
    }
    let mut reader = fs::File::open(from).map_err(SourceError::disk("open", from))?;
    let mut writer = fs::File::create(&copy).map_err(SourceError::disk("create", &copy))?;
    // Not fs::copy: a read-only file of the user would make a read-only file of the cache.
    std::io::copy(&mut reader, &mut writer).map_err(SourceError::disk("copy", from))?;
    wanted.accept(&copy, announced)
}

/// The members of an archive that the wanted files are.
fn members(wanted: &[Wanted<'_>]) -> Vec<Member> {
    let member = |wanted: &Wanted<'_>| Member {
        path: wanted.spec.path.clone(),
        to: beside(&wanted.staged, "unpacked"),
        size: wanted.spec.size,
    };
    wanted.iter().map(member).collect()
}

fn accept_members(wanted: &mut [Wanted<'_>]) -> Result<(), SourceError> {
    wanted.iter_mut().try_for_each(|wanted| {
        let unpacked = beside(&wanted.staged, "unpacked");
        wanted.accept(&unpacked, None)
    })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
