//! How `bert train` goes on from a checkpoint, and what it compares before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use bert_hub::sha256_of;
use bert_tasks::Pretrained;
use bert_train::{CHECKPOINTS_DIR, Checkpoint, RunDescription, checkpoints_in};

use super::train::FineTuneFlags;
use crate::flags::{GivenFlags, data_files};

/// Flags that decide nothing about the result, or are compared by the content of what they name.
const NOT_COMPARED: [&str; 13] = [
    "--config",
    "--eval",
    "--keep",
    "--model",
    "--offline",
    "--output",
    "--overwrite",
    "--resume",
    "--resume-anyway",
    "--save-every",
    "--test",
    "--threads",
    "--train",
];
/// Digits of a sum that are shown and compared: 64 bits.
const SUM_DIGITS: usize = 16;

/// The newest checkpoint of an output directory, verified. A damaged one is an error, or passed over with a warning if
/// `anyway`.
pub(super) fn newest_checkpoint(output: &Path, anyway: bool) -> Result<Checkpoint> {
    let found = checkpoints_in(output)?;
    let mut last_error = None;
    for path in found.iter().rev() {
        match Checkpoint::open(path) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(error) if anyway => {
                say!("warning {error}; passed over");
                last_error = Some(anyhow!(error));
            }
            Err(error) => {
                let others = match found.len() {
                    1 => "it is the only checkpoint",
                    _ => "--resume-anyway goes on from the one before it",
                };
                return Err(anyhow!(error)
                    .context(format!("{}: damaged checkpoint; {others}", path.display())));
            }
        }
    }
    Err(last_error.unwrap_or_else(|| {
        anyhow!(
            "{}: no checkpoint to go on from; a run that is over keeps none unless --keep says so. Leave out --resume to \
             begin a run",
            output.join(CHECKPOINTS_DIR).display()
        )
    }))
}

/// Everything that decides the result of a run: version, flags, and the content of its files.
pub(super) fn describe(flags: &FineTuneFlags, model: &Pretrained) -> Result<RunDescription> {
    let mut run = RunDescription::default();
    run.set("version", env!("CARGO_PKG_VERSION"));
    add_flags(&mut run, &flags.given)?;
    for (name, words) in [
        ("--train", &flags.train),
        ("--eval", &flags.eval),
        ("--test", &flags.test),
    ] {
        if !words.is_empty() {
            let files = data_files(words)?;
            let sums: Vec<String> = files
                .iter()
                .map(|file| sum_of(file))
                .collect::<Result<_>>()?;
            run.set(name, sums.join(" + "));
        }
    }
    for file in files_of(model) {
        let name = file.file_name().unwrap_or_default().display();
        run.set(format!("--model, {name}"), sum_of(&file)?);
    }
    Ok(run)
}

/// Flags as text; of those that name a file, its content.
fn add_flags(run: &mut RunDescription, given: &GivenFlags) -> Result<()> {
    for (flag, values) in given
        .iter()
        .filter(|(flag, _)| !NOT_COMPARED.contains(flag))
    {
        let spelled = |value: &String| match Path::new(value) {
            path if path.is_file() => sum_of(path),
            _ => Ok(plain(flag, value)),
        };
        let spelled: Vec<String> = values.iter().map(spelled).collect::<Result<_>>()?;
        run.set(flag, spelled.join(" "));
    }
    Ok(())
}

/// Numbers in one spelling, so that 5e-5 and 0.00005 are the same, and caches by what they do to the result.
fn plain(flag: &str, value: &str) -> String {
    if flag == "--feature-cache" {
        let is_rounded = value.starts_with("bf16");
        return if is_rounded { "bf16" } else { "exact" }.to_owned();
    }
    if let Ok(whole) = value.parse::<u64>() {
        return whole.to_string();
    }
    value
        .parse::<f64>()
        .map_or_else(|_| value.to_owned(), |number| number.to_string())
}

/// Weights, configuration and tokenizer of a model.
fn files_of(model: &Pretrained) -> BTreeSet<PathBuf> {
    let checkpoint = model.checkpoint();
    let weights = checkpoint
        .tensors()
        .iter()
        .map(|tensor| tensor.file.clone());
    let mut files: BTreeSet<PathBuf> = weights.collect();
    files.insert(checkpoint.directory().join(bert_weights::CONFIG_FILE));
    files.extend(model.tokenizer.files().iter().cloned());
    files
}

fn sum_of(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        return Ok("standard input, whose content is not compared".to_owned());
    }
    let sum = sha256_of(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    Ok(format!("sha256 {}…", &sum[..SUM_DIGITS]))
}

/// Lists what differs between a run and the checkpoint that it goes on from.
///
/// # Errors
///
/// Something differs, and the user has not said that this does not matter.
pub(super) fn compare(checkpoint: &Checkpoint, run: &RunDescription, anyway: bool) -> Result<()> {
    let differences = checkpoint.differences(run);
    if differences.is_empty() {
        return Ok(());
    }
    if anyway {
        for difference in differences {
            say!("warning {difference}");
        }
        return Ok(());
    }
    let lines: Vec<String> = differences
        .iter()
        .map(|line| format!("\n  {line}"))
        .collect();
    bail!(
        "{}: the run that wants to go on is not the one that was stopped:{}\nGive what it was, or --resume-anyway to go on \
         with what differs",
        checkpoint.path().display(),
        lines.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        let plain_lr = |value| plain("--lr", value);
        assert_eq!(plain_lr("5e-5"), plain_lr("0.00005"));
        assert_eq!(plain_lr("3"), plain_lr("3.0"));
        assert_eq!(plain_lr("18446744073709551615"), "18446744073709551615");
        assert_eq!(plain_lr("last:1"), "last:1");
        let cache = |value| plain("--feature-cache", value);
        assert_eq!(cache("off"), cache("f32:4GB"));
        assert_ne!(cache("off"), cache("bf16"));
    }
}
