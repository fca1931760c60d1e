//! Which class was taken for which.

use super::figures::{Scores, scores_table};
use super::html::{bdi, card, escape, table, wide_card};
use crate::format::{count, percent};
use crate::{ConfusionCount, Examination};

/// With more classes a matrix cannot be read; the pairs that are confused most can.
const MATRIX_CLASSES: usize = 12;
/// Pairs of classes that are listed.
const PAIRS: usize = 20;

pub(super) fn cards(examination: &Examination) -> String {
    let (labels, confusion) = (&examination.labels, &examination.confusion);
    if confusion.is_empty() {
        return String::new();
    }
    let mut cards = match labels.len() {
        0..=MATRIX_CLASSES => matrix(labels, confusion),
        _ => pairs(labels, confusion),
    };
    cards.push_str(&card(
        "Scores by label",
        "",
        &scores_table("label", labels.iter().zip(scores(labels.len(), confusion))),
    ));
    cards
}

fn scores(classes: usize, confusion: &[ConfusionCount]) -> Vec<Scores> {
    let sum = |keep: &dyn Fn(&ConfusionCount) -> bool| -> u64 {
        let kept = confusion.iter().filter(|one| keep(one));
        kept.map(|one| one.count).sum()
    };
    let of = |class: usize| {
        Scores::of(
            sum(&|one| one.reference == class && one.prediction == class),
            sum(&|one| one.reference != class && one.prediction == class),
            sum(&|one| one.reference == class && one.prediction != class),
        )
    };
    (0..classes).map(of).collect()
}

/// A row for each true class, a column for each predicted one. The shade is the share of the row.
fn matrix(labels: &[String], confusion: &[ConfusionCount]) -> String {
    let cell = |reference: usize, prediction: usize| -> u64 {
        let mut cells = confusion.iter();
        let found = cells.find(|one| one.reference == reference && one.prediction == prediction);
        found.map_or(0, |one| one.count)
    };
    let mut html =
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"confusion\"><thead><tr><td></td>"
            .to_owned();
    for name in labels {
        html.push_str(&format!("<th scope=\"col\">{}</th>", bdi(name)));
    }
    html.push_str("</tr></thead><tbody>");
    for (reference, name) in labels.iter().enumerate() {
        let counts: Vec<u64> = (0..labels.len())
            .map(|prediction| cell(reference, prediction))
            .collect();
        let all = counts.iter().sum::<u64>().max(1) as f64;
        html.push_str(&format!("<tr><th scope=\"row\">{}</th>", bdi(name)));
        for (prediction, &number) in counts.iter().enumerate() {
            let share = number as f64 / all;
            let class = if prediction == reference {
                "right"
            } else {
                "wrong"
            };
            html.push_str(&format!(
                "<td class=\"{class}\" style=\"--share:{share:.3}\" title=\"{}\">{}</td>",
                escape(&format!(
                    "{} of {name} predicted as {}",
                    percent(share),
                    labels[prediction]
                )),
                count(number)
            ));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    card(
        "Confusion matrix",
        "Rows are the true classes, columns the predicted ones.",
        &html,
    )
}

fn pairs(labels: &[String], confusion: &[ConfusionCount]) -> String {
    let mut wrong: Vec<&ConfusionCount> = confusion
        .iter()
        .filter(|one| one.reference != one.prediction)
        .collect();
    wrong.sort_by_key(|one| std::cmp::Reverse(one.count));
    let name = |id: usize| {
        labels
            .get(id)
            .map_or_else(|| id.to_string(), |name| bdi(name))
    };
    let rows: Vec<Vec<String>> = wrong
        .iter()
        .take(PAIRS)
        .map(|one| vec![name(one.reference), name(one.prediction), count(one.count)])
        .collect();
    wide_card(
        "Classes that are confused most",
        "",
        &table(&["true class", "predicted as", "times"], &rows, false),
    )
}
