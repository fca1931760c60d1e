//! Loss, learning rate, norm of the gradients, and figures over the evaluations.

use serde_json::Value;

use super::html::{card, legend};
use crate::chart::{Line, LineStyle, Scale, line_chart};
use crate::{LoggedEvaluation, Report, Step, TrainingRecord};

/// Points of a line; more cannot be told apart.
const POINTS: usize = 300;
/// Weight of the past in a smoothed loss.
const DECAY: f64 = 0.9;
/// Lines of one chart; more cannot be told apart.
const LINES: usize = 5;

pub(super) fn cards(report: &Report) -> String {
    let Some(record) = &report.record else {
        return String::new();
    };
    if record.steps.is_empty() {
        return String::new();
    }
    let mut cards = loss(record);
    cards.push_str(&metrics(record));
    let rate = series(record, |step| step.learning_rate);
    cards.push_str(&single(record, "Learning rate", "learning rate", rate));
    let norm = series(record, |step| step.grad_norm);
    cards.push_str(&single(record, "Norm of the gradients", "norm", norm));
    cards
}

/// The step's axis, as long as the run was meant to be.
fn steps(record: &TrainingRecord) -> Scale {
    let planned = record.start.as_ref().map_or(0, |start| start.total_steps);
    let done = record.steps.last().map_or(0, |step| step.step);
    Scale::counts("step", 0.0, planned.max(done) as f64)
}

/// A figure of the steps, averaged where there are more than a chart can show.
fn series(record: &TrainingRecord, figure: fn(&Step) -> Option<f64>) -> Vec<(f64, f64)> {
    let steps = record.steps.iter();
    let points: Vec<(f64, f64)> = steps
        .filter_map(|step| Some((step.step as f64, figure(step)?)))
        .collect();
    let size = points.len().div_ceil(POINTS).max(1);
    points.chunks(size).map(mean).collect()
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let count = points.len() as f64;
    (x / count, y / count)
}

/// Exponential moving average, corrected for its start at zero.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut sum, mut weight) = (0.0, 0.0);
    let smooth = |&(x, y): &(f64, f64)| {
        sum = DECAY * sum + (1.0 - DECAY) * y;
        weight = DECAY * weight + (1.0 - DECAY);
        (x, sum / weight)
    };
    points.iter().map(smooth).collect()
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines
        .iter()
        .flat_map(|line| line.points.iter().map(|(_, y)| *y))
}

fn loss(record: &TrainingRecord) -> String {
    let raw = series(record, |step| step.loss);
    let evaluated = figure(record, "loss");
    let line = |name: &str, color, style, points| Line {
        name: name.to_owned(),
        color,
        style,
        points,
    };
    let mut lines = vec![
        line("each step", 0, LineStyle::Faint, raw.clone()),
        line("training, smoothed", 0, LineStyle::Solid, smoothed(&raw)),
    ];
    if !evaluated.is_empty() {
        lines.push(line("evaluation", 1, LineStyle::Dotted, evaluated));
    }
    let y = Scale::around("loss", values(&lines));
    let chart = line_chart("Loss over the steps", &steps(record), &y, &lines);
    card("Loss", "", &format!("{chart}{}", legend_of(&lines[1..])))
}

/// The smoothed loss of a run.
pub(super) fn mean_loss(report: &Report) -> Vec<(f64, f64)> {
    let record = report.record.as_ref();
    record.map_or_else(Vec::new, |record| {
        smoothed(&series(record, |step| step.loss))
    })
}

/// A figure's name for people.
pub(super) fn metric_name(name: &str) -> String {
    name.replace('_', " ")
}

fn legend_of(lines: &[Line]) -> String {
    let names: Vec<(usize, String)> = lines
        .iter()
        .map(|line| (line.color, line.name.clone()))
        .collect();
    legend(&names)
}

/// A chart with one line.
fn single(record: &TrainingRecord, title: &str, name: &str, points: Vec<(f64, f64)>) -> String {
    if points.is_empty() {
        return String::new();
    }
    let lines = [Line {
        name: name.to_owned(),
        color: 0,
        style: LineStyle::Solid,
        points,
    }];
    let y = Scale::from_zero(name, values(&lines));
    card(title, "", &line_chart(title, &steps(record), &y, &lines))
}

/// The figures over the evaluations: shares in one chart, and what has another scale in others.
fn metrics(record: &TrainingRecord) -> String {
    if record.evaluations.len() < 2 {
        return String::new();
    }
    let (shares, others): (Vec<Line>, Vec<Line>) = metric_lines(record)
        .into_iter()
        .partition(|line| line.points.iter().all(|(_, value)| value.abs() <= 1.0));
    let (percents, others): (Vec<Line>, Vec<Line>) =
        others.into_iter().partition(|line| is_percent(&line.name));
    let mut cards = many(record, "Figures over the evaluations", shares);
    cards.push_str(&many(
        record,
        "Figures over the evaluations, in percent",
        percents,
    ));
    for line in others {
        let title = format!("{} over the evaluations", line.name);
        cards.push_str(&many(record, &title, vec![line]));
    }
    cards
}

/// Figures of SQuAD's scripts are percentages.
fn is_percent(name: &str) -> bool {
    ["exact", "exact match", "f1"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn many(record: &TrainingRecord, title: &str, mut lines: Vec<Line>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    lines.truncate(LINES);
    for (color, line) in lines.iter_mut().enumerate() {
        line.color = color;
    }
    let y = Scale::around(title, values(&lines));
    let chart = line_chart(title, &steps(record), &y, &lines);
    card(title, "", &format!("{chart}{}", legend_of(&lines)))
}

/// A line for each figure, the one that decides first. Counts, thresholds and the loss are none.
fn metric_lines(record: &TrainingRecord) -> Vec<Line> {
    let Some(last) = record.evaluations.last() else {
        return Vec::new();
    };
    let names = last.metrics.iter().filter(|(name, value)| {
        let has_chart = matches!(value, Value::Number(number) if number.is_f64());
        has_chart && *name != "loss" && !name.contains("thresh")
    });
    let mut names: Vec<&String> = names.map(|(name, _)| name).collect();
    names.sort_by_key(|name| **name != last.selected_by);
    let line = |name: &String| Line {
        name: metric_name(name),
        color: 0,
        style: LineStyle::Dotted,
        points: figure(record, name),
    };
    names.into_iter().map(line).collect()
}

/// A figure of each evaluation.
pub(super) fn figure(record: &TrainingRecord, name: &str) -> Vec<(f64, f64)> {
    let point = |one: &LoggedEvaluation| {
        let value = one.metrics.get(name)?.as_f64()?;
        Some((one.step as f64, value))
    };
    record.evaluations.iter().filter_map(point).collect()
}
