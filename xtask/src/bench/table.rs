use anyhow::{Context, Result};
use serde_json::Value;

use super::Samples;
use super::rows::Row;

const HEADER: [&str; 7] = [
    "work",
    "ours ms",
    "best peer ms",
    "ratio",
    "must reach",
    "peak MiB ours / peer",
    "gemm share",
];
const NOTHING: &str = "–";

/// The medians of a side of a row.
struct Medians {
    milliseconds: f64,
    peak_mib: Option<f64>,
}

/// A Markdown table that lines up.
pub(crate) fn lines(rows: &[Row], samples: &[Samples]) -> Result<Vec<String>> {
    let mut cells = vec![HEADER.map(str::to_owned)];
    for (row, samples) in rows.iter().zip(samples) {
        cells.push(line(row, samples)?);
    }
    Ok(aligned(&cells))
}

fn line(row: &Row, samples: &Samples) -> Result<[String; 7]> {
    let ours = Medians::of(&samples.ours)?;
    let share = median(&samples.ours, "gemm_share");
    let best = best(samples)?;
    let ratio = best
        .as_ref()
        .map(|(_, peer)| ours.milliseconds / peer.milliseconds);
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    Ok([
        row.name(),
        milliseconds(ours.milliseconds),
        or_nothing(
            best.as_ref()
                .map(|(name, peer)| format!("{} ({name})", milliseconds(peer.milliseconds))),
        ),
        or_nothing(ratio.map(|ratio| format!("{ratio:.2}"))),
        match ratio {
            Some(ratio) if row.must_reach.is_reached(ratio) => {
                format!("{}: yes", row.must_reach.shown())
            }
            Some(_) => format!("{}: no", row.must_reach.shown()),
            None => row.must_reach.shown(),
        },
        format!(
            "{} / {}",
            mebibytes(ours.peak_mib),
            mebibytes(best.and_then(|(_, peer)| peer.peak_mib))
        ),
        or_nothing(share.map(|share| format!("{:.0} %", share * 100.0))),
    ])
}

/// The peer with the shortest time.
fn best(samples: &Samples) -> Result<Option<(&str, Medians)>> {
    let mut best: Option<(&str, Medians)> = None;
    for (name, figures) in &samples.peers {
        let medians = Medians::of(figures)?;
        let is_better = best
            .as_ref()
            .is_none_or(|(_, best)| medians.milliseconds < best.milliseconds);
        if is_better {
            best = Some((name, medians));
        }
    }
    Ok(best)
}

impl Medians {
    fn of(rounds: &[Value]) -> Result<Self> {
        Ok(Self {
            milliseconds: median(rounds, "median_ms").context("figures without `median_ms`")?,
            peak_mib: median(rounds, "peak_rss_mib"),
        })
    }
}

/// The median of a figure over the rounds; `None` where a round does not have it.
fn median(rounds: &[Value], figure: &str) -> Option<f64> {
    let values: Option<Vec<f64>> = rounds.iter().map(|round| round[figure].as_f64()).collect();
    let mut values = values.filter(|values| !values.is_empty())?;
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    Some(if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    })
}

fn milliseconds(value: f64) -> String {
    let decimals = if value < 100.0 { 1 } else { 0 };
    format!("{value:.decimals$}")
}

fn mebibytes(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.0}"))
}

fn aligned(cells: &[[String; 7]]) -> Vec<String> {
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let row = |row: &[String; 7]| {
        let padded: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("| {} |", padded.join(" | "))
    };
    let mut lines: Vec<String> = cells.iter().map(row).collect();
    let rules = widths.map(|width| "-".repeat(width + 2));
    lines.insert(1, format!("|{}|", rules.join("|")));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::rows::ROWS;
    use super::*;
    use serde_json::json;

    fn ours(milliseconds: f64) -> Value {
        json!({ "median_ms": milliseconds, "peak_rss_mib": 512.4, "gemm_share": 0.654 })
    }

    fn peer(milliseconds: f64) -> Value {
        json!({ "median_ms": milliseconds, "peak_rss_mib": 1024.0 })
    }

    #[test]
    fn a_row_compares_medians_with_those_of_the_fastest_peer() {
        let samples = Samples {
            ours: vec![ours(500.0), ours(900.0), ours(400.0)],
            peers: [
                ("eager".to_owned(), vec![peer(1300.0), peer(1200.0)]),
                ("sdpa".to_owned(), vec![peer(900.0), peer(1100.0)]),
            ]
            .into(),
        };
        assert_eq!(
            line(&ROWS[0], &samples).expect("complete"),
            [
                "train-step minilm 16 × 128, flex, f32",
                "500",
                "1000 (sdpa)",
                "0.50",
                "≤ 0.50: yes",
                "512 / 1024",
                "65 %"
            ]
        );
    }

    #[test]
    fn without_a_peer_nothing_is_claimed() {
        let samples = Samples {
            ours: vec![ours(12.34)],
            ..Samples::default()
        };
        let cells = line(&ROWS[0], &samples).expect("complete");
        assert_eq!(cells[1..6], ["12.3", "–", "–", "≤ 0.50", "512 / –"]);
    }

    #[test]
    fn figures_without_a_time_are_an_error() {
        let samples = Samples {
            ours: vec![json!({})],
            ..Samples::default()
        };
        assert!(line(&ROWS[0], &samples).is_err());
    }

    #[test]
    fn columns_line_up() {
        let samples: Vec<Samples> = [1.0, 1000.0]
            .map(|time| Samples {
                ours: vec![ours(time)],
                ..Samples::default()
            })
            .into();
        let lines = lines(&ROWS, &samples).expect("complete");
        assert_eq!(lines.len(), 4);
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
    }
}
