//! Checks of rows: texts or pairs of texts, with labels or without.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use bert_text::check::{
    LabelCount, RowPair, duplicates_between, label_counts, lookalikes, repeats,
};
use bert_text::{Dataset, Label};

use super::report::{Finding, Report, Severity};
use crate::format::{count, counted};
use crate::table::Table;

/// From this share of one label on, a model that always predicts this label has a high accuracy.
const LOPSIDED: f64 = 0.8;

/// What the rows of a data set and their labels are called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nouns {
    pub(crate) row: &'static str,
    /// `None`: they have none.
    pub(crate) label: Option<&'static str>,
}

/// The rows of one split.
pub(crate) struct Rows<'a> {
    pub(crate) path: &'a Path,
    pub(crate) nouns: Nouns,
    pub(crate) texts: Vec<(&'a str, Option<&'a str>)>,
    /// The labels of each row; none where they are numbers.
    pub(crate) labels: Vec<Vec<Cow<'a, str>>>,
    /// Where each row stands: `line 5`, and before it the file where there are several.
    pub(crate) places: Vec<String>,
}

impl<'a> Rows<'a> {
    /// The rows of a data set. Without `has_classes` its labels are numbers, which are not counted.
    pub(crate) fn of(dataset: &'a Dataset, has_classes: bool) -> Self {
        let examples = &dataset.examples;
        let labels = examples.iter().map(|example| match &example.label {
            Some(label) if has_classes => Label::class_names(label),
            _ => Vec::new(),
        });
        let places = Places::of(examples.iter().map(|example| &example.file));
        Self {
            path: &dataset.path,
            nouns: Nouns {
                row: "row",
                label: Some("label"),
            },
            texts: dataset.texts(),
            labels: labels.collect(),
            places: examples
                .iter()
                .map(|example| places.name(&example.file, example.line))
                .collect(),
        }
    }

    pub(crate) fn counted(&self, rows: usize) -> String {
        counted(rows, self.nouns.row)
    }

    fn labels_noun(&self) -> String {
        format!("{}s", self.nouns.label.unwrap_or("label"))
    }

    fn counts(&self) -> Vec<LabelCount> {
        label_counts(self.labels.iter().flatten().map(AsRef::as_ref))
    }

    /// A label with the place of the first row that has it.
    fn with_place(&self, label: &str) -> String {
        let row = self
            .labels
            .iter()
            .position(|labels| labels.iter().any(|one| one == label));
        let place = row.map_or("", |row| self.places[row].as_str());
        format!("{label:?} ({place})")
    }
}

/// A place in a file of lines.
pub(crate) fn line(number: usize) -> String {
    format!("line {number}")
}

/// How places of a data set are named: with their file where it has several.
pub(crate) struct Places {
    several: bool,
}

impl Places {
    /// The places of rows in these files.
    pub(crate) fn of<'a>(mut files: impl Iterator<Item = &'a Arc<Path>>) -> Self {
        let first = files.next();
        Self {
            several: files.any(|file| Some(file) != first),
        }
    }

    pub(crate) fn name(&self, file: &Path, number: usize) -> String {
        match self.several {
            true => format!("{} {}", file.display(), line(number)),
            false => line(number),
        }
    }
}

/// The quick checks, which `bert train` makes as well: labels seen once or that look alike, rows that both splits have.
pub(crate) fn cheap_findings(train: &Rows<'_>, eval: Option<&Rows<'_>>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = labels_seen_once(train).into_iter().collect();
    findings.extend(labels_that_look_alike(train, eval));
    findings.extend(eval.and_then(|eval| shared_rows(train, eval)));
    findings
}

/// Checks the texts and labels of one split.
pub(crate) fn check(split: &str, rows: &Rows<'_>, report: &mut Report) {
    title(split, rows, &[], report);
    label_table(split, rows, report);
    report.findings(lopsided(rows));
    check_texts(rows, report);
}

