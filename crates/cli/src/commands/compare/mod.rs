//! `bert compare`: whether one of two models is better on the same data, or chance alone makes it look so.

mod models;
mod predictions;

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_hub::DataSplit;
use bert_tasks::statistics::{
    Interval, McNemar, McNemarMethod, mcnemar, percentile_interval, resamples,
};
use clap::Args;
use serde::Serialize;

use self::models::Evaluation;
use self::predictions::Pairs;
use crate::data_source;
use crate::failure::WrongUsage;
use crate::flags::at_least;
use crate::format::counted;
use crate::results::Results;
use crate::table::Table;

/// The share of the resamples that an interval holds.
const LEVEL: f64 = 0.95;

/// Compare two models on the same data: McNemar's test of what only one of them gets right, and a paired bootstrap of the
/// difference of the main figure
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The first model: a directory, a name that `bert models` lists, or a model of the hub. Or its predictions, as `bert
    /// evaluate --predictions FILE` writes them
    #[arg(value_name = "MODEL|FILE")]
    first: PathBuf,
    /// The second model, or its predictions for the same data
    #[arg(value_name = "MODEL|FILE")]
    second: PathBuf,
    /// Data that the models predict, as `bert evaluate` takes it. Files of predictions need it only for question answering:
    /// the others have each reference beside its prediction
    #[arg(long, value_name = "FILE|NAME", num_args = 1..)]
    data: Vec<PathBuf>,
    /// Random draws of the data's rows (sentences, questions), each as large as the data, with replacement; 1000:
    /// enough for two digits of an interval
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least::<100>)]
    bootstrap: usize,
    /// Seed of the draws; equal seeds give equal intervals; 42: any number would do
    #[arg(long, value_name = "N", default_value_t = 42)]
    bootstrap_seed: u64,
    /// Options of `bert evaluate` for the models, such as --device wgpu or --text-column review
    #[arg(last = true, value_name = "OPTION", allow_hyphen_values = true)]
    options: Vec<String>,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Comparison<'a> {
    /// What was drawn: rows, sentences, questions.
    unit: &'static str,
    units: usize,
    /// The name of the figure.
    figure: &'static str,
    first: f64,
    second: f64,
    /// First minus second.
    difference: f64,
    bootstrap: PairedBootstrap,
    /// None where predictions are not simply right or wrong.
    mcnemar: Option<McNemar>,
    #[serde(skip)]
    args: &'a CompareArgs,
}

#[derive(Debug, Serialize)]
struct PairedBootstrap {
    resamples: usize,
    seed: u64,
    level: f64,
    /// Of the difference.
    interval: Option<Interval>,
    /// Two-sided: twice the smaller share of draws in which the difference has the other sign or is 0.
    p_value: f64,
}

impl CompareArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let pairs = self.read()?;
        let comparison = self.compare(&pairs)?;
        comparison.show();
        let mut results = Results::new();
        results.json(&comparison)?;
        results.flush()
    }

    /// The predictions of both, those of a model made now.
    fn read(&self) -> Result<Pairs> {
        let words = [&self.first, &self.second];
        let has_model = words.iter().any(|word| models::is_model(word));
        if !has_model && !self.options.is_empty() {
            let reason =
                "options of `bert evaluate` are for models, and these are files of predictions";
            return Err(WrongUsage(reason.to_owned()).into());
        }
        let data = data_source::find_all("--data", &self.data, DataSplit::Dev, false)?;
        let room = tempfile::tempdir()?;
        let evaluation = Evaluation {
            data: &data,
            options: &self.options,
        };
        let file = |word: &Path, name: &str| match models::is_model(word) {
            true => evaluation.predict(word, &room, name),
            false => Ok(word.to_owned()),
        };
        let files = [file(&self.first, "first")?, file(&self.second, "second")?];
        predictions::read([&self.first, &self.second], &files, &data, has_model)
    }

    fn compare(&self, pairs: &Pairs) -> Result<Comparison<'_>> {
        let all: Vec<usize> = (0..pairs.len()).collect();
        let [first, second] = pairs.figures(&all)?;
        let draws = resamples(pairs.len(), self.bootstrap, self.bootstrap_seed, |units| {
            let [first, second] = pairs.figures(units)?;
            anyhow::Ok(first - second)
        })?;
        let share = |is_it: &dyn Fn(f64) -> bool| {
            draws
                .iter()
                .filter(|&&difference| is_it(difference))
                .count() as f64
                / draws.len() as f64
        };
        let other_sign =
            share(&|difference| difference <= 0.0).min(share(&|difference| difference >= 0.0));
        Ok(Comparison {
            unit: pairs.unit(),
            units: pairs.len(),
            figure: pairs.figure(),
            first,
            second,
            difference: first - second,
            bootstrap: PairedBootstrap {
                resamples: self.bootstrap,
                seed: self.bootstrap_seed,
                level: LEVEL,
                interval: percentile_interval(&draws, LEVEL),
                p_value: (2.0 * other_sign).min(1.0),
            },
            mcnemar: pairs.right().map(|right| {
                let only = |one: usize, other: usize| {
                    right
                        .iter()
                        .filter(|right| right[one] && !right[other])
                        .count()
                };
                mcnemar(only(0, 1), only(1, 0))
            }),
            args: self,
        })
    }
}

impl Comparison<'_> {
    /// The table on standard error.
    fn show(&self) {
        let mut table = Table::new(&["MODEL", self.figure]);
        let mut row = |what: String, value: String| table.push(vec![what, value]);
        row(
            self.args.first.display().to_string(),
            format!("{:.4}", self.first),
        );
        row(
            self.args.second.display().to_string(),
            format!("{:.4}", self.second),
        );
        let interval = self.bootstrap.interval.map(|Interval { low, high }| {
            format!(
                " ({low:+.4} to {high:+.4} in 95 % of the draws, p {:.4})",
                self.bootstrap.p_value
            )
        });
        row(
            format!("difference over {}", counted(self.units, self.unit)),
            format!("{:+.4}{}", self.difference, interval.unwrap_or_default()),
        );
        if let Some(test) = &self.mcnemar {
            let method = match test.method {
                McNemarMethod::Exact => "exact",
                McNemarMethod::ChiSquared => "χ² with continuity correction",
            };
            row(
                "McNemar".to_owned(),
                format!(
                    "only the first is right: {}, only the second: {}; p {:.4} ({method})",
                    test.only_first, test.only_second, test.p_value
                ),
            );
        }
        for line in table.lines() {
            say!("{line}");
        }
    }
}
