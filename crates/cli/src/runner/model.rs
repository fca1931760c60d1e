//! The model of a task: opened from a directory, described, loaded onto a device.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use bert_tasks::{EVALUATION_BATCH_SIZE, HeadOrigin, Pretrained, RunOptions, TaskError};
use bert_weights::LoadReport;
use burn::tensor::Device;
use clap::Args;

use crate::describe;
use crate::flags::{RuntimeFlags, Weights, at_least_one, integer};
use crate::model_source::ModelSource;

/// A model that has been opened for a task: everything but its weights.
pub(crate) trait TaskModel {
    /// The module that holds the weights.
    type Network;

    fn pretrained(&mut self) -> &mut Pretrained;

    /// Layers, width, and what the head predicts.
    fn describe(&self) -> String;

    /// Where the head comes from and how many outputs it has; `None` where a user has no choice of heads.
    fn describe_head(&self, _origin: HeadOrigin) -> Option<String> {
        None
    }

    /// Loads the weights. A new head draws its weights from the device's seed.
    fn load(
        &self,
        head: HeadOrigin,
        device: &Device,
    ) -> Result<(Self::Network, LoadReport), TaskError>;
}

/// Says on standard error what a user should know about the files of a model and the length of its sequences.
pub(crate) fn print_files(model: &Pretrained) {
    for (kind, message) in describe::files(model.checkpoint()) {
        say!("{kind:<7} {message}");
    }
    if let Some(asked) = model.asked_max_length {
        say!(
            "note    the model takes {} tokens at most, not the {asked} of --max-length",
            model.max_length
        );
    }
}

/// Says on standard error which tensors were left out because they belong to nothing.
pub(crate) fn print_unknown_tensors(report: &LoadReport) {
    if let Some(message) = describe::unknown_tensors(report) {
        say!("warning {message}");
    }
}

/// A trained model with its weights on a device.
pub(crate) struct Loaded<M: TaskModel> {
    pub(crate) model: M,
    pub(crate) network: M::Network,
    device: Device,
    batch_size: NonZeroUsize,
}

impl<M: TaskModel> Loaded<M> {
    /// How the model runs over data. `progress` is called with the share that is done.
    pub(crate) fn run<'a>(&'a self, progress: &'a mut dyn FnMut(f64)) -> RunOptions<'a> {
        RunOptions {
            batch_size: self.batch_size,
            device: &self.device,
            progress,
            peers: None,
        }
    }
}

/// What `bert evaluate` and `bert predict` have in common. `F` holds the files that they read and write.
#[derive(Debug, Args)]
pub(crate) struct InferenceFlags<F: Args> {
    /// Model trained for this task, by us or with transformers: a checkpoint directory, a name that `bert models` lists, or a
    /// model of the hub (OWNER/NAME, or OWNER/NAME@REVISION)
    #[arg(long, value_name = "DIR|NAME")]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) files: F,
    /// Longest sequence in tokens; by default the longest that the model takes, or model_max_length of
    /// tokenizer_config.json where that is less, so that nothing is cut without need.
    /// Question answering cuts nothing: it reads windows, of 384 tokens by default as in training. To get the figures of
    /// a training run, give its --max-length
    #[arg(long, value_name = "TOKENS", value_parser = integer)]
    max_length: Option<usize>,
    /// Rows of one forward pass; 64: larger ones are no faster on a CPU. The results do not depend on it
    #[arg(long, value_name = "N", default_value_t = EVALUATION_BATCH_SIZE, value_parser = at_least_one)]
    pub(crate) batch_size: NonZeroUsize,
    /// Precision in which flex and ndarray multiply the encoder's layers; f32: as the weights are; bf16: weights and
    /// activations are rounded to bfloat16; int8: weights are quantised per output and activations per token. bf16 and
    /// int8 are faster where the processor has AVX-512 BF16 or VNNI. Beside the weights themselves they need a half and
    /// a quarter of the memory that f32 needs
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    weights: Weights,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) runtime: RuntimeFlags,
}

impl<F: Args> InferenceFlags<F> {
    /// Resolves `--model`, before anything is read or computed.
    pub(crate) fn find_model(&self) -> Result<ModelSource> {
        ModelSource::find("--model", &self.model)
    }

    /// Fetches the model if need be, opens it with `open` from its directory and `--max-length`, and says what it is.
    pub(crate) fn open<M: TaskModel>(
        &self,
        source: &ModelSource,
        open: impl FnOnce(&Path, Option<usize>) -> Result<M, TaskError>,
    ) -> Result<M> {
        let mut model = open(&source.directory(self.offline)?, self.max_length)?;
        model.pretrained().weights = self.weights.format();
        say!("model   {}: {}", self.model, model.describe());
        print_files(model.pretrained());
        Ok(model)
    }

    /// Loads the weights of a trained model, its head included.
    pub(crate) fn load<M: TaskModel>(&self, model: M, device: Device) -> Result<Loaded<M>> {
        let (network, report) = model.load(HeadOrigin::Checkpoint, &device)?;
        print_unknown_tensors(&report);
        Ok(Loaded {
            model,
            network,
            device,
            batch_size: self.batch_size,
        })
    }
}
