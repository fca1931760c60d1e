//! Ranks must see the same files and flags, or they would train one model on different runs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use bert_tasks::Peers;
use bert_train::{Checkpoint, RunDescription};

use super::train::FineTuneFlags;

/// A value, and the ranks that have it.
type Seen = BTreeMap<Option<String>, Vec<usize>>;

/// Compares what decides the result of a run.
///
/// # Errors
///
/// Something is not the same on all ranks: each such thing is listed with the ranks.
pub(super) fn compare(
    peers: &dyn Peers,
    flags: &FineTuneFlags,
    run: &RunDescription,
    resume: Option<&Checkpoint>,
) -> Result<()> {
    if peers.size() == 1 {
        return Ok(());
    }
    let mut own = run.clone();
    if let Some(checkpoint) = resume {
        own.set(
            "the checkpoint to go on from",
            format!("step {}", checkpoint.step()),
        );
    }
    let all: Vec<RunDescription> = peers
        .all_gather(serde_json::to_vec(&own)?)?
        .iter()
        .map(|bytes| serde_json::from_slice(bytes).context("what another rank sees"))
        .collect::<Result<_>>()?;
    let lines = differences(&all, |name| flags.file_words(name));
    if lines.is_empty() {
        return Ok(());
    }
    bail!(
        "the processes of the run do not see the same:\n  {}\nGive all machines the same files, or a directory that they share",
        lines.join("\n  ")
    )
}

/// A line for everything that differs. `files` gives the words of the command line that name files.
fn differences(all: &[RunDescription], files: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let Some(first) = all.first() else {
        return Vec::new();
    };
    let mut differing: BTreeMap<String, Seen> = BTreeMap::new();
    for (rank, other) in all.iter().enumerate() {
        for difference in first.differences(other) {
            let seen = differing.entry(difference.name).or_default();
            seen.entry(difference.now).or_default().push(rank);
            let of_first = seen.entry(difference.then).or_default();
            if of_first.is_empty() {
                of_first.push(0);
            }
        }
    }
    let line = |(name, seen): (String, Seen)| {
        let files = files(&name).map_or_else(String::new, |files| format!(" ({files})"));
        let mut seen: Vec<(Option<String>, Vec<usize>)> = seen.into_iter().collect();
        seen.sort_by(|(_, one), (_, other)| one.cmp(other));
        let values: Vec<String> = seen.into_iter().map(value_with_ranks).collect();
        format!("{name}{files}: {}", values.join(", "))
    };
    differing.into_iter().map(line).collect()
}

fn value_with_ranks((value, ranks): (Option<String>, Vec<usize>)) -> String {
    let numbers: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    let noun = if ranks.len() == 1 { "rank" } else { "ranks" };
    let value = value.unwrap_or_else(|| "not given".to_owned());
    format!("{value} on {noun} {}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_listed_with_its_file_and_the_ranks() {
        let mut first = RunDescription::default();
        first.set("--train", "sha256 aa…");
        first.set("--lr", "5e-5");
        let mut other = first.clone();
        other.set("--train", "sha256 99…");
        let all = [first.clone(), other.clone(), first, other];
        let lines = differences(&all, |name| {
            (name == "--train").then(|| "train.tsv".to_owned())
        });
        assert_eq!(
            lines,
            ["--train (train.tsv): sha256 aa… on rank 0, sha256 99… on ranks 1, 3"]
        );
        assert!(differences(&all[..1], |_| None).is_empty());
    }
}
