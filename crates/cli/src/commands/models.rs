//! `bert models`

use anyhow::Result;
use bert_hub::{Entry, FetchOptions, Fetcher, Kind, Manifest};
use clap::Args;
use serde::Serialize;

use crate::format::bytes;
use crate::results::Results;
use crate::table::Table;

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing<'a> {
    name: &'a str,
    kind: &'static str,
    /// The sum of all files; `None` if the manifest does not state every size.
    bytes: Option<u64>,
    licence: &'a str,
    cached: bool,
    description: &'a str,
    note: Option<&'a str>,
}

pub(crate) fn run(args: &ModelsArgs) -> Result<()> {
    let manifest = Manifest::builtin()?;
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let listings: Vec<Listing<'_>> = manifest
        .entries()
        .iter()
        .map(|entry| listing(entry, &fetcher))
        .collect();
    let mut results = Results::new();
    if args.json {
        results.json(&listings)?;
    } else {
        for line in table(&listings).lines() {
            results.line(&line)?;
        }
    }
    results.flush()
}

fn listing<'a>(entry: &'a Entry, fetcher: &Fetcher) -> Listing<'a> {
    Listing {
        name: &entry.name,
        kind: match entry.kind {
            Kind::Model => "model",
            Kind::Dataset => "dataset",
        },
        bytes: entry.files.iter().map(|file| file.size).sum(),
        licence: &entry.licence,
        cached: fetcher.cached(entry).is_some(),
        description: &entry.description,
        note: entry.note.as_deref(),
    }
}

fn table(listings: &[Listing<'_>]) -> Table {
    let mut table = Table::new(&["NAME", "KIND", "SIZE", "CACHED", "DESCRIPTION AND LICENCE"]);
    for listing in listings {
        table.push(vec![
            listing.name.to_owned(),
            listing.kind.to_owned(),
            listing.bytes.map_or("-".to_owned(), bytes),
            if listing.cached { "yes" } else { "no" }.to_owned(),
            format!("{} Licence: {}.", listing.description, listing.licence),
        ]);
    }
    table
}
