//! How to do it again: options, command, machine.

use serde_json::{Map, Value};

use super::html::{bdi, card, escape, table, wide_card};
use crate::format::{count, date, number};
use crate::{Environment, Report, RunFile, Start};

pub(super) fn cards(report: &Report) -> String {
    let mut cards = String::new();
    let start = report.record.as_ref().and_then(|one| one.start.as_ref());
    if let Some(start) = start {
        cards.push_str(&options(start));
    }
    if let Some(run) = &report.run {
        cards.push_str(&model(run, start));
        cards.push_str(&environment(&run.environment));
        if !run.command.is_empty() {
            let command = format!("<pre>{}</pre>", escape(&run.command.join(" ")));
            cards.push_str(&wide_card("Command", "", &command));
        }
    }
    cards
}

fn options(start: &Start) -> String {
    let rows = flat_options(start).into_iter();
    let rows: Vec<Vec<String>> = rows
        .map(|(name, value)| vec![escape(&name), escape(&value)])
        .collect();
    card("Options", "", &table(&[], &rows, false))
}

/// Every option's name and value, as text; a value within another has both names.
pub(super) fn flat_options(start: &Start) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    flatten("", &start.options, &mut flat);
    flat
}

fn flatten(prefix: &str, options: &Map<String, Value>, flat: &mut Vec<(String, String)>) {
    for (name, value) in options {
        let name = format!("{prefix}{}", name.replace('_', " "));
        match value {
            Value::Object(inner) => flatten(&format!("{name}, "), inner, flat),
            value => flat.push((name, shown(value))),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(one) => match (one.as_u64(), one.as_f64()) {
            (Some(whole), _) => count(whole),
            (None, Some(value)) => number(value),
            (None, None) => one.to_string(),
        },
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            values.join(", ")
        }
        Value::Object(_) => value.to_string(),
    }
}

/// Rows of a name and a text of the user's; those without a text are left out.
fn texts(rows: &[(&str, String)]) -> Vec<Vec<String>> {
    let there = rows.iter().filter(|(_, text)| !text.is_empty());
    there
        .map(|(name, text)| vec![escape(name), bdi(text)])
        .collect()
}

fn model(run: &RunFile, start: Option<&Start>) -> String {
    let steps = start.map_or_else(String::new, |start| {
        format!(
            "{}, {} an epoch, {} to warm up",
            count(start.total_steps as u64),
            count(start.steps_per_epoch as u64),
            count(start.warmup_steps as u64)
        )
    });
    let rows = texts(&[
        ("task", run.task.clone()),
        ("base model", run.model.clone()),
        (
            "on the hub",
            run.provenance.base_model.clone().unwrap_or_default(),
        ),
        (
            "licence",
            run.provenance.license.clone().unwrap_or_default(),
        ),
        ("architecture", run.description.clone()),
        (
            "longest sequence",
            format!("{} tokens", count(run.max_length as u64)),
        ),
        ("steps", steps),
    ]);
    card("Model", "", &table(&[], &rows, false))
}

fn environment(environment: &Environment) -> String {
    let started = match environment.started {
        0 => String::new(),
        seconds => date(seconds),
    };
    let system = [environment.os.as_str(), environment.arch.as_str()];
    let rows = texts(&[
        ("version", environment.version.clone()),
        ("device", environment.device.clone()),
        ("threads", environment.threads.to_string()),
        ("processor", environment.processor.clone()),
        ("system", system.join(" ").trim().to_owned()),
        ("started", started),
    ]);
    card("Environment", "", &table(&[], &rows, false))
}
