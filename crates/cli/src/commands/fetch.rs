//! `bert fetch`

use anyhow::Result;
use clap::Args;

use crate::model_source::{check_name, fetch_named};
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Names that `bert models` lists, and models of the hub (OWNER/NAME, or OWNER/NAME@REVISION)
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Use no network: what is not in a cache (or in the folder BERT_DATASETS) is an error
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(args: &FetchArgs) -> Result<()> {
    // A mistyped last name is an error before the first download.
    args.names.iter().try_for_each(|name| check_name(name))?;
    let mut results = Results::new();
    for name in &args.names {
        let directory = fetch_named(name, args.offline)?;
        results.line(&directory.display().to_string())?;
        results.flush()?;
    }
    Ok(())
}
