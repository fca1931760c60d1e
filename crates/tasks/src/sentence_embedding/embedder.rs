use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bert_encoder::HeadKeys;
use bert_sentence_embedding::{
    DenseConfig, Pooling, SentenceEmbeddingModel, SentenceEncoder, Step,
};
use bert_weights::LoadReport;
use burn::tensor::Device;

use super::dense::{DenseSetup, VectorNames};
use super::directory::{Modules, StepKind};
use super::json::{read_optional, wrong};
use super::lengths::TextSettings;
use super::pooling::PoolingSettings;
use super::prompts::ModelSettings;
use crate::{DropoutOverride, HeadOrigin, Pretrained, TaskError};

/// An encoder without a head: its checkpoint has the base model's tensors.
const NO_HEAD: HeadKeys = HeadKeys {
    map: "",
    parts: &[],
    tied: &[],
};

/// Everything about a model of sentence embeddings but its weights.
///
/// What a caller wants otherwise than the model's directory has it is set after [`open`](Self::open): [`set_pooling`],
/// [`set_normalized`], [`set_prompt`], [`use_prompt`], [`set_truncate_dim`].
///
/// [`set_pooling`]: Self::set_pooling
/// [`set_normalized`]: Self::set_normalized
/// [`set_prompt`]: Self::set_prompt
/// [`use_prompt`]: Self::use_prompt
/// [`set_truncate_dim`]: Self::set_truncate_dim
#[derive(Debug, Clone)]
pub struct SentenceEmbedder {
    /// Encoder configuration, tokenizer and checkpoint.
    pub pretrained: Pretrained,
    /// Whether the directory is a plain encoder, without a `modules.json`. The pooling is then the mean of all tokens.
    pub is_plain_encoder: bool,
    /// Which comparison of vectors the model is trained for, such as `cosine`, if its directory says so.
    pub similarity: Option<String>,
    pub(super) pooling: Pooling,
    pub(super) include_prompt: bool,
    pub(super) prompt: String,
    pub(super) truncate_dim: Option<usize>,
    /// Whether vectors are normalised once more when they have been truncated.
    pub(super) normalize_at_last: bool,
    steps: Vec<StepSetup>,
    prompts: BTreeMap<String, String>,
}

/// What a model does with a pooled vector, before its weights are loaded.
#[derive(Debug, Clone)]
pub enum StepSetup {
    /// A dense layer.
    Dense(DenseFolder),
    /// Division by the Euclidean length.
    Normalize,
}

/// A dense layer in a folder of its own.
#[derive(Debug, Clone)]
pub struct DenseFolder(DenseSetup);

impl DenseFolder {
    /// Its sizes and its activation.
    pub fn config(&self) -> DenseConfig {
        self.0.config
    }
}

impl SentenceEmbedder {
    /// Opens a directory of sentence-transformers, or that of a plain encoder, whose tokens are then averaged. `max_length` is
    /// cut to what the model can take; without it, it is the directory's own (`max_seq_length`, else `model_max_length`).
    ///
    /// # Errors
    ///
    /// A file is missing or not of the expected form, or the model has a module that is not known; the message names it.
    pub fn open(dir: &Path, max_length: Option<usize>) -> Result<Self, TaskError> {
        if dir.is_file() {
            return Err(wrong(dir, "is a file; give the directory that it is in"));
        }
        let modules = Modules::read(dir)?;
        let folder = modules.as_ref().map_or(dir, |modules| &modules.transformer);
        let text = TextSettings::read(folder)?;
        let length = max_length.or(text.max_length);
        let mut pretrained = Pretrained::open(folder, length, DropoutOverride::default())?;
        if max_length.is_none() {
            // It is the directory that asks for too many.
            pretrained.asked_max_length = None;
        }
        if text.do_lower_case {
            pretrained.tokenizer = pretrained.tokenizer.lower_casing()?;
        }
        let (pooling, steps) = match &modules {
            Some(modules) => {
                let hidden_size = pretrained.encoder.hidden_size;
                let pooling = PoolingSettings::read(&modules.pooling, hidden_size)?;
                (pooling, open_steps(&modules.steps)?)
            }
            None => (PoolingSettings::plain(), Vec::new()),
        };
        let settings = ModelSettings::read(dir)?;
        let prompts = settings.prompts.into_iter();
        let mut embedder = Self {
            pretrained,
            is_plain_encoder: modules.is_none(),
            similarity: settings.similarity_fn_name,
            pooling: pooling.pooling,
            include_prompt: pooling.include_prompt,
            prompt: String::new(),
            truncate_dim: None,
            normalize_at_last: false,
            steps,
            prompts: prompts
                .map(|(name, text)| (name, text.unwrap_or_default()))
                .collect(),
        };
        embedder.check_widths()?;
        if let Some(name) = &settings.default_prompt_name {
            embedder.use_prompt(name)?;
        }
        if let Some(dimension) = settings.truncate_dim {
            embedder.set_truncate_dim(dimension)?;
        }
        Ok(embedder)
    }

    /// The pooling.
    pub fn pooling(&self) -> &Pooling {
        &self.pooling
    }

