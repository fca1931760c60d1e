//! Several runs of one recipe, and what all of them say together.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::statistics::{Spread, spread};
use bert_tasks::{Metrics, figures};
use bert_text::{group_folds, stratified_folds};
use bert_train::Trained;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bootstrap::scores;
use super::session::Session;
use super::train::{FineTune, FineTuneFlags, Splits};
use crate::failure::WrongUsage;
use crate::format::shortened;
use crate::output_directory::OutputDirectory;
use crate::table::Table;

/// How a data set is cut into folds.
pub(crate) trait Folds<D> {
    /// What each row is to the folds.
    fn rows(&self, flags: &FineTuneFlags, data: &D) -> Result<FoldRows>;

    /// Some of the rows.
    fn subset(&self, data: &D, rows: &[usize]) -> D;
}

/// What the rows of a data set are to its folds.
pub(crate) struct FoldRows {
    /// The class of each row, the same for all where there are none.
    pub(crate) classes: Vec<usize>,
    /// The names of the classes.
    pub(crate) names: Vec<String>,
    /// What must stay together, for each row.
    pub(crate) groups: Option<Vec<String>>,
}

impl FoldRows {
    /// Rows without classes and without groups.
    pub(crate) fn alike(rows: usize) -> Self {
        Self {
            classes: vec![0; rows],
            names: Vec::new(),
            groups: None,
        }
    }

    /// The fold of each row.
    pub(crate) fn cut(&self, folds: usize, seed: u64) -> Result<Vec<usize>> {
        let wrong = |message: String| Err(WrongUsage(format!("--folds {folds}: {message}")).into());
        if self.classes.len() < folds {
            return wrong(format!(
                "there are {} rows; give at most as many folds",
                self.classes.len()
            ));
        }
        let Some(groups) = &self.groups else {
            let rare = self.classes_below(folds);
            if !rare.is_empty() {
                let rare = shortened(&rare, LISTED);
                return wrong(format!(
                    "every fold needs a row of each class, and there are too few of {rare}"
                ));
            }
            return Ok(stratified_folds(&self.classes, folds, seed));
        };
        let mut different: Vec<&String> = groups.iter().collect();
        different.sort_unstable();
        different.dedup();
        if different.len() < folds {
            return wrong(format!(
                "--group-column has {} groups; give at most as many folds",
                different.len()
            ));
        }
        Ok(group_folds(groups, &self.classes, folds, seed))
    }

    fn classes_below(&self, rows: usize) -> Vec<String> {
        let named = self.names.iter().enumerate().map(|(id, name)| {
            let count = self.classes.iter().filter(|&&class| class == id).count();
            (name, count)
        });
        named
            .filter(|(_, count)| (1..rows).contains(count))
            .map(|(name, count)| format!("{name:?} ({count})"))
            .collect()
    }
}

const LISTED: usize = 5;

/// One of the runs.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    /// The best evaluation.
    best: Option<Metrics>,
    /// The figures on test data.
    test: Option<Metrics>,
    output: PathBuf,
    train_seconds: f64,
    tokens_per_second: f64,
    /// The figure that selects and its score; higher is better.
    #[serde(skip)]
    selected: Option<(String, f64)>,
}

impl RunReport {
    pub(crate) fn new<M>(trained: &Trained<M>, test: Option<Metrics>, output: &Path) -> Self {
        let seconds = trained.training_seconds;
        let best = trained.best.as_ref();
        Self {
            best: best.map(|best| best.metrics.clone()),
            test,
            output: output.to_owned(),
            train_seconds: seconds,
            tokens_per_second: trained.tokens as f64 / seconds.max(f64::MIN_POSITIVE),
            selected: best.map(|best| (best.selected_by.to_string(), best.score)),
        }
    }

