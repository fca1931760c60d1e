//! What every task needs of a checkpoint: encoder configuration, tokenizer, weights, export.

use std::path::Path;

use bert_encoder::{
    Encoder, EncoderConfig, EncoderPart, HeadKeys, HeadPart, ModelType, WeightFormat,
};
use bert_text::{Encoding, LabelSet, Tokenizer};
use bert_weights::{
    CONFIG_FILE, Checkpoint, Export, KeyMap, KeyMapError, LoadOptions, LoadReport, read_config,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use serde_json::{Map, Value};

use crate::adapters::{Adapter, FreshAdapter, is_adapter};
use crate::label_names::label_names;
use crate::{MaxLength, TaskError, family_keys};

/// The module path of a head's pooler.
pub(crate) const POOLER: &str = "pooler";

/// Dropout probabilities that replace those of a checkpoint's configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DropoutOverride {
    /// Every dropout but that of attention; see [`EncoderConfig::with_hidden_dropout`].
    pub hidden: Option<f64>,
    /// `attention_probs_dropout_prob`.
    pub attention: Option<f64>,
}

impl DropoutOverride {
    /// One probability for both kinds; `None` leaves both to the checkpoint.
    pub fn both(probability: Option<f64>) -> Self {
        Self {
            hidden: probability,
            attention: probability,
        }
    }

    fn apply(self, encoder: EncoderConfig) -> EncoderConfig {
        let mut encoder = match self.hidden {
            Some(probability) => encoder.with_hidden_dropout(probability),
            None => encoder,
        };
        if let Some(probability) = self.attention {
            encoder.attention_probs_dropout_prob = probability;
        }
        encoder
    }
}

/// Where a head comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadOrigin {
    /// The checkpoint has a head for this task and these labels, which is kept.
    Checkpoint,
    /// The head is new.
    New,
}

impl HeadOrigin {
    /// The checkpoint's head if it fits, else a new one.
    pub(crate) fn checkpoint_if(fits: bool) -> Self {
        if fits { Self::Checkpoint } else { Self::New }
    }
}

/// A checkpoint that has been opened: everything but its weights.
#[derive(Debug, Clone)]
pub struct Pretrained {
    /// The encoder's configuration.
    pub encoder: EncoderConfig,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    /// Longest sequence in tokens, special tokens included; never above [`EncoderConfig::max_length`].
    pub max_length: usize,
    /// The longest sequence that was asked for, where the model does not take that many tokens.
    pub asked_max_length: Option<usize>,
    /// In which numbers a model keeps its layers' weights for inference on the CPU; see [`Encoder::pack_weights`].
    pub weights: WeightFormat,
    checkpoint: Checkpoint,
    /// What was opened over its base model, to be merged into the weights.
    pub(crate) adapter: Option<Adapter>,
    /// What is to be trained.
    pub(crate) fresh_adapter: Option<FreshAdapter>,
}

impl Pretrained {
    /// Opens a checkpoint directory, or that of an adapter in PEFT's layout, whose base model must be there.
    ///
    /// # Errors
    ///
    /// The directory is no BERT checkpoint, lacks a tokenizer, or its tokenizer is another model's.
    pub fn open(
        dir: &Path,
        max_length: impl Into<MaxLength>,
        dropout: DropoutOverride,
    ) -> Result<Self, TaskError> {
        let (adapter, checkpoint) = match is_adapter(dir) {
            true => Adapter::open(dir).map(|(adapter, checkpoint)| (Some(adapter), checkpoint))?,
            false => (None, Checkpoint::open(dir)?),
        };
        family_keys::check(checkpoint.config())
            .map_err(|reason| unfit_config(&checkpoint, reason))?;
        let encoder: EncoderConfig = read_config(&checkpoint)?;
        let checkpoint = checkpoint.without_wrapper(&encoder_key_map(encoder.model_type));
        encoder
            .validate()
            .map_err(|error| unfit_config(&checkpoint, error.to_string()))?;
        check_layers(&encoder, &checkpoint)?;
        let encoder = dropout.apply(encoder);
        encoder.validate()?;
        let tokenizer = Tokenizer::from_dir(match &adapter {
            Some(adapter) => adapter.tokenizer_directory(dir),
            None => checkpoint.directory(),
        })?;
        tokenizer.check_vocab(encoder.vocab_size)?;
        let (own_limit, longest) = (tokenizer.model_max_length(), encoder.max_length());
        let max_length = max_length.into();
        Ok(Self {
            max_length: max_length.resolve(longest, own_limit),
            asked_max_length: max_length.beyond(longest),
            encoder,
            tokenizer,
            weights: WeightFormat::default(),
            checkpoint,
            adapter,
            fresh_adapter: None,
        })
    }

