//! What the page begins and ends with.

use super::html::escape;
use crate::Report;
use crate::format::{count, date, duration, number};

pub(super) fn title(report: &Report) -> String {
    let task = report.run.as_ref().map(|run| run.task.as_str());
    let task = task.filter(|task| !task.is_empty()).unwrap_or("training");
    format!("{} · {}", escape(task), escape(&name(report)))
}

/// The last part of the directory's path.
pub(super) fn name(report: &Report) -> String {
    let path = report.path.canonicalize();
    let path = path.as_deref().unwrap_or(&report.path);
    let name = path.file_name();
    name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

pub(super) fn header(report: &Report) -> String {
    let mut lines = String::new();
    if let Some(run) = &report.run {
        let started = match run.environment.started {
            0 => String::new(),
            seconds => format!(" · {}", date(seconds)),
        };
        lines = format!(
            "<p>{} on <bdi>{}</bdi>{started}</p>",
            escape(&run.task),
            escape(&run.model)
        );
    }
    format!(
        "<header>\n<h1>{}</h1>\n{lines}</header>",
        escape(&name(report))
    )
}

pub(super) fn footer(report: &Report) -> String {
    let version = report.record.as_ref().and_then(|record| {
        let start = record.start.as_ref()?;
        Some(format!(" by version {}", escape(&start.version)))
    });
    format!(
        "<footer><p>Written by <code>bert report</code> from the files of a run{}.</p></footer>",
        version.unwrap_or_default()
    )
}

pub(super) fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let notes: String = notes
        .iter()
        .map(|note| format!("<li>{}</li>", escape(note)))
        .collect();
    format!("<ul class=\"notes\">{notes}</ul>\n")
}

/// The few figures that a reader looks for first.
pub(super) fn tiles(report: &Report) -> String {
    let mut tiles: Vec<(String, String)> = best(report).into_iter().collect();
    if let Some(record) = &report.record {
        let mut add = |name: &str, value: String| tiles.push((name.to_owned(), value));
        if let Some(last) = record.steps.last() {
            add("steps", count(last.step as u64));
        }
        if let Some(start) = &record.start {
            add("training examples", count(start.examples as u64));
            let share = match start.trainable_parameters {
                trained if trained == start.parameters => count(trained as u64),
                trained => format!(
                    "{} <small>of {}</small>",
                    count(trained as u64),
                    count(start.parameters as u64)
                ),
            };
            add("trained parameters", share);
        }
        let seconds = record.training_seconds();
        if seconds > 0.0 {
            add("time of the steps", duration(seconds));
            let speed = record.tokens() as f64 / seconds;
            add("tokens a second", count(speed as u64));
        }
    }
    let tiles: String = tiles
        .iter()
        .map(|(name, value)| format!("<div><dt>{}</dt><dd>{value}</dd></div>", escape(name)))
        .collect();
    if tiles.is_empty() {
        return tiles;
    }
    format!("<dl class=\"tiles\">{tiles}</dl>\n")
}

/// The figure that decides which checkpoint is best, and its value.
fn best(report: &Report) -> Option<(String, String)> {
    let (name, metrics) = match (&report.evaluation, &report.record) {
        (Some(evaluation), _) => (&evaluation.selected_by, &evaluation.metrics),
        (None, Some(record)) => {
            let best = record.best()?;
            (&best.selected_by, &best.metrics)
        }
        (None, None) => return None,
    };
    let value = metrics.get(name)?.as_f64()?;
    Some((name.replace('_', " "), number(value)))
}
