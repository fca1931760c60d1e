//! `--bootstrap`: how far the figures of an evaluation can be trusted.

use anyhow::{Result, anyhow};
use bert_tasks::statistics::{percentile_interval, resamples};
use bert_tasks::{Metrics, figures};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::failure::WrongUsage;
use crate::flags::at_least;
use crate::format::{count, counted};

/// The share of the resamples that an interval holds.
const LEVEL: f64 = 0.95;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Confidence")]
pub(crate) struct BootstrapFlags {
    /// Also give intervals of 95 % for the figures, from N random draws of the data's rows (sentences, questions),
    /// each as large as the data, with replacement; 1000 is usual. By default none
    #[arg(long, value_name = "N", value_parser = at_least::<100>)]
    bootstrap: Option<usize>,
    /// Seed of the draws; equal seeds give equal intervals; 42: any number would do
    #[arg(long, value_name = "N", default_value_t = 42)]
    bootstrap_seed: u64,
}

/// What is drawn.
pub(crate) struct Units {
    /// One of them.
    pub(crate) noun: &'static str,
    pub(crate) count: usize,
}

/// The figures of some units, each as often as it is listed.
pub(crate) type FiguresOf<'a> = Box<dyn Fn(&[usize]) -> Result<Metrics> + Sync + 'a>;

impl BootstrapFlags {
    /// The bootstrap over these units, if it was asked for.
    pub(crate) fn over(&self, units: Option<Units>) -> Result<Option<Bootstrap>> {
        let Some(draws) = self.bootstrap else {
            return Ok(None);
        };
        let units = units.ok_or_else(|| {
            anyhow!(WrongUsage(
                "--bootstrap: the figures of this task are no means over rows that could be drawn"
                    .to_owned()
            ))
        })?;
        Ok(Some(Bootstrap {
            units,
            draws,
            seed: self.bootstrap_seed,
        }))
    }
}

pub(crate) struct Bootstrap {
    units: Units,
    draws: usize,
    seed: u64,
}

/// The intervals of all figures.
#[derive(Debug, Serialize)]
pub(crate) struct Intervals {
    resamples: usize,
    seed: u64,
    level: f64,
    /// What was drawn.
    unit: &'static str,
    units: usize,
    intervals: Map<String, Value>,
}

impl Bootstrap {
    pub(crate) fn intervals(&self, figures_of: FiguresOf<'_>) -> Result<Intervals> {
        let all: Vec<usize> = (0..self.units.count).collect();
        let names = scores(&figures_of(&all)?);
        let draws = resamples(self.units.count, self.draws, self.seed, |units| {
            figures_of(units).map(|metrics| figures(&metrics))
        })?;
        let interval = |name: &String| {
            let value = |figures: &Vec<(String, Option<f64>)>| {
                figures.iter().find(|(one, _)| one == name)?.1
            };
            let values: Vec<f64> = draws.iter().filter_map(value).collect();
            Some((name.clone(), json!(percentile_interval(&values, LEVEL)?)))
        };
        Ok(Intervals {
            resamples: self.draws,
            seed: self.seed,
            level: LEVEL,
            unit: self.units.noun,
            units: self.units.count,
            intervals: names.iter().filter_map(interval).collect(),
        })
    }
}

impl Intervals {
    /// Says on standard error what the intervals of the overall figures are.
    pub(crate) fn show(&self, metrics: &Metrics) {
        for (name, interval) in &self.intervals {
            let ends = |end: &str| interval.get(end).and_then(Value::as_f64);
            let value = metrics.get(name).and_then(Value::as_f64);
            if let (Some(value), Some(low), Some(high)) = (value, ends("low"), ends("high")) {
                say!("figure  {name} {value:.4} ({low:.4} to {high:.4})");
            }
        }
        say!(
            "note    95 % of {} draws of {} lie between these",
            count(self.resamples),
            counted(self.units, self.unit)
        );
    }
}

/// The names of the figures that measure how good a model is; not those that count what there is.
pub(crate) fn scores(metrics: &Metrics) -> Vec<String> {
    const COUNTS: [&str; 7] = [
        "examples",
        "sentences",
        "tokens",
        "support",
        "total",
        "HasAns_total",
        "NoAns_total",
    ];
    let is_score = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        !COUNTS.contains(&last) && !name.starts_with("confusion.")
    };
    let names = figures(metrics).into_iter().map(|(name, _)| name);
    names.filter(|name| is_score(name)).collect()
}
