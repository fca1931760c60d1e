//! Checks of texts and pairs with labels.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use bert_text::check::{LabelCount, RowPair, duplicates_between, label_counts, repeats};
use bert_text::{Dataset, Label};

use super::report::{Finding, Report, Severity};
use crate::format::{count, counted};
use crate::table::Table;

/// More lines or labels than these are counted and not listed.
const LISTED: usize = 5;
/// From this share of one label on, a model that always says it looks good.
const LOPSIDED: f64 = 0.8;

/// The rows of one split.
pub(crate) struct Rows<'a> {
    path: &'a Path,
    texts: Vec<(&'a str, Option<&'a str>)>,
    /// The labels of each row; none where they are numbers.
    labels: Vec<Vec<&'a str>>,
    /// Lines of the file, from 1.
    lines: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// The rows of a data set. Without `has_classes` its labels are numbers, which are not counted.
    pub(crate) fn of(dataset: &'a Dataset, has_classes: bool) -> Self {
        let labels = dataset.examples.iter().map(|example| match &example.label {
            Some(Label::Name(name)) if has_classes => vec![name.as_str()],
            Some(Label::Names(names)) if has_classes => names.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        });
        Self {
            path: &dataset.path,
            texts: dataset.texts(),
            labels: labels.collect(),
            lines: dataset
                .examples
                .iter()
                .map(|example| example.line)
                .collect(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    pub(crate) fn texts(&self) -> &[(&'a str, Option<&'a str>)] {
        &self.texts
    }

    fn counts(&self) -> Vec<LabelCount> {
        label_counts(self.labels.iter().flatten().copied())
    }

    /// The line of the first row with a label.
    fn line_of(&self, label: &str) -> usize {
        let row = self
            .labels
            .iter()
            .position(|labels| labels.contains(&label));
        row.map_or(0, |row| self.lines[row])
    }
}

/// What is found in no time, and before training: labels seen once, rows that both splits have.
pub(crate) fn cheap_findings(train: &Rows<'_>, eval: Option<&Rows<'_>>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = labels_seen_once(train).into_iter().collect();
    findings.extend(eval.and_then(|eval| shared_rows(train, eval)));
    findings
}

/// What the texts and labels of one split say.
pub(crate) fn check(split: &str, rows: &Rows<'_>, report: &mut Report) {
    describe(split, rows, report);
    report.findings(lopsided(rows));
    report.findings(repeated_rows(rows));
    report.findings(empty_rows(rows));
}

/// What both splits say together.
pub(crate) fn compare(train: &Rows<'_>, eval: Option<&Rows<'_>>, report: &mut Report) {
    report.findings(cheap_findings(train, eval));
    report.findings(
        eval.into_iter()
            .flat_map(|eval| labels_of_one_side(train, eval)),
    );
}

fn describe(split: &str, rows: &Rows<'_>, report: &mut Report) {
    let title = format!(
        "{split}: {}: {}",
        rows.path.display(),
        counted(rows.texts.len(), "row")
    );
    report.figures(split, "path", rows.path, vec![title]);
    report.figures(split, "rows", rows.texts.len(), Vec::new());
    let counts = rows.counts();
    if counts.is_empty() {
        return;
    }
    let mut table = Table::new(&["LABEL", "ROWS", "SHARE"]);
    for one in &counts {
        let share = format!("{:.1} %", 100.0 * one.share);
        table.push(vec![one.label.clone(), count(one.rows), share]);
    }
    let mut lines = table.lines();
    lines.push(String::new());
    report.figures(split, "labels", &counts, lines);
}

fn labels_seen_once(rows: &Rows<'_>) -> Option<Finding> {
    let once: Vec<String> = rows
        .counts()
        .into_iter()
        .filter(|count| count.rows == 1)
        .map(|count| format!("{:?} (line {})", count.label, rows.line_of(&count.label)))
        .collect();
    (!once.is_empty()).then(|| {
        let message = format!("{}: seen once: {}", rows.path.display(), shortened(&once));
        Finding::new(Severity::Warning, message)
    })
}

fn shared_rows(train: &Rows<'_>, eval: &Rows<'_>) -> Option<Finding> {
    let shared = duplicates_between(&train.texts, &eval.texts);
    let lines: Vec<String> = shared
        .iter()
        .map(|pair| {
            format!(
                "line {} is line {}",
                eval.lines[pair.second], train.lines[pair.first]
            )
        })
        .collect();
    (!shared.is_empty()).then(|| {
        let message = format!(
            "{}: {} of {} come in {} too, so scores on them say little: {}",
            eval.path.display(),
            count(shared.len()),
            counted(eval.texts.len(), "row"),
            train.path.display(),
            shortened(&lines)
        );
        Finding::new(Severity::Problem, message)
    })
}

fn repeated_rows(rows: &Rows<'_>) -> Vec<Finding> {
    let (same, other): (Vec<_>, Vec<_>) = repeats(&rows.texts)
        .into_iter()
        .partition(|pair| rows.labels[pair.first] == rows.labels[pair.second]);
    let told = |pairs: &[RowPair]| {
        let line = |pair: &RowPair| {
            format!(
                "line {} is line {}",
                rows.lines[pair.second], rows.lines[pair.first]
            )
        };
        shortened(&pairs.iter().map(line).collect::<Vec<_>>())
    };
    let path = rows.path.display();
    let mut findings = Vec::new();
    if !other.is_empty() {
        let (number, lines) = (counted(other.len(), "row"), told(&other));
        let message =
            format!("{path}: {number} with the text of another and another label: {lines}");
        findings.push(Finding::new(Severity::Warning, message));
    }
    if !same.is_empty() {
        let (number, lines) = (counted(same.len(), "row"), told(&same));
        let message = format!("{path}: {number} with the text and label of another: {lines}");
        findings.push(Finding::new(Severity::Note, message));
    }
    findings
}

fn empty_rows(rows: &Rows<'_>) -> Option<Finding> {
    let is_empty = |text: &(&str, Option<&str>)| {
        text.0.trim().is_empty() || text.1.is_some_and(|pair| pair.trim().is_empty())
    };
    let lines: Vec<String> = rows
        .texts
        .iter()
        .zip(&rows.lines)
        .filter(|(text, _)| is_empty(text))
        .map(|(_, line)| format!("line {line}"))
        .collect();
    (!lines.is_empty()).then(|| {
        let number = counted(lines.len(), "row");
        let path = rows.path.display();
        let message = format!("{path}: {number} with an empty text: {}", shortened(&lines));
        Finding::new(Severity::Warning, message)
    })
}

fn lopsided(rows: &Rows<'_>) -> Option<Finding> {
    let counts = rows.counts();
    let first = counts.first().filter(|first| first.share >= LOPSIDED)?;
    (counts.len() > 1).then(|| {
        let message = format!(
            "{}: {:.1} % of the labels are {:?}: look at F1, because a model that always says so has that accuracy",
            rows.path.display(),
            100.0 * first.share,
            first.label
        );
        Finding::new(Severity::Note, message)
    })
}

/// Labels that only one of the two has.
fn labels_of_one_side(train: &Rows<'_>, eval: &Rows<'_>) -> Vec<Finding> {
    let only = |one: &Rows<'_>, other: &Rows<'_>, severity, what: &str| {
        let known: HashSet<&str> = other.labels.iter().flatten().copied().collect();
        let mut first_lines: HashMap<&str, usize> = HashMap::new();
        for (labels, line) in one.labels.iter().zip(&one.lines) {
            for label in labels.iter().filter(|label| !known.contains(*label)) {
                first_lines.entry(label).or_insert(*line);
            }
        }
        let mut lines: Vec<(usize, &str)> = first_lines
            .into_iter()
            .map(|(label, line)| (line, label))
            .collect();
        lines.sort_unstable();
        let told: Vec<String> = lines
            .into_iter()
            .map(|(line, label)| format!("{label:?} (line {line})"))
            .collect();
        (!told.is_empty()).then(|| {
            let (path, other) = (one.path.display(), other.path.display());
            let message = format!("{path}: {what} {other}: {}", shortened(&told));
            Finding::new(severity, message)
        })
    };
    let unknown = only(
        eval,
        train,
        Severity::Problem,
        "labels that are never seen in",
    );
    let unused = only(
        train,
        eval,
        Severity::Note,
        "labels that are never asked for in",
    );
    unknown.into_iter().chain(unused).collect()
}

fn shortened(words: &[String]) -> String {
    match words.len() {
        0..=LISTED => words.join(", "),
        all => format!("{} and {} more", words[..LISTED].join(", "), all - LISTED),
    }
}
