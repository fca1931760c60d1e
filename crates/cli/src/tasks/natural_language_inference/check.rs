//! `bert check natural-language-inference`

use anyhow::Result;
use clap::Args;

use super::agreed;
use crate::runner::check::Checked;
use crate::tasks::text_classification::{CheckRowsFlags, report_rows};

/// As text-classification, for premises and hypotheses with the labels of natural-language inference
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    rows: CheckRowsFlags,
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let Checked { data, eval } = self.rows.read(&self.rows.options())?;
        let checked = Checked {
            data: agreed(data)?,
            eval: eval.map(agreed).transpose()?,
        };
        let scheme = checked.data.scheme()?;
        if let Some(eval) = &checked.eval {
            eval.check_scheme(scheme)?;
        }
        let flags = &self.rows.flags;
        report_rows(flags, &checked.map(|data| &data.dataset), true)?.print(flags.json)
    }
}