    /// Has an encoder keep its weights in order for inference, where its device is one without gradients.
    pub(crate) fn pack_weights(&self, encoder: &mut Encoder, device: &Device) {
        if !device.is_autodiff() {
            encoder.pack_weights(self.weights);
        }
    }

    /// Gives an encoder that an adapter was merged into packed weights of its own: those that it shares with another are
    /// packed there.
    pub(crate) fn pack_merged(&self, encoder: &mut Encoder, device: &Device) {
        if self.adapter.is_some() {
            self.pack_weights(encoder, device);
        }
    }

    /// The checkpoint this was opened from.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The class of transformers with this head, such as `BertForMaskedLM` for `ForMaskedLM`.
    pub fn architecture(&self, head: &str) -> String {
        self.encoder.model_type.architecture(head)
    }

    /// Whether the checkpoint was saved as a class of transformers with this head; one that names no class may be any.
    pub fn has_head(&self, head: &str) -> bool {
        let names = self.architectures();
        names.is_empty() || names.contains(&self.architecture(head).as_str())
    }

    /// Where the parts of this head, which has so many outputs, come from: the checkpoint, where it has all of them and was
    /// saved with this head. Of a checkpoint that names no class, the parts must have this size as well.
    pub fn head_origin(&self, head: &str, keys: &HeadKeys, outputs: usize) -> HeadOrigin {
        let is_named = !self.architectures().is_empty();
        let has_part = |part: &HeadPart| {
            let shape = self.shape(part.output);
            shape.is_some_and(|shape| is_named || shape.first() == Some(&outputs))
        };
        HeadOrigin::checkpoint_if(self.has_head(head) && keys.parts.iter().all(has_part))
    }

