//! `bert report`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_report::{Comparison, Report};
use clap::Args;

use crate::failure::WrongUsage;
use crate::results::Results;

/// The name of the page in the directory that it is about.
const FILE: &str = "report.html";

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Output directory of a `bert train`; the run may still go on, or have been killed. Several, or one of --seeds or --folds,
    /// are compared on one page
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
    /// The page to write; - is standard output. A name that ends in .svg is a picture of the training loss instead.
    /// By default report.html in the directory
    #[arg(long, short, value_name = "FILE|-")]
    output: Option<PathBuf>,
}

impl ReportArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let runs = Comparison::read(&self.directories)?;
        for run in &runs.runs {
            for note in &run.notes {
                match runs.runs.len() {
                    1 => say!("note    {note}"),
                    _ => say!("note    {}: {note}", run.path.display()),
                }
            }
        }
        let mut results = Results::new();
        match self.output.as_deref() {
            Some(path) if path == Path::new("-") => results.line(&page(&runs))?,
            path => {
                let path = path.map_or_else(|| self.place(), |path| Ok(path.to_owned()))?;
                write(&runs, &path)?;
                results.line(&path.display().to_string())?;
            }
        }
        results.flush()
    }

    /// Where the page goes if nothing else is said.
    fn place(&self) -> Result<PathBuf> {
        match self.directories.as_slice() {
            [directory] => Ok(directory.join(FILE)),
            _ => Err(WrongUsage(
                "these are several runs; name the page with --output FILE".to_owned(),
            )
            .into()),
        }
    }
}

/// A run by itself has a page that tells more.
fn single(runs: &Comparison) -> Option<&Report> {
    match runs.runs.as_slice() {
        [run] => Some(run),
        _ => None,
    }
}

fn page(runs: &Comparison) -> String {
    single(runs).map_or_else(|| runs.to_html(), Report::to_html)
}

fn write(runs: &Comparison, path: &Path) -> Result<()> {
    match single(runs) {
        Some(run) if !Comparison::is_picture(path) => run.write(path)?,
        _ => runs.write(path)?,
    }
    Ok(())
}
