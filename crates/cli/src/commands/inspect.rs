//! `bert inspect`

use std::path::Path;

use anyhow::Result;
use bert_weights::{
    CONFIG_FILE, Checkpoint, CheckpointSummary, TensorInfo, read_tensors, summary_of,
};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::describe;
use crate::format::{bytes, count, counted, magnitude};
use crate::model_source::ModelSource;
use crate::results::Results;
use crate::table::Table;

/// The keys of `config.json` that the table shows, in this order.
const CONFIG_KEYS: [&str; 16] = [
    "architectures",
    "model_type",
    "num_hidden_layers",
    "hidden_size",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "layer_norm_eps",
    "problem_type",
    "id2label",
];

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A name that `bert models` lists, a model of the hub (OWNER/NAME, or OWNER/NAME@REVISION), a checkpoint directory, or
    /// one file of weights (.safetensors, .bin)
    #[arg(value_name = "NAME|DIR|FILE")]
    model: String,
    /// Print one JSON object, with the whole configuration, instead of tables
    #[arg(long)]
    json: bool,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
}

struct Contents {
    config: Option<Map<String, Value>>,
    tensors: Vec<TensorInfo>,
    summary: CheckpointSummary,
}

pub(crate) fn run(args: &InspectArgs) -> Result<()> {
    let path = ModelSource::find("model", &args.model)?.directory(args.offline)?;
    let contents = read(&path)?;
    if let Some(pickled) = contents.tensors.iter().find(|tensor| tensor.is_pickled()) {
        say!("note    {}", describe::pickled(&pickled.file));
    }
    let mut results = Results::new();
    if args.json {
        results.json(&as_json(&path, &contents))?;
    } else {
        for line in as_text(&contents) {
            results.line(&line)?;
        }
    }
    results.flush()
}

/// A weights file needs no `config.json` beside it; a directory does.
fn read(path: &Path) -> Result<Contents> {
    let has_no_config = path.is_file() && !path.with_file_name(CONFIG_FILE).exists();
    let (config, tensors) = if has_no_config {
        (None, read_tensors(path)?)
    } else {
        let checkpoint = Checkpoint::open(path)?;
        (
            Some(checkpoint.config().clone()),
            checkpoint.tensors().to_vec(),
        )
    };
    Ok(Contents {
        summary: summary_of(&tensors),
        config,
        tensors,
    })
}

fn as_json(path: &Path, contents: &Contents) -> Value {
    let tensors: Vec<Value> = contents
        .tensors
        .iter()
        .map(|tensor| {
            json!({
                "name": tensor.name,
                "dtype": tensor.dtype.to_string(),
                "shape": tensor.shape,
                "file": tensor.file,
            })
        })
        .collect();
    let summary = &contents.summary;
    let dtypes: Map<String, Value> = summary
        .dtypes
        .iter()
        .map(|share| {
            let figures = json!({ "tensors": share.tensors, "parameters": share.parameters, "bytes": share.bytes });
            (share.dtype.to_string(), figures)
        })
        .collect();
    json!({
        "path": path,
        "config": contents.config,
        "tensors": tensors,
        "total": {
            "tensors": summary.tensors,
            "parameters": summary.parameters,
            "bytes": summary.bytes,
            "dtypes": dtypes,
        },
    })
}

fn as_text(contents: &Contents) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(config) = &contents.config {
        lines.extend(config_table(config).lines());
        lines.push(String::new());
    }
    lines.extend(tensor_table(&contents.tensors).lines());
    lines.push(String::new());
    lines.push(total_line(&contents.summary));
    lines
}

fn config_table(config: &Map<String, Value>) -> Table {
    let mut table = Table::new(&["CONFIG", "VALUE"]);
    for key in CONFIG_KEYS {
        if let Some(value) = config.get(key).filter(|value| !value.is_null()) {
            table.push(vec![key.to_owned(), plain(value)]);
        }
    }
    table
}

/// A JSON value without the quotes and brackets.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, value)| format!("{key}: {}", plain(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        value => value.to_string(),
    }
}

fn tensor_table(tensors: &[TensorInfo]) -> Table {
    let mut table = Table::new(&["TENSOR", "DTYPE", "SHAPE"]);
    for tensor in tensors {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        table.push(vec![
            tensor.name.clone(),
            tensor.dtype.to_string(),
            format!("[{}]", shape.join(", ")),
        ]);
    }
    table
}

pub(super) fn total_line(summary: &CheckpointSummary) -> String {
    let dtypes: Vec<String> = summary
        .dtypes
        .iter()
        .map(|share| share.dtype.to_string())
        .collect();
    format!(
        "{}, {} parameters ({}), {} of {}",
        counted(summary.tensors, "tensor"),
        count(summary.parameters as usize),
        magnitude(summary.parameters as f64),
        bytes(summary.bytes),
        dtypes.join(" and ")
    )
}