    /// `seed-1` or `fold-1`.
    fn name(&self) -> String {
        let name = self.output.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// Trains once with each seed. Every run is the one that `--seed` alone would make.
pub(crate) fn with_seeds<C: FineTune>(
    session: &Session<'_, C>,
    seeds: &[u64],
    data: &Splits<C::Data>,
) -> Result<Value> {
    let mut reports = Vec::new();
    for &seed in seeds {
        let name = format!("seed-{seed}");
        reports.push(one(session, &name, seed, data.clone())?);
    }
    Ok(summary(&reports))
}

/// Trains once for each fold, on all others.
pub(crate) fn with_folds<C: FineTune>(
    session: &Session<'_, C>,
    fold_of: &[usize],
    data: &Splits<C::Data>,
) -> Result<Value> {
    let count = fold_of.iter().max().map_or(0, |most| most + 1);
    let subset = |is_wanted: &dyn Fn(usize) -> bool| {
        let rows = (0..fold_of.len()).filter(|&row| is_wanted(fold_of[row]));
        let rows: Vec<usize> = rows.collect();
        session
            .command
            .folds()
            .map(|folds| folds.subset(&data.train, &rows))
    };
    let mut reports = Vec::new();
    for fold in 0..count {
        let Some(train) = subset(&|one| one != fold) else {
            continue;
        };
        let splits = Splits {
            train,
            eval: subset(&|one| one == fold),
            test: data.test.clone(),
        };
        let name = format!("fold-{}", fold + 1);
        reports.push(one(session, &name, session.options.seed, splits)?);
    }
    Ok(summary(&reports))
}

fn one<C: FineTune>(
    session: &Session<'_, C>,
    name: &str,
    seed: u64,
    data: Splits<C::Data>,
) -> Result<RunReport> {
    say!("run     {name}");
    let output = OutputDirectory::claim(&session.flags.output.join(name))?;
    let report = session.train(seed, data, output.path(), None)?;
    output.keep();
    Ok(report)
}

/// The table on standard error, and the object for standard output.
fn summary(reports: &[RunReport]) -> Value {
    let best = over_runs(reports, |report| report.best.as_ref());
    let test = over_runs(reports, |report| report.test.as_ref());
    for line in table(reports, &best, &test).lines() {
        say!("{line}");
    }
    let best_run = best_run(reports);
    match best_run.and_then(|run| run.selected.as_ref().map(|selected| (run, selected))) {
        Some((run, (figure, _))) => say!("best    {} by {figure}", run.output.display()),
        None => {
            say!("best    unknown: without --eval no run can be told to be better than another")
        }
    }
    let summarised = |rows: &[(String, Vec<f64>)]| {
        let pairs = rows
            .iter()
            .filter_map(|(name, values)| Some((name.clone(), json!(spread(values)?))));
        pairs.collect::<Map<_, _>>()
    };
    json!({
        "runs": reports,
        "best": summarised(&best),
        "test": summarised(&test),
        "selected_by": best_run.and_then(|run| run.selected.as_ref()).map(|(figure, _)| figure),
        "best_run": best_run.map(|run| &run.output),
    })
}

/// The run whose best evaluation has the highest score, the first where several have.
fn best_run(reports: &[RunReport]) -> Option<&RunReport> {
    let scored = reports
        .iter()
        .filter_map(|run| Some((run, run.selected.as_ref()?.1)));
    let first_of_best = |best: (_, f64), next: (_, f64)| if next.1 > best.1 { next } else { best };
    scored.reduce(first_of_best).map(|(run, _)| run)
}

/// Each figure that every run has, with its value in each.
fn over_runs(
    reports: &[RunReport],
    metrics: impl Fn(&RunReport) -> Option<&Metrics>,
) -> Vec<(String, Vec<f64>)> {
    let of_each: Option<Vec<&Metrics>> = reports.iter().map(metrics).collect();
    let Some(of_each) = of_each else {
        return Vec::new();
    };
    let names = of_each
        .first()
        .map(|first| scores(first))
        .unwrap_or_default();
    let of_each: Vec<Vec<(String, Option<f64>)>> = of_each.into_iter().map(figures).collect();
    let value = |figures: &Vec<(String, Option<f64>)>, name: &str| {
        figures.iter().find(|(one, _)| one == name)?.1
    };
    let row = |name: String| {
        let values: Option<Vec<f64>> = of_each.iter().map(|one| value(one, &name)).collect();
        values.map(|values| (name, values))
    };
    names.into_iter().filter_map(row).collect()
}

fn table(reports: &[RunReport], best: &[(String, Vec<f64>)], test: &[(String, Vec<f64>)]) -> Table {
    let names: Vec<String> = reports.iter().map(RunReport::name).collect();
    let mut header = vec!["FIGURE", "MEAN", "SD"];
    header.extend(names.iter().map(String::as_str));
    let mut table = Table::new(&header);
    let rows = best
        .iter()
        .map(|row| ("", row))
        .chain(test.iter().map(|row| ("test ", row)));
    for (split, (name, values)) in rows {
        let Some(Spread {
            mean,
            standard_deviation,
        }) = spread(values)
        else {
            continue;
        };
        let number = |value: f64| format!("{value:.4}");
        let mut row = vec![
            format!("{split}{name}"),
            number(mean),
            standard_deviation.map_or_else(String::new, number),
        ];
        row.extend(values.iter().map(|&value| number(value)));
        table.push(row);
    }
    table
}