    /// What comes after pooling.
    pub fn steps(&self) -> &[StepSetup] {
        &self.steps
    }

    /// Whether the last thing that happens to a vector is that it gets length 1.
    pub fn is_normalized(&self) -> bool {
        let ends_normalized = matches!(self.steps.last(), Some(StepSetup::Normalize));
        self.normalize_at_last || (ends_normalized && self.truncate_dim.is_none())
    }

    /// What is put before each text; empty for nothing.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The texts that the model's directory has to put before a text, by their names.
    pub fn prompts(&self) -> &BTreeMap<String, String> {
        &self.prompts
    }

    /// Numbers of a vector.
    pub fn dimension(&self) -> usize {
        let whole = self.whole_dimension();
        self.truncate_dim
            .map_or(whole, |dimension| dimension.min(whole))
    }

    /// Numbers of a vector before it is truncated.
    fn whole_dimension(&self) -> usize {
        let pooled = self.pooling.dimension(self.pretrained.encoder.hidden_size);
        self.steps.iter().fold(pooled, |width, step| match step {
            StepSetup::Dense(dense) => dense.config().out_features,
            StepSetup::Normalize => width,
        })
    }

    /// Pools in another way than the directory says.
    ///
    /// # Errors
    ///
    /// A dense layer takes vectors of another width.
    pub fn set_pooling(&mut self, pooling: Pooling) -> Result<(), TaskError> {
        self.pooling = pooling;
        self.check_widths()
    }

    /// Gives every vector length 1 as the last thing that happens to it, or leaves out every normalisation that the directory
    /// has.
    pub fn set_normalized(&mut self, is_wanted: bool) {
        self.normalize_at_last = is_wanted;
        if !is_wanted {
            self.steps
                .retain(|step| !matches!(step, StepSetup::Normalize));
        }
    }

    /// Puts another text before each text than the directory says; an empty one is none.
    pub fn set_prompt(&mut self, prompt: impl Into<String>) {
        self.prompt = prompt.into();
    }

    /// Puts the text of this name before each text.
    ///
    /// # Errors
    ///
    /// The directory has no prompt of this name.
    pub fn use_prompt(&mut self, name: &str) -> Result<(), TaskError> {
        let Some(prompt) = self.prompts.get(name) else {
            let names: Vec<&str> = self.prompts.keys().map(String::as_str).collect();
            let there = match names.as_slice() {
                [] => "the model has no prompts".to_owned(),
                names => format!("its prompts are {}", names.join(", ")),
            };
            return Err(self
                .pretrained
                .unfit(format!("there is no prompt `{name}`; {there}")));
        };
        self.prompt.clone_from(prompt);
        Ok(())
    }

    /// Keeps the first numbers of each vector alone. Models that are trained for it (Matryoshka) lose little.
    ///
    /// # Errors
    ///
    /// There are not as many numbers, or none would be left.
    pub fn set_truncate_dim(&mut self, dimension: usize) -> Result<(), TaskError> {
        let whole = self.whole_dimension();
        if !(1..=whole).contains(&dimension) {
            let reason = format!("vectors of {whole} numbers cannot be truncated to {dimension}");
            return Err(self.pretrained.unfit(reason));
        }
        self.truncate_dim = Some(dimension);
        Ok(())
    }

    /// Loads the weights.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load(&self, device: &Device) -> Result<(SentenceEmbeddingModel, LoadReport), TaskError> {
        let mut encoder = self.pretrained.encoder.init(device)?;
        self.pretrained.pack_weights(&mut encoder, device);
        let model = SentenceEncoder { encoder };
        let (model, report) = self.pretrained.load(model, &NO_HEAD, HeadOrigin::New)?;
        let steps = self.steps.iter().map(|step| match step {
            StepSetup::Dense(dense) => Ok(Step::Dense(dense.0.load(device)?)),
            StepSetup::Normalize => Ok(Step::Normalize),
        });
        let model = SentenceEmbeddingModel {
            encoder: model.encoder,
            pooling: self.pooling.clone(),
            steps: steps.collect::<Result<_, TaskError>>()?,
        };
        Ok((model, report))
    }

    /// Whether each dense layer takes what comes before it.
    fn check_widths(&self) -> Result<(), TaskError> {
        let mut width = self.pooling.dimension(self.pretrained.encoder.hidden_size);
        for step in &self.steps {
            if let StepSetup::Dense(DenseFolder(dense)) = step {
                if dense.config.in_features != width {
                    return Err(dense.misfit(width));
                }
                width = dense.config.out_features;
            }
        }
        Ok(())
    }
}

fn open_steps(steps: &[(StepKind, PathBuf)]) -> Result<Vec<StepSetup>, TaskError> {
    let open = |(kind, folder): &(StepKind, PathBuf)| match kind {
        StepKind::Dense => Ok(StepSetup::Dense(DenseFolder(DenseSetup::open(folder)?))),
        StepKind::Normalize => {
            let file = folder.join(bert_weights::CONFIG_FILE);
            read_optional::<VectorNames>(&file)?
                .unwrap_or_default()
                .check(&file)?;
            Ok(StepSetup::Normalize)
        }
    };
    steps.iter().map(open).collect()
}
