//! Files from a web address: one by one, or all from one archive.

use std::path::Path;

use super::{Context, accept_members, members};
use crate::archive::{self, Inside};
use crate::disk;
use crate::error::SourceError;
use crate::http::{self, Begun, Transfer};
use crate::manifest::UrlSource;
use crate::wanted::{self, Wanted};

pub(super) fn obtain(
    source: &UrlSource,
    wanted: &mut [Wanted<'_>],
    context: &mut Context<'_>,
) -> Result<(), SourceError> {
    if context.options.offline {
        return Err(SourceError::NeedsNetwork);
    }
    if !source.is_folder() {
        return obtain_archive(source, wanted, context);
    }
    wanted.iter_mut().try_for_each(|wanted| {
        let url = format!("{}{}", source.url, wanted.spec.path);
        transfer(&url, None, None, wanted, context)
    })
}

/// Downloads one wanted file and accepts it.
pub(crate) fn transfer(
    url: &str,
    token: Option<&str>,
    announced: Option<&str>,
    wanted: &mut Wanted<'_>,
    context: &mut Context<'_>,
) -> Result<(), SourceError> {
    let part = wanted.part.clone();
    let transfer = Transfer {
        url,
        token,
        label: &wanted.spec.path,
        part: &part,
        size: wanted.spec.size,
        is_verifiable: wanted.is_verifiable() || announced.is_some(),
    };
    let begun = http::download(context.agent, &transfer, context.options, context.progress)?;
    match (wanted.accept(&part, announced), begun) {
        // The bytes of the earlier transfer may be the damaged ones.
        (Err(refused), Begun::Resumed) => {
            context
                .progress
                .note(&format!("{refused}; transferring it from the start"));
            http::discard(&part)?;
            http::download(context.agent, &transfer, context.options, context.progress)?;
            wanted.accept(&part, announced)?;
        }
        (accepted, _) => accepted?,
    }
    http::discard(&part)
}

fn obtain_archive(
    source: &UrlSource,
    wanted: &mut [Wanted<'_>],
    context: &mut Context<'_>,
) -> Result<(), SourceError> {
    let part = context.partial.join("archive.part");
    let name = source.last_segment();
    let transfer = Transfer {
        url: &source.url,
        token: None,
        label: name,
        part: &part,
        size: None,
        is_verifiable: source.sha256.is_some(),
    };
    http::download(context.agent, &transfer, context.options, context.progress)?;
    let checked = disk::sha256_of(&part)
        .map_err(SourceError::disk("read", &part))
        .and_then(|found| wanted::check_hash(name, source.sha256.as_deref(), &found))
        .and_then(|()| unpack(source, &part, wanted, context.partial));
    http::discard(&part)?;
    checked
}

/// Unpacks the wanted files from `archive`, a copy of the source's archive, and accepts them.
pub(crate) fn unpack(
    source: &UrlSource,
    archive: &Path,
    wanted: &mut [Wanted<'_>],
    scratch: &Path,
) -> Result<(), SourceError> {
    let inside = Inside {
        archives: &[],
        strip_top: false,
        folder: &source.path,
    };
    archive::extract(archive, &inside, members(wanted), scratch)?;
    accept_members(wanted)
}