/// Finds rows that occur twice, and rows without a text.
pub(crate) fn check_texts(rows: &Rows<'_>, report: &mut Report) {
    report.findings(repeated_rows(rows));
    report.findings(empty_rows(rows));
}

/// Compares the splits with each other.
pub(crate) fn compare(train: &Rows<'_>, eval: Option<&Rows<'_>>, report: &mut Report) {
    report.findings(cheap_findings(train, eval));
    report.findings(
        eval.into_iter()
            .flat_map(|eval| labels_of_one_side(train, eval)),
    );
}

/// The file and what it holds: its rows, and other things with their numbers.
pub(crate) fn title(split: &str, rows: &Rows<'_>, further: &[(&str, usize)], report: &mut Report) {
    let mut title = format!(
        "{split}: {}: {}",
        rows.path.display(),
        rows.counted(rows.texts.len())
    );
    for (noun, number) in further {
        title += &format!(", {}", counted(*number, noun));
    }
    report.figures(split, "path", rows.path, vec![title]);
    for (noun, number) in [(rows.nouns.row, rows.texts.len())].iter().chain(further) {
        let key = format!("{}s", noun.replace(' ', "_"));
        report.figures(split, &key, number, Vec::new());
    }
}

/// The labels with their counts.
pub(crate) fn label_table(split: &str, rows: &Rows<'_>, report: &mut Report) {
    let nouns = [rows.nouns.label.unwrap_or("label"), rows.nouns.row];
    count_table(split, nouns, &rows.counts(), report);
}

/// A table of labels, or of something else, with a count for each. Without labels there is no table.
pub(crate) fn count_table(
    split: &str,
    [label, row]: [&str; 2],
    counts: &[LabelCount],
    report: &mut Report,
) {
    if counts.is_empty() {
        return;
    }
    let header = [label.to_uppercase(), format!("{row}s").to_uppercase()];
    let mut table = Table::new(&[&header[0], &header[1], "SHARE"]);
    for one in counts {
        let share = format!("{:.1} %", 100.0 * one.share);
        table.push(vec![one.label.clone(), count(one.count), share]);
    }
    let mut lines = table.lines();
    lines.push(String::new());
    let key = format!("{}s", label.replace(' ', "_"));
    report.figures(split, &key, counts, lines);
}

pub(crate) fn labels_seen_once(rows: &Rows<'_>) -> Option<Finding> {
    let counts = rows.counts();
    let once = counts.iter().filter(|count| count.count == 1);
    let once: Vec<String> = once.map(|count| rows.with_place(&count.label)).collect();
    Finding::at(Severity::Warning, &once, || {
        format!("{}: seen once", rows.path.display())
    })
}

/// Labels that people take for one, in one split or across both.
pub(crate) fn labels_that_look_alike(train: &Rows<'_>, eval: Option<&Rows<'_>>) -> Option<Finding> {
    let splits = || std::iter::once(train).chain(eval);
    let labels = splits().flat_map(|rows| rows.labels.iter().flatten().map(AsRef::as_ref));
    let groups = lookalikes(labels);
    let named = |label: &&str| {
        let has_it = |rows: &&Rows<'_>| rows.labels.iter().flatten().any(|one| one == label);
        let rows = splits().find(has_it).unwrap_or(train);
        let name = rows.with_place(label);
        // Escaped where the difference cannot be seen.
        match label.is_ascii() {
            true => name,
            false => name.replacen(
                &format!("{label:?}"),
                &format!("\"{}\"", label.escape_default()),
                1,
            ),
        }
    };
    let groups: Vec<String> = groups
        .iter()
        .map(|group| group.iter().map(named).collect::<Vec<_>>().join(" and "))
        .collect();
    Finding::at(Severity::Warning, &groups, || {
        let (path, labels) = (train.path.display(), train.labels_noun());
        format!("{path}: {labels} that look alike are different classes")
    })
}