    /// The classes of transformers that the checkpoint was saved as; usually one, none where it does not say.
    pub fn architectures(&self) -> Vec<&str> {
        match self.checkpoint.config().get("architectures") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the checkpoint has a tensor of this name.
    pub fn has_tensor(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    /// The shape of the checkpoint's tensor of this name.
    fn shape(&self, name: &str) -> Option<&[usize]> {
        let mut tensors = self.checkpoint.tensors().iter();
        let tensor = tensors.find(|tensor| tensor.name == name)?;
        Some(&tensor.shape)
    }

    /// The label names of a checkpoint that has this head, in id order; `None` for any other checkpoint. `output` is the
    /// tensor with a row for each label, as wide as the encoder. Of a checkpoint that names no class, a tensor of another
    /// width is of another head.
    ///
    /// # Errors
    ///
    /// `id2label` does not name exactly the rows of the output.
    pub fn labels(&self, head: &str, output: &str) -> Result<Option<LabelSet>, TaskError> {
        let is_named = !self.architectures().is_empty();
        let shape = self.shape(output).filter(|_| self.has_head(head));
        match shape {
            // Without values a shape takes no bytes of the file, and may have any number of rows.
            Some(&[num_labels, 0]) => Err(self.unfit(format!(
                "the tensor `{output}` has the shape [{num_labels}, 0], which is that of no head"
            ))),
            Some(&[num_labels, width]) if is_named || width == self.encoder.hidden_size => {
                let names = label_names(self.checkpoint.config(), output, num_labels);
                names.map(Some).map_err(|reason| self.unfit_config(reason))
            }
            _ => Ok(None),
        }
    }

    /// An error about this checkpoint.
    pub fn unfit(&self, reason: impl Into<String>) -> TaskError {
        TaskError::Checkpoint {
            path: self.checkpoint.path().to_owned(),
            reason: reason.into(),
        }
    }

    /// An error about this checkpoint's config.json.
    pub(crate) fn unfit_config(&self, reason: String) -> TaskError {
        unfit_config(&self.checkpoint, reason)
    }

    /// Loads the weights into a freshly initialised model whose encoder is its field `encoder`.
    ///
    /// A new head keeps its initial values, as does the pooler where the checkpoint has none; heads of other tasks, and a
    /// pooler that the model does without, are left out. New parameters are drawn here, so seed the device before.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load<M: Module>(
        &self,
        model: M,
        head: &HeadKeys,
        origin: HeadOrigin,
    ) -> Result<(M, LoadReport), TaskError> {
        let family = self.encoder.model_type.family();
        let unused = family.unused.iter().chain([&family.pooler]);
        let unused = unused.map(|&name| name.to_owned());
        let options = match origin {
            HeadOrigin::Checkpoint => LoadOptions {
                ignored: unused.collect(),
                ..LoadOptions::default()
            },
            HeadOrigin::New => LoadOptions {
                fresh: head.parts.iter().map(|part| part.path.into()).collect(),
                optional: vec![POOLER.to_owned()],
                ignored: family
                    .heads
                    .iter()
                    .map(|&head| head.into())
                    .chain(unused)
                    .collect(),
                ..LoadOptions::default()
            },
        };
        self.load_with(model, head, &options)
    }

    /// Loads the weights as `options` say, for a task whose model has parts of several heads. New parameters are drawn
    /// here, so seed the device before.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load_with<M: Module>(
        &self,
        model: M,
        head: &HeadKeys,
        options: &LoadOptions,
    ) -> Result<(M, LoadReport), TaskError> {
        let keys = self.keys(head);
        let (model, report) = bert_weights::load(model, &self.checkpoint, &keys, options)?;
        model.visit(&mut DrawNewParameters);
        Ok((self.with_adapter(model, &keys)?, report))
    }

    /// Loads everything but the encoder, which the model has been
    /// [equipped](crate::shared_encoder::SharedEncoder::equip) with: nothing of the encoder is read again.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    pub fn load_head<M: Module>(
        &self,
        model: M,
        head: &HeadKeys,
    ) -> Result<(M, LoadReport), TaskError> {
        let options = LoadOptions {
            fresh: vec![EncoderPart::FIELD.to_owned()],
            ignored: vec![self.encoder.model_type.family().pooler.to_owned()],
            ..LoadOptions::default()
        };
        let keys = self.keys(head);
        let (model, report) = bert_weights::load(model, &self.checkpoint, &keys, &options)?;
        Ok((self.with_adapter(model, &keys)?, report))
    }

    /// The model with the adapter merged into its weights, where one was opened.
    fn with_adapter<M: Module>(&self, model: M, keys: &KeyMap) -> Result<M, TaskError> {
        match &self.adapter {
            Some(adapter) => adapter.merge(model, keys),
            None => Ok(model),
        }
    }

    /// The key map of a model with this head.
    fn keys(&self, head: &HeadKeys) -> KeyMap {
        key_map(self.encoder.model_type, head)
    }

    /// Writes a model as a directory that transformers opens, or its adapters as one that PEFT opens, if these
    /// [were trained](Self::train_adapter). `head` is what the name of its class ends in, and
    /// `decided` are the configuration's keys that training has decided, beside the class's name and the dropouts.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    pub fn save<M: Module>(
        &self,
        model: &M,
        keys: &HeadKeys,
        head: &str,
        decided: Map<String, Value>,
        dir: &Path,
    ) -> Result<(), TaskError> {
        let config = crate::exported_config::exported(
            self.checkpoint.config(),
            &self.encoder,
            head,
            decided,
        );
        let keys = self.keys(keys);
        if let Some(adapter) = &self.fresh_adapter {
            return self.save_adapter(adapter, model, &keys, head, config, dir);
        }
        let export = Export {
            config,
            tokenizer_files: self.tokenizer.files(),
        };
        Ok(bert_weights::save(model, &keys, &export, dir)?)
    }

    /// Tokenizes texts and pairs, each cut to [`max_length`](Self::max_length) tokens.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text.
    pub fn encode(&self, texts: &[(&str, Option<&str>)]) -> Result<Vec<Encoding>, TaskError> {
        Ok(self.tokenizer.encode_batch(texts, self.max_length)?)
    }
}

