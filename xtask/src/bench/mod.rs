//! The steps and forward passes of `bert bench`, in turn with those of the peers on the same machine.

mod peer;
mod rows;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use self::peer::Peer;
use self::rows::{ROWS, Row};
use crate::process;
use crate::workspace::Workspace;

/// Timed runs of one process, of which it reports the median.
const RUNS: usize = 7;
const QUICK_RUNS: usize = 3;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Measure transformers on PyTorch, ONNX Runtime and OpenVINO as well, in turn with ours and in the same precision.
    #[arg(long)]
    peer: bool,
    /// A Python that has the packages of xtask/peer/requirements.txt.
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: PathBuf,
    /// Family of the models, by its `model_type` in config.json.
    #[arg(long, value_name = "MODEL_TYPE", default_value = "bert")]
    family: String,
    /// How often everything is measured; each figure is the median of the rounds.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// One round of few runs: whether it works, rather than how fast.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Threads of both sides.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

impl BenchArgs {
    fn rounds(&self) -> u16 {
        if self.quick { 1 } else { self.rounds }
    }

    fn runs(&self) -> usize {
        if self.quick { QUICK_RUNS } else { RUNS }
    }

    /// The flags that say how a row is measured, the same for `bert bench` and for the peer's script.
    fn flags(&self, row: &Row) -> Vec<String> {
        let mut flags = row.flags();
        flags.extend(["--family".to_owned(), self.family.clone()]);
        flags.extend(["--threads".to_owned(), self.threads.to_string()]);
        flags.extend(["--runs".to_owned(), self.runs().to_string()]);
        flags
    }
}

/// The figures of a row, a list over the rounds each.
#[derive(Default)]
struct Samples {
    ours: Vec<Value>,
    /// By the name of the peer.
    peers: BTreeMap<String, Vec<Value>>,
}

/// Builds `bert`, measures every row and prints the table.
pub(crate) fn run(workspace: &Workspace, args: &BenchArgs) -> Result<()> {
    let peer = args
        .peer
        .then(|| Peer::open(workspace, &args.python))
        .transpose()?;
    let bert = build(workspace)?;
    let mut samples: Vec<Samples> = ROWS.iter().map(|_| Samples::default()).collect();
    for round in 1..=args.rounds() {
        for (row, samples) in ROWS.iter().zip(&mut samples) {
            eprintln!("round {round} of {}: {}", args.rounds(), row.name());
            let flags = args.flags(row);
            samples.ours.push(ours(&bert, row, args, &flags)?);
            for (name, figures) in peer.as_ref().map_or(Ok(Vec::new()), |peer| {
                peer.measure(row, &args.family, &flags)
            })? {
                samples.peers.entry(name).or_default().push(figures);
            }
        }
    }
    for line in table::lines(&ROWS, &samples)? {
        println!("{line}");
    }
    Ok(())
}

/// The binary as a user builds it.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    process::run(
        Command::new("cargo")
            .args(["build", "--release", "--package", "bert-cli"])
            .arg("--target-dir")
            .arg(&workspace.target_directory)
            .current_dir(&workspace.root),
    )?;
    Ok(workspace.target_directory.join("release/bert"))
}

fn ours(bert: &PathBuf, row: &Row, args: &BenchArgs, flags: &[String]) -> Result<Value> {
    let printed = process::output(
        Command::new(bert)
            .args(["bench", row.work, "--json", "--device", row.device])
            .args(row.precision_flag())
            .args(flags)
            // The products of ndarray have threads of their own.
            .env("MATMUL_NUM_THREADS", args.threads.to_string()),
    )?;
    last_line(&printed)
}

/// The object on the last line of what a program printed.
fn last_line(printed: &str) -> Result<Value> {
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("expected a JSON object, got '{line}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn parsed(line: &str) -> Result<BenchArgs, clap::Error> {
        let words = std::iter::once("test").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|arguments| arguments.bench)
    }

    #[test]
    fn both_sides_get_the_same_flags() {
        let flags = parsed("--threads 3")
            .expect("well-formed")
            .flags(&ROWS[0])
            .join(" ");
        assert_eq!(
            flags,
            "--size minilm --batch 16 --seq 128 --dropout 0.1 --family bert --threads 3 --runs 7"
        );
    }

    #[test]
    fn quick_is_one_round_and_impossible_numbers_are_refused() {
        let quick = parsed("--quick").expect("well-formed");
        assert_eq!((quick.rounds(), quick.runs()), (1, QUICK_RUNS));
        for line in ["--rounds 0", "--threads 0", "--quick --rounds 2"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_printed_before_the_figures_does_not_matter() {
        let figures = last_line("a warning\n{\"median_ms\": 2.5}\n").expect("an object");
        assert_eq!(figures["median_ms"], 2.5);
        assert!(last_line("").is_err());
    }
}
