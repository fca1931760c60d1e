//! Several runs of one recipe.

use anyhow::Result;
use clap::Args;

use super::values::integer;
use crate::failure::WrongUsage;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Several runs")]
pub(crate) struct RepeatFlags {
    /// Train once with each of these seeds, as in 1,2,3, into OUTPUT/seed-1 and so on, and show the mean and the
    /// spread of all figures. By default one run, with --seed
    #[arg(
        long,
        value_name = "SEEDS",
        value_delimiter = ',',
        conflicts_with = "seed"
    )]
    seeds: Vec<u64>,
    /// Cross-validation: cut the training data into K folds, and train K times, each time with another fold for
    /// --eval, into OUTPUT/fold-1 and so on. Every fold has its share of each class. By default no folds
    #[arg(long, value_name = "K", value_parser = integer, conflicts_with_all = ["seeds", "eval"])]
    folds: Option<usize>,
    /// Column whose equal values stay in one fold, such as the author of a text, because rows of one author resemble
    /// each other; by name or index from 0. By default every row is on its own
    #[arg(long, value_name = "COLUMN", requires = "folds")]
    pub(crate) group_column: Option<bert_text::Column>,
}

/// Which runs there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repeats {
    Once,
    Seeds(Vec<u64>),
    Folds(usize),
}

impl RepeatFlags {
    /// Which runs were asked for.
    pub(crate) fn repeats(&self) -> Result<Repeats> {
        let wrong = |message: String| Err(WrongUsage(message).into());
        if let Some(folds) = self.folds {
            return match folds {
                0 | 1 => wrong(format!("--folds is {folds}; it must be at least 2")),
                folds => Ok(Repeats::Folds(folds)),
            };
        }
        let repeated = self
            .seeds
            .iter()
            .enumerate()
            .find(|(index, seed)| self.seeds[..*index].contains(seed));
        match (self.seeds.as_slice(), repeated) {
            ([], _) => Ok(Repeats::Once),
            ([seed], _) => wrong(format!(
                "--seeds has one seed, {seed}; give at least two, or --seed {seed} for one run"
            )),
            (_, Some((_, seed))) => wrong(format!(
                "--seeds has {seed} twice; equal seeds give equal runs, so give each once"
            )),
            (seeds, None) => Ok(Repeats::Seeds(seeds.to_vec())),
        }
    }
}
