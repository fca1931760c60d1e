//! The lengths of the data, and its files.

use super::html::{bdi, card, escape, table};
use crate::chart::{Bars, Scale, bar_chart};
use crate::format::{count, number};
use crate::{DataPart, Histogram, Report};

pub(super) fn cards(report: &Report) -> String {
    let Some(run) = &report.run else {
        return String::new();
    };
    let mut cards = String::new();
    for part in &run.data {
        if let Some(lengths) = &part.lengths
            && part.examples > 0
        {
            cards.push_str(&histogram(part, lengths, run.max_length));
        }
    }
    let rows: Vec<Vec<String>> = run
        .data
        .iter()
        .map(|part| {
            let files: Vec<String> = part.files.iter().map(|file| bdi(file)).collect();
            vec![
                escape(title(&part.role)),
                files.join("<br>"),
                count(part.examples as u64),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let header = ["data", "files", "examples"];
        cards.push_str(&card("Files", "", &table(&header, &rows, false)));
    }
    cards
}

fn title(role: &str) -> &str {
    match role {
        "train" => "Training",
        "eval" => "Evaluation",
        "test" => "Test",
        other => other,
    }
}

fn histogram(part: &DataPart, lengths: &Histogram, max_length: usize) -> String {
    let width = lengths.width as f64;
    let bars = lengths.counts.iter().enumerate();
    let bars = bars.map(|(index, &examples)| {
        let (left, right) = (index * lengths.width, (index + 1) * lengths.width);
        let title = match lengths.width {
            1 => format!("{left} tokens: {}", count(examples)),
            _ => format!("{left} to {} tokens: {}", right - 1, count(examples)),
        };
        (left as f64, right as f64, examples as f64, title)
    });
    let series = [Bars {
        color: 0,
        bars: bars.collect(),
    }];
    let highest = lengths.counts.iter().copied().max().unwrap_or(0) as f64;
    let x = Scale::counts("tokens", 0.0, lengths.counts.len() as f64 * width);
    let y = Scale::from_zero("examples", [highest.max(1.0)]);
    let title = format!("Lengths of the {} data", title(&part.role).to_lowercase());
    let about = format!(
        "{} examples of {} tokens on average, the longest of {}. At most {} fit.",
        count(part.examples as u64),
        number((lengths.mean * 10.0).round() / 10.0),
        count(lengths.longest as u64),
        count(max_length as u64)
    );
    card(&title, &about, &bar_chart(&title, &x, &y, &series))
}