pub(crate) fn shared_rows(train: &Rows<'_>, eval: &Rows<'_>) -> Option<Finding> {
    let shared = duplicates_between(&train.texts, &eval.texts);
    let place = |pair: &RowPair| {
        let (second, first) = (&eval.places[pair.second], &train.places[pair.first]);
        format!("{second} is {first}")
    };
    let places: Vec<String> = shared.iter().map(place).collect();
    Finding::at(Severity::Problem, &places, || {
        format!(
            "{}: {} of {} occur in {} too, so scores on them do not show what the model has learned",
            eval.path.display(),
            count(shared.len()),
            eval.counted(eval.texts.len()),
            train.path.display()
        )
    })
}

fn repeated_rows(rows: &Rows<'_>) -> Vec<Finding> {
    let (same, other): (Vec<_>, Vec<_>) = repeats(&rows.texts)
        .into_iter()
        .partition(|pair| rows.labels[pair.first] == rows.labels[pair.second]);
    let Nouns { row, label } = rows.nouns;
    let finding = |pairs: &[RowPair], severity, what: String| {
        let place = |pair: &RowPair| {
            let (second, first) = (&rows.places[pair.second], &rows.places[pair.first]);
            format!("{second} is {first}")
        };
        let places: Vec<String> = pairs.iter().map(place).collect();
        Finding::at(severity, &places, || {
            let (path, number) = (rows.path.display(), rows.counted(pairs.len()));
            format!("{path}: {number} with {what}")
        })
    };
    let others = format!(
        "the text of another {row} and a different {}",
        label.unwrap_or_default()
    );
    let sames = match label {
        Some(label) => format!("the text and {label} of another {row}"),
        None => format!("the text of another {row}"),
    };
    let findings = [
        finding(&other, Severity::Warning, others),
        finding(&same, Severity::Note, sames),
    ];
    findings.into_iter().flatten().collect()
}

fn empty_rows(rows: &Rows<'_>) -> Option<Finding> {
    let is_empty = |text: &(&str, Option<&str>)| {
        text.0.trim().is_empty() || text.1.is_some_and(|pair| pair.trim().is_empty())
    };
    let places: Vec<String> = rows
        .texts
        .iter()
        .zip(&rows.places)
        .filter(|(text, _)| is_empty(text))
        .map(|(_, place)| place.clone())
        .collect();
    Finding::at(Severity::Warning, &places, || {
        let (path, number) = (rows.path.display(), rows.counted(places.len()));
        format!("{path}: {number} with an empty text")
    })
}

fn lopsided(rows: &Rows<'_>) -> Option<Finding> {
    let counts = rows.counts();
    let first = counts.first().filter(|first| first.share >= LOPSIDED)?;
    (counts.len() > 1).then(|| {
        let message = format!(
            "{}: {:.1} % of the labels are {:?}: a model that always predicts it has that accuracy, so look at F1",
            rows.path.display(),
            100.0 * first.share,
            first.label
        );
        Finding::new(Severity::Note, message)
    })
}

/// Labels that only one of the splits has.
pub(crate) fn labels_of_one_side(train: &Rows<'_>, eval: &Rows<'_>) -> Vec<Finding> {
    let labels = train.labels_noun();
    let only = |one: &Rows<'_>, other: &Rows<'_>, severity| {
        let seen = other.labels.iter().flatten();
        let mut seen: HashSet<&str> = seen.map(AsRef::as_ref).collect();
        let mut told = Vec::new();
        for (row_labels, place) in one.labels.iter().zip(&one.places) {
            for label in row_labels {
                if seen.insert(label) {
                    told.push(format!("{label:?} ({place})"));
                }
            }
        }
        Finding::at(severity, &told, || {
            let (path, other) = (one.path.display(), other.path.display());
            format!("{path}: {labels} that never occur in {other}")
        })
    };
    let unknown = only(eval, train, Severity::Problem);
    let unused = only(train, eval, Severity::Note);
    unknown.into_iter().chain(unused).collect()
}
