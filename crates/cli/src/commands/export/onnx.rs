//! `--to onnx` and `--to onnx-int8`.

use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bert_onnx::{Head, OnnxModel, Precision};
use bert_tasks::{DropoutOverride, Pretrained};
use bert_weights::{CONFIG_FILE, Staging};

use super::ExportArgs;
use super::head::{graph, stated_head};
use crate::commands::checkpoint_files::Files;
use crate::format::bytes;

/// The folder of ONNX models in a directory that transformers, optimum and transformers.js open.
const FOLDER: &str = "onnx";
/// What lies beside the encoder of a model of sentence embeddings.
const MODULES_FILE: &str = "modules.json";

impl ExportArgs {
    pub(super) fn write_onnx(&self, directory: &Path, precision: Precision) -> Result<()> {
        if !directory.is_dir() {
            bail!(
                "{}: is a file; give the directory that it is in",
                directory.display()
            );
        }
        let model = graph(directory, self.head(directory)?, precision)?;
        let files = Files::of(directory)?;
        let name = match precision {
            Precision::Float32 => "model.onnx",
            Precision::Int8 => "model_quantized.onnx",
        };
        let names = Written::new(name, self.external_data || model.needs_external_data());
        self.stage(directory, &files, &model, &names)?;
        files.note_left();
        let [inputs, outputs] = model.names().map(|names| names.join(", "));
        say!(
            "wrote   {}: {}, {inputs} → {outputs}",
            names.model,
            bytes(model.byte_len())
        );
        Ok(())
    }

    fn head(&self, directory: &Path) -> Result<Head> {
        if let Some(task) = self.task {
            return Ok(task.head());
        }
        if directory.join(MODULES_FILE).exists() {
            return Ok(Head::None);
        }
        stated_head(&Pretrained::open(
            directory,
            None,
            DropoutOverride::default(),
        )?)
    }

    fn stage(
        &self,
        directory: &Path,
        files: &Files,
        model: &OnnxModel,
        names: &Written,
    ) -> Result<()> {
        let copied = [CONFIG_FILE.to_owned()]
            .into_iter()
            .chain(files.copied.iter().cloned());
        let copied: Vec<String> = copied.collect();
        let written = [&names.model].into_iter().chain(&names.data).cloned();
        let staging = Staging::begin(
            &self.output,
            copied.iter().cloned().chain(written).collect(),
        )?;
        for name in &copied {
            staging.copy(&directory.join(name), name)?;
        }
        let unwritable = || {
            format!(
                "{}: cannot be written",
                self.output.join(&names.model).display()
            )
        };
        let create = |name: &str| {
            staging
                .create(name)
                .map(BufWriter::new)
                .with_context(unwritable)
        };
        let file = create(&names.model)?;
        let done = match &names.data {
            Some(data) => model.write_with_external_data(file, create(data)?, &names.data_name),
            None => model.write(file),
        };
        done.with_context(unwritable)?;
        Ok(staging.commit()?)
    }
}

/// The files of a model, within the output directory.
struct Written {
    model: String,
    data: Option<String>,
    /// What the model calls the file of its weights.
    data_name: String,
}

impl Written {
    fn new(name: &str, has_external_data: bool) -> Self {
        let data_name = format!("{name}_data");
        Self {
            model: format!("{FOLDER}/{name}"),
            data: has_external_data.then(|| format!("{FOLDER}/{data_name}")),
            data_name,
        }
    }
}
