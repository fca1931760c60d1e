//! The figures of an evaluation as tables.

use serde_json::{Map, Value};

use super::curves::metric_name;
use super::html::{bdi, card, escape, table};
use crate::format::{count, number};
use crate::{Examination, Report};

/// Rows of one table; a longer one is cut.
const ROWS: usize = 200;

/// All figures of the best evaluation.
pub(super) fn card_of(report: &Report) -> String {
    let (metrics, about) = match (&report.evaluation, &report.record) {
        (Some(evaluation), _) => (
            &evaluation.metrics,
            format!(
                "On the {} data, after step {}, epoch {}.",
                match evaluation.data.as_str() {
                    "test" => "test",
                    _ => "evaluation",
                },
                count(evaluation.step as u64),
                number(evaluation.epoch)
            ),
        ),
        (None, Some(record)) => match record.best() {
            Some(best) => (
                &best.metrics,
                format!(
                    "The best evaluation, after step {}.",
                    count(best.step as u64)
                ),
            ),
            None => return String::new(),
        },
        (None, None) => return String::new(),
    };
    let rows: Vec<Vec<String>> = metrics
        .iter()
        .filter_map(|(name, value)| Some(vec![named(name), shown(value)?]))
        .collect();
    card("Figures", &about, &table(&[], &rows, true))
}

fn named(name: &str) -> String {
    escape(&metric_name(name))
}

/// A figure that is one value.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Number(one) => match one.as_u64() {
            Some(whole) => Some(count(whole)),
            None => one.as_f64().map(number),
        },
        Value::String(text) => Some(escape(text)),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some("–".to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Figures by type or by label, where the evaluation has them. Of labels with a confusion matrix they stand there.
pub(super) fn tables(metrics: &Map<String, Value>, examination: &Examination) -> String {
    let mut cards = match metrics.get("per_type") {
        Some(Value::Object(types)) => by_type(types),
        _ => String::new(),
    };
    if !examination.label_counts.is_empty() {
        cards.push_str(&by_label(examination));
    }
    cards
}

fn by_type(types: &Map<String, Value>) -> String {
    let figure = |scores: &Value, name: &str| scores.get(name).and_then(Value::as_f64);
    let mut rows: Vec<(&String, Scores)> = types
        .iter()
        .map(|(name, scores)| {
            let scores = Scores {
                precision: figure(scores, "precision").unwrap_or_default(),
                recall: figure(scores, "recall").unwrap_or_default(),
                f1: figure(scores, "f1").unwrap_or_default(),
                support: figure(scores, "support").unwrap_or_default() as u64,
            };
            (name, scores)
        })
        .collect();
    rows.sort_by_key(|(_, scores)| std::cmp::Reverse(scores.support));
    card(
        "Scores by type",
        "An entity counts as found when its type, its first and its last word are right.",
        &scores_table("type", rows.into_iter()),
    )
}

fn by_label(examination: &Examination) -> String {
    let labels = examination.labels.iter().zip(&examination.label_counts);
    let rows = labels.map(|(name, counts)| {
        let scores = Scores::of(
            counts.true_positives,
            counts.false_positives,
            counts.false_negatives,
        );
        (name, scores)
    });
    card("Scores by label", "", &scores_table("label", rows))
}

/// Precision, recall and F1 of a class, and how often it is the true one.
pub(super) struct Scores {
    precision: f64,
    recall: f64,
    f1: f64,
    support: u64,
}

impl Scores {
    /// A ratio whose denominator is zero is 0.
    pub(super) fn of(true_positives: u64, false_positives: u64, false_negatives: u64) -> Self {
        let ratio = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        Self {
            precision: ratio(true_positives, true_positives + false_positives),
            recall: ratio(true_positives, true_positives + false_negatives),
            f1: ratio(
                2 * true_positives,
                2 * true_positives + false_positives + false_negatives,
            ),
            support: true_positives + false_negatives,
        }
    }
}

pub(super) fn scores_table<'a>(
    what: &str,
    rows: impl Iterator<Item = (&'a String, Scores)>,
) -> String {
    let rows: Vec<Vec<String>> = rows
        .take(ROWS)
        .map(|(name, scores)| {
            vec![
                bdi(name),
                format!("{:.3}", scores.precision),
                format!("{:.3}", scores.recall),
                format!(
                    "<span class=\"meter\" style=\"--share:{:.3}\">{:.3}</span>",
                    scores.f1, scores.f1
                ),
                count(scores.support),
            ]
        })
        .collect();
    table(&[what, "precision", "recall", "F1", "support"], &rows, true)
}
