//! `bert check natural-language-inference`

use anyhow::Result;

use super::text_classification::report_rows;
use crate::commands::natural_language_inference::agreed;

pub(crate) use super::text_classification::CheckArgs;

pub(crate) fn run(args: &CheckArgs) -> Result<()> {
    let (train, eval) = args.read()?;
    let train = agreed(train)?;
    let eval = eval.map(agreed).transpose()?;
    let scheme = train.scheme()?;
    if let Some(eval) = &eval {
        eval.check_scheme(scheme)?;
    }
    let eval = eval.as_ref().map(|eval| &eval.dataset);
    report_rows(&args.flags, &train.dataset, eval, true)?.print(args.flags.json)
}