/// Makes sure that the layers, which take memory before their weights are read, are no more than the file can have.
fn check_layers(encoder: &EncoderConfig, checkpoint: &Checkpoint) -> Result<(), TaskError> {
    let (layers, tensors) = (encoder.layers_with_weights(), checkpoint.tensors().len());
    if layers <= tensors {
        return Ok(());
    }
    Err(unfit_config(
        checkpoint,
        format!(
            "there are {layers} layers (`num_hidden_layers`), but the checkpoint has {tensors} tensors in all"
        ),
    ))
}

fn unfit_config(checkpoint: &Checkpoint, reason: String) -> TaskError {
    let path = checkpoint.path();
    TaskError::Checkpoint {
        path: match path.is_dir() {
            true => path.join(CONFIG_FILE),
            false => path.with_file_name(CONFIG_FILE),
        },
        reason,
    }
}

/// The key map of a model whose encoder is its field `encoder`, with the encoder of a family and a head.
///
/// # Panics
///
/// A key map in the crates is not bijective, which a test of each task holds.
pub fn key_map(model_type: ModelType, head: &HeadKeys) -> KeyMap {
    let join = |head| encoder_key_map(model_type).join(KeyMap::parse(head)?);
    bijective(join(head.map))
}

/// The same of an encoder alone, without a head.
///
/// # Panics
///
/// As [`key_map`].
pub fn encoder_key_map(model_type: ModelType) -> KeyMap {
    let family = model_type.family();
    bijective(KeyMap::parse(family.keys))
        .with_prefix(family.base_model_prefix, EncoderPart::FIELD)
        .with_base_prefix(family.base_model_prefix)
}

fn bijective(keys: Result<KeyMap, KeyMapError>) -> KeyMap {
    keys.expect("the key maps in the crates are bijective, which a test of each task holds")
}

/// Burn draws a parameter when it is first used. Drawn now, its values depend on the seed and not on what came between.
struct DrawNewParameters;

impl ModuleVisitor for DrawNewParameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        drop(param.val());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bert_encoder::{DisentangledConfig, EncoderError};

    use super::*;

    #[test]
    fn the_override_reaches_the_dropouts_that_one_family_alone_has() {
        let config = EncoderConfig {
            qa_dropout: Some(0.1),
            disentangled: Some(DisentangledConfig::default()),
            ..EncoderConfig::default()
        };
        let hidden = DropoutOverride {
            hidden: Some(0.3),
            attention: None,
        };
        let changed = hidden.apply(config.clone());
        assert_eq!(changed.disentangled.unwrap().pooler_dropout, 0.3);
        assert_eq!(changed.qa_dropout, Some(0.3));
        assert_eq!(
            changed.attention_probs_dropout_prob,
            config.attention_probs_dropout_prob
        );
        assert_eq!(DropoutOverride::default().apply(config.clone()), config);
    }

    /// Fails unless the key maps of the encoder and of this head join, for every family that has the head, and name this
    /// parameter.
    pub(crate) fn assert_key_maps_join(
        head: impl Fn(ModelType) -> Result<HeadKeys, EncoderError>,
        path: &str,
    ) {
        assert!(head(ModelType::Bert).is_ok());
        for model_type in ModelType::ALL {
            let Ok(head) = head(model_type) else { continue };
            let keys = key_map(model_type, &head);
            for path in [path, "encoder.embeddings.word_embeddings.weight"] {
                assert!(
                    keys.checkpoint_name(path).is_some(),
                    "{model_type:?}, {path}"
                );
            }
        }
    }
}
