//! The header of a card, as YAML. A string in JSON's notation is one in YAML's, so nothing that a name holds can break it.

use std::fmt::Write;

use super::ModelCard;
use super::results::figures;
use crate::DataPart;

/// The header without the lines of dashes.
pub(super) fn of(card: &ModelCard) -> String {
    let provenance = &card.run.provenance;
    let mut yaml = String::new();
    list(&mut yaml, "language", &provenance.languages);
    if let Some(license) = &provenance.license {
        entry(&mut yaml, "license", license);
    }
    let library = if card.is_adapter {
        "peft"
    } else {
        "transformers"
    };
    entry(&mut yaml, "library_name", library);
    if let Some(base_model) = &provenance.base_model {
        entry(&mut yaml, "base_model", base_model);
    }
    if let Some(tag) = card.used_for.pipeline_tag {
        entry(&mut yaml, "pipeline_tag", tag);
    }
    list(&mut yaml, "tags", &["bert-on-burn".to_owned()]);
    list(&mut yaml, "datasets", &data_sets(card));
    list(&mut yaml, "metrics", &metrics(card));
    model_index(&mut yaml, card);
    yaml
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn entry(yaml: &mut String, key: &str, value: &str) {
    let _ = writeln!(yaml, "{key}: {}", quoted(value));
}

fn list(yaml: &mut String, key: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(yaml, "{key}:");
    for value in values {
        let _ = writeln!(yaml, "- {}", quoted(value));
    }
}

/// Data sets that have a name. A file of the user's is none that the hub could know.
fn data_sets(card: &ModelCard) -> Vec<String> {
    let named = card.run.data.iter().flat_map(|part| part.data_set.clone());
    distinct(named)
}

fn metrics(card: &ModelCard) -> Vec<String> {
    let all = card
        .results
        .iter()
        .flat_map(|(_, metrics)| figures(metrics));
    distinct(all.map(|figure| figure.metric.to_owned()))
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// The results in the form of Papers with Code, which the hub shows beside a model.
fn model_index(yaml: &mut String, card: &ModelCard) {
    let results = card.results.iter();
    let results: Vec<_> = results
        .map(|(role, metrics)| (role, figures(metrics)))
        .filter(|(_, figures)| !figures.is_empty())
        .collect();
    let Some(task) = card.used_for.pipeline_tag else {
        return;
    };
    if results.is_empty() {
        return;
    }
    let _ = writeln!(
        yaml,
        "model-index:\n- name: {}\n  results:",
        quoted(&card.name)
    );
    for (role, figures) in results {
        let name = card.run.part(role).map_or_else(|| role.clone(), data_name);
        let _ = write!(
            yaml,
            "  - task:\n      type: {}\n    dataset:\n      name: {name}\n      type: {name}\n      split: {}\n    metrics:\n",
            quoted(task),
            quoted(if role == "eval" { "validation" } else { role }),
            name = quoted(&name),
        );
        for figure in figures {
            let _ = writeln!(
                yaml,
                "    - type: {}\n      name: {}\n      value: {}",
                quoted(figure.metric),
                quoted(&figure.name.replace('_', " ")),
                serde_json::Value::from(figure.value)
            );
        }
    }
}

/// The data set's name, or the names of its files without their folders.
fn data_name(part: &DataPart) -> String {
    match &part.data_set {
        Some(name) => name.clone(),
        None => part.file_names().join(", "),
    }
}
