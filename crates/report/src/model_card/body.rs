//! The text of a card.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::ModelCard;
use crate::format::{count, number};

/// Everything below the header.
pub(super) fn of(card: &ModelCard) -> String {
    let mut text = format!("# {}\n\n{}\n", plain(&card.name), introduction(card));
    usage(&mut text, card);
    results(&mut text, card);
    data(&mut text, card);
    recipe(&mut text, card);
    text
}

/// A name of a user's in a line of Markdown.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn introduction(card: &ModelCard) -> String {
    let base = match &card.run.provenance.base_model {
        Some(name) => format!("[{name}](https://huggingface.co/{name})"),
        None => plain(last_part(&card.run.model)),
    };
    let what = match card.is_adapter {
        true => "An adapter for",
        false => "A fine-tuned",
    };
    format!(
        "{what} {base}, for {}. Trained with [bert-on-burn]({}).",
        card.used_for.task.replace('-', " "),
        env!("CARGO_PKG_REPOSITORY")
    )
}

/// The name of a model without the folders that it lies in.
fn last_part(model: &str) -> &str {
    let parts = model.rsplit(['/', '\\']);
    let mut named = parts.filter(|part| !part.is_empty());
    named.next().unwrap_or(model)
}

fn usage(text: &mut String, card: &ModelCard) {
    let _ = write!(
        text,
        "\n## How to use it\n\n`MODEL` is the directory of this file, or its name on the hub.\n\n\
         ```sh\necho '{}' | bert predict {} --model MODEL --input -\n```\n",
        card.used_for.input_line, card.used_for.task
    );
    if !card.is_adapter {
        let _ = write!(text, "\n```python\n{}\n```\n", card.used_for.python);
    }
}

fn results(text: &mut String, card: &ModelCard) {
    let Some((_, first)) = card.results.first() else {
        return;
    };
    text.push_str("\n## Results\n\n|");
    for (role, _) in &card.results {
        let _ = write!(text, " | {role}");
    }
    let columns = "---|".repeat(card.results.len());
    let _ = writeln!(text, " |\n|---|{columns}");
    let scalar = |metrics: &Map<String, Value>, name: &str| match metrics.get(name) {
        Some(Value::Number(one)) => one.as_f64().map(number).unwrap_or_default(),
        _ => String::new(),
    };
    let names = first.iter().filter(|(_, value)| value.is_number());
    for (name, _) in names {
        let _ = write!(text, "| {}", plain(&name.replace('_', " ")));
        for (_, metrics) in &card.results {
            let _ = write!(text, " | {}", scalar(metrics, name));
        }
        text.push_str(" |\n");
    }
}

fn data(text: &mut String, card: &ModelCard) {
    text.push_str("\n## Data\n\n| | files | examples |\n|---|---|---|\n");
    for part in &card.run.data {
        let mut files = part.file_names();
        if let Some(name) = &part.data_set {
            files = vec![name.clone()];
        }
        let files: Vec<String> = files.iter().map(|file| plain(file)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            part.role,
            files.join(", "),
            count(part.examples as u64)
        );
    }
}

fn recipe(text: &mut String, card: &ModelCard) {
    text.push_str("\n## Recipe\n\n| option | value |\n|---|---|\n");
    for (name, value) in &card.options {
        let value = match value {
            Value::Null => continue,
            Value::String(word) => plain(word),
            Value::Number(one) => one.as_f64().map(number).unwrap_or_default(),
            other => plain(&other.to_string()),
        };
        let _ = writeln!(text, "| {} | {value} |", plain(&name.replace('_', " ")));
    }
    let _ = writeln!(
        text,
        "| longest sequence | {} tokens |",
        card.run.max_length
    );
}
