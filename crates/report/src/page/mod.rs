//! The report as one page of HTML: no script, no request, one style sheet in its head.

mod comparison;
mod confusion;
mod curves;
mod examples;
mod figures;
mod html;
mod lengths;
mod recipe;
mod summary;

pub(crate) use comparison::{loss_picture, page as comparison_page};
pub(crate) use html::escape;

use crate::Report;
use crate::chart::{STYLE as CHART_STYLE, reliability_chart, scatter_chart};
use crate::format::number;
use html::{card, section};

const STYLE: &str = include_str!("style.css");

/// No request may leave the page, whatever a label or an example holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

pub(crate) fn page(report: &Report) -> String {
    let title = summary::title(report);
    let sections = [
        summary::notes(&report.notes),
        summary::tiles(report),
        section("Curves", &curves::cards(report)),
        section("Evaluation", &evaluation(report)),
        section("Data", &lengths::cards(report)),
        section("Examples with the highest loss", &examples::cards(report)),
        section("Recipe", &recipe::cards(report)),
    ];
    document(
        &title,
        &summary::header(report),
        &sections.concat(),
        &summary::footer(report),
    )
}

/// A whole page around its parts.
fn document(title: &str, header: &str, sections: &str, footer: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{CHART_STYLE}{STYLE}</style>\n</head>\n<body>\n{header}\n<main>\n{sections}</main>\n{footer}\n</body>\n</html>\n"
    )
}

/// The figures of the best evaluation, and what its examination found.
fn evaluation(report: &Report) -> String {
    let mut cards = figures::card_of(report);
    let Some(evaluation) = &report.evaluation else {
        return cards;
    };
    let examination = &evaluation.examination;
    cards.push_str(&confusion::cards(examination));
    cards.push_str(&figures::tables(&evaluation.metrics, examination));
    if !examination.scatter.is_empty() {
        let text = "A point for each example. On the line, prediction and reference are equal.";
        let chart = scatter_chart(&examination.scatter);
        cards.push_str(&card("Predictions", text, &chart));
    }
    if let Some(reliability) = &examination.reliability {
        let text = format!(
            "How often predictions of a confidence are right. Below the line the model is too sure of itself, above it not \
             sure enough. Expected calibration error: <strong>{}</strong>.",
            number(reliability.expected_calibration_error)
        );
        cards.push_str(&card("Reliability", &text, &reliability_chart(reliability)));
    }
    cards
}

#[cfg(test)]
mod tests;
