//! `bert report`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_report::Report;
use clap::Args;

use crate::results::Results;

/// The name of the page in the directory that it is about.
const FILE: &str = "report.html";

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Output directory of a `bert train`; the run may still go on, or have been killed
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The page to write; - is standard output. By default report.html in the directory
    #[arg(long, short, value_name = "FILE|-")]
    output: Option<PathBuf>,
}

impl ReportArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let report = Report::read(&self.directory)?;
        for note in &report.notes {
            say!("note    {note}");
        }
        let mut results = Results::new();
        match self.output.as_deref() {
            Some(path) if path == Path::new("-") => results.line(&report.to_html())?,
            path => {
                let path = path.map_or_else(|| self.directory.join(FILE), Path::to_owned);
                report.write(&path)?;
                results.line(&path.display().to_string())?;
            }
        }
        results.flush()
    }
}
