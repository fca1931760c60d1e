//! The examples that the model gets wrong, or right with little confidence.

use super::html::escape;
use crate::format::{number, percent};
use crate::{Report, WorstExample};

pub(super) fn cards(report: &Report) -> String {
    let Some(evaluation) = &report.evaluation else {
        return String::new();
    };
    let worst = &evaluation.examination.worst;
    worst.iter().map(card).collect()
}

fn card(example: &WorstExample) -> String {
    let text = |text: &str| format!("<blockquote dir=\"auto\">{}</blockquote>", escape(text));
    let pair = example.text_pair.as_deref().map(text).unwrap_or_default();
    let confidence = example.confidence.map_or_else(String::new, |confidence| {
        format!(" <small>{}</small>", percent(confidence))
    });
    let loss = example.loss.map_or("–".to_owned(), number);
    format!(
        "<article class=\"card example\">\n{}{pair}<dl>\
         <dt>Reference</dt><dd dir=\"auto\">{}</dd>\
         <dt>Prediction</dt><dd dir=\"auto\">{}{confidence}</dd></dl>\
         <p class=\"about\">Loss {loss} · {}</p>\n</article>\n",
        text(&example.text),
        escape(&example.reference),
        escape(&example.prediction),
        escape(&example.place),
    )
}
