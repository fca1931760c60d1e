//! What a run leaves beside its model for people: `run.json`, and the model card.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_hub::{Kind, Manifest, Source};
use bert_report::{DataPart, Environment, Histogram, ModelCard, Provenance, RunFile, UsedFor};
use bert_tasks::{Metrics, Task};
use bert_train::{EvaluationReport, Observer, Plan, TrainError};
use serde_json::{Map, Value, json};

use super::TaskModel;
use super::train::{FineTuneFlags, Splits};
use crate::model_source::ModelSource;

/// Writes `run.json` when the run starts, and the card whenever an evaluation is the best so far and at the end.
pub(crate) struct RunRecord {
    dir: PathBuf,
    used_for: UsedFor,
    run: RunFile,
    options: Map<String, Value>,
    results: Vec<(String, Metrics)>,
}

impl RunRecord {
    /// `words` are the flags as the command line has them, with the names of data sets.
    pub(crate) fn new<T: Task + TaskModel>(
        used_for: UsedFor,
        words: &FineTuneFlags,
        (source, checkpoint): (&ModelSource, &Path),
        (task, splits): (&mut T, &Splits<T::Split>),
        dir: &Path,
    ) -> Self {
        let run = RunFile {
            task: used_for.task.to_owned(),
            model: words.model.clone(),
            provenance: provenance(source, checkpoint),
            description: task.describe(),
            max_length: task.pretrained().max_length,
            data: data(task, words, splits),
            command: command(),
            environment: Environment::of_this_machine(
                &words.device(),
                rayon::current_num_threads(),
            ),
        };
        Self {
            dir: dir.to_owned(),
            used_for,
            run,
            options: Map::new(),
            results: Vec::new(),
        }
    }

    /// The run is over: the card gets the figures of the test data.
    pub(crate) fn finish(mut self, test: Option<&Metrics>) -> Result<()> {
        if let Some(metrics) = test {
            self.results.push(("test".to_owned(), metrics.clone()));
        }
        if !self.write_card()? {
            say!(
                "note    {}: left as it is, because `bert train` did not write it",
                self.dir.join(ModelCard::FILE).display()
            );
        }
        Ok(())
    }

    fn write_card(&self) -> Result<bool, TrainError> {
        let name = self.dir.canonicalize().unwrap_or_else(|_| self.dir.clone());
        let name = name.file_name().map(|name| name.to_string_lossy());
        let card = ModelCard {
            name: name.map_or_else(|| "model".to_owned(), |name| name.into_owned()),
            used_for: self.used_for,
            run: self.run.clone(),
            options: self.options.clone(),
            results: self.results.clone(),
            is_adapter: self.dir.join("adapter_config.json").exists(),
        };
        Ok(card.write(&self.dir)?)
    }
}

impl Observer for RunRecord {
    fn started(&mut self, plan: &Plan<'_>) -> Result<(), TrainError> {
        if let Value::Object(options) = json!(plan.options) {
            self.options = options;
        }
        Ok(self.run.write(&self.dir)?)
    }

    fn resumed(&mut self, plan: &Plan<'_>, states: &Map<String, Value>) -> Result<(), TrainError> {
        let results = states.get(ModelCard::FILE).cloned();
        let results = results.map(serde_json::from_value).and_then(Result::ok);
        self.results = results.unwrap_or_default();
        self.started(plan)
    }

    fn save_state(&mut self, states: &mut Map<String, Value>) -> Result<(), TrainError> {
        states.insert(ModelCard::FILE.to_owned(), json!(self.results));
        Ok(())
    }

    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        if report.is_best {
            self.results = vec![("eval".to_owned(), report.evaluation.metrics.clone())];
            self.write_card()?;
        }
        Ok(())
    }
}

/// The arguments as the user gave them.
fn command() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("bert".to_owned())
        .chain(arguments)
        .collect()
}

/// The files and rows of each split.
fn data<T: Task>(task: &T, words: &FineTuneFlags, splits: &Splits<T::Split>) -> Vec<DataPart> {
    let parts = [
        ("train", &words.train, Some(&splits.train)),
        ("eval", &words.eval, splits.eval.as_ref()),
        ("test", &words.test, splits.test.as_ref()),
    ];
    let there = parts
        .into_iter()
        .filter_map(|(role, words, split)| Some((role, words, split?)));
    there
        .map(|(role, words, split)| {
            let lengths = task.lengths(split);
            DataPart {
                role: role.to_owned(),
                files: words
                    .iter()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect(),
                data_set: words.first().and_then(|word| data_set(word)),
                examples: lengths.len(),
                lengths: Some(Histogram::of(&lengths)),
            }
        })
        .collect()
}

/// The data set of the manifest that a word names.
fn data_set(word: &Path) -> Option<String> {
    let name = word.to_str().filter(|_| !word.exists())?;
    let name = name.split_once('/').map_or(name, |(name, _)| name);
    let manifest = Manifest::builtin().ok()?;
    let entry = manifest.entry(name).ok()?;
    (entry.kind == Kind::Dataset).then(|| entry.name.clone())
}

/// What is known about the model that training starts from: by the manifest, by its name on the hub, by its own card.
fn provenance(source: &ModelSource, checkpoint: &Path) -> Provenance {
    let of_card = Provenance::of_card(checkpoint);
    match source {
        ModelSource::Path(_) => of_card,
        ModelSource::Hub(_, name) => Provenance {
            base_model: Some(name.repo().to_owned()),
            ..of_card
        },
        ModelSource::Named(name) => of_manifest(name).map_or(of_card.clone(), |entry| Provenance {
            languages: of_card.languages,
            ..entry
        }),
    }
}

fn of_manifest(name: &str) -> Option<Provenance> {
    let manifest = Manifest::builtin().ok()?;
    let entry = manifest.entry(name).ok()?;
    let repo = entry.sources.iter().find_map(|source| match source {
        Source::Hub(hub) => Some(hub.repo.clone()),
        _ => None,
    });
    Some(Provenance {
        base_model: repo,
        license: Provenance::hub_license(&entry.licence),
        languages: Vec::new(),
    })
}
