use std::io::BufRead;
use std::marker::PhantomData;
use std::path::Path;

use bert_encoder::{HeadKeys, HeadPart};
use bert_pretraining::{PretrainingModel, head_keys};
use bert_text::{
    Documents, Masker, MaskingOptions, TextBlocks, TextLayout, TextPieces, TokenBlock,
};
use bert_weights::{LoadOptions, LoadReport, TiedCopy};
use burn::tensor::Device;
use serde_json::{Map, json};

use super::Split;
use crate::inference::truncated;
use crate::pretrained::POOLER;
use crate::{DropoutOverride, HeadOrigin, MaxLength, Pretrained, TaskError, key_map};

/// Everything about a model of a pre-training task but its weights.
#[derive(Debug, Clone)]
pub struct Pretraining<M> {
    /// Encoder configuration, tokenizer and checkpoint.
    pub pretrained: Pretrained,
    /// Chooses the tokens to predict, where M predicts any.
    pub masker: Option<Masker>,
    model: PhantomData<M>,
}

impl<M: PretrainingModel> Pretraining<M> {
    /// Opens the directory of a trained model. `max_length` is cut to what the model can take.
    ///
    /// # Errors
    ///
    /// The directory is no checkpoint with the heads of M, lacks a tokenizer, or M predicts tokens and the vocabulary has no
    /// mask token.
    pub fn open(
        dir: &Path,
        max_length: Option<usize>,
        masking: MaskingOptions,
    ) -> Result<Self, TaskError> {
        let pretrained = Pretrained::open(dir, max_length, DropoutOverride::default())?;
        let opened = Self::new(pretrained, masking)?;
        let keys = opened.keys()?;
        for HeadPart { output: name, .. } in opened.own_parts()? {
            if !opened.has_output(name, &keys) {
                return Err(opened.pretrained.unfit(format!(
                    "there is no tensor `{name}`, so this is not the checkpoint of a trained {}; train one with `bert \
                     train {}`",
                    opened.pretrained.architecture(M::HEAD),
                    opened.task_word()
                )));
            }
        }
        Ok(opened)
    }

    /// Prepares a checkpoint, with heads or without, for training. Heads that are there are kept.
    ///
    /// # Errors
    ///
    /// The directory is no BERT checkpoint with a tokenizer, or M predicts tokens and its vocabulary has no mask token.
    pub fn for_training(
        dir: &Path,
        max_length: impl Into<MaxLength>,
        masking: MaskingOptions,
        dropout: DropoutOverride,
    ) -> Result<Self, TaskError> {
        Self::new(Pretrained::open(dir, max_length, dropout)?, masking)
    }

    fn new(pretrained: Pretrained, masking: MaskingOptions) -> Result<Self, TaskError> {
        let masker = M::PREDICTS_TOKENS
            .then(|| Masker::new(&pretrained.tokenizer, masking))
            .transpose()
            .map_err(|error| pretrained.unfit(error.to_string()))?;
        Ok(Self {
            pretrained,
            masker,
            model: PhantomData,
        })
    }

    /// Loads the weights; every head must be in the checkpoint.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite, or a tied one differs from its original.
    pub fn load(&self, device: &Device) -> Result<(M, LoadReport), TaskError> {
        self.load_parts(HeadOrigin::Checkpoint, device)
    }

    /// Loads the weights. Heads and pooler are new where the checkpoint has none; new parameters are drawn here, so seed
    /// the device before.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), but for missing heads.
    pub fn load_for_training(&self, device: &Device) -> Result<(M, LoadReport), TaskError> {
        self.load_parts(HeadOrigin::New, device)
    }

    /// Loads the weights. Heads and pooler may be missing where they may be `New`.
    fn load_parts(
        &self,
        origin: HeadOrigin,
        device: &Device,
    ) -> Result<(M, LoadReport), TaskError> {
        self.pretrained.refuse_adapter(self.task_word())?;
        let mut model = M::init(&self.pretrained.encoder, device)?;
        self.pretrained.pack_weights(model.encoder_mut(), device);
        let (keys, own) = (self.keys()?, self.own_parts()?);
        let family = self.pretrained.encoder.model_type.family();
        let others = keys.parts.iter().flat_map(|part| part.names).copied();
        // A part that the model has must fit as a whole, so nothing in it is excused.
        let own_names = || own.iter().flat_map(|part| part.names);
        let is_other = |prefix: &&str| !own_names().any(|name| name.starts_with(prefix));
        let ignored = family.heads.iter().copied().chain(others).filter(is_other);
        let options = LoadOptions {
            optional: match origin {
                HeadOrigin::Checkpoint => Vec::new(),
                HeadOrigin::New => keys
                    .parts
                    .iter()
                    .map(|part| part.path.to_owned())
                    .chain([POOLER.to_owned()])
                    .collect(),
            },
            ignored: ignored
                .chain([family.pooler])
                .chain(family.unused.iter().copied())
                .map(str::to_owned)
                .collect(),
            copies: match model.predictions() {
                Some(_) => keys.tied.iter().map(tied_copy).collect(),
                None => Vec::new(),
            },
            ..LoadOptions::default()
        };
        self.pretrained.load_with(model, &keys, &options)
    }

    /// Whether the checkpoint has the tensor, or the copy of it that a tied model may have in its place.
    fn has_output(&self, name: &str, keys: &HeadKeys) -> bool {
        let path = key_map(self.pretrained.encoder.model_type, keys).module_path(name);
        let is_copy = |(_, original): &&(&str, &str)| path.as_deref() == Some(*original);
        let mut copies = keys.tied.iter().filter(is_copy).map(|(copy, _)| copy);
        self.pretrained.has_tensor(name) || copies.any(|copy| self.pretrained.has_tensor(copy))
    }

    fn keys(&self) -> Result<HeadKeys, TaskError> {
        Ok(head_keys(&self.pretrained.encoder, M::HEAD)?)
    }

    /// The parts of the heads that M has.
    fn own_parts(&self) -> Result<Vec<HeadPart>, TaskError> {
        let is_own = |part: &&HeadPart| M::PARTS.contains(&part.path);
        Ok(self.keys()?.parts.iter().filter(is_own).copied().collect())
    }

    fn task_word(&self) -> &'static str {
        match (M::PREDICTS_TOKENS, M::PREDICTS_PAIRS) {
            (true, true) => "masked-lm --next-sentence",
            (true, false) => "masked-lm",
            _ => "next-sentence",
        }
    }

    /// Writes a directory that transformers opens as M's class. The decoder is not in it a second time: `config.json` says
    /// that it is tied.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    pub fn save(&self, model: &M, dir: &Path) -> Result<(), TaskError> {
        let decided = Map::from_iter([("tie_word_embeddings".to_owned(), json!(true))]);
        self.pretrained
            .save(model, &self.keys()?, M::HEAD, decided, dir)
    }

    /// Tokenizes a plain text.
    ///
    /// # Errors
    ///
    /// The text cannot be read or has no token, or `max_length` is too short for any.
    pub fn encode_text<R: BufRead>(
        &self,
        text: TextPieces<R>,
        layout: TextLayout,
    ) -> Result<Split, TaskError> {
        let path = text.name();
        let pretrained = &self.pretrained;
        let read = TextBlocks::read(text, &pretrained.tokenizer, layout, pretrained.max_length)?;
        let can_mask = |block: &TokenBlock| {
            let masker = self.masker.as_ref();
            masker.is_none_or(|masker| masker.can_mask(block))
        };
        if !read.blocks.iter().any(can_mask) {
            return Err(TaskError::Labels {
                path,
                reason: "the vocabulary has no word of it, so there is no token to mask; the text is in the language of \
                         another model"
                    .to_owned(),
            });
        }
        Ok(Split {
            path,
            rows: read.blocks,
            next_sentence: Vec::new(),
            truncated: read.truncated,
        })
    }

    /// Draws pairs of sentences and tokenizes them.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any pair.
    pub fn encode_pairs(&self, documents: &Documents, seed: u64) -> Result<Split, TaskError> {
        let pairs = documents.pairs(seed);
        let texts: Vec<(&str, Option<&str>)> = pairs
            .iter()
            .map(|pair| (pair.text, Some(pair.text_pair)))
            .collect();
        let encodings = self.pretrained.encode(&texts)?;
        Ok(Split {
            path: documents.path.clone(),
            truncated: truncated(&encodings),
            rows: encodings.into_iter().map(TokenBlock::from).collect(),
            next_sentence: pairs.iter().map(|pair| i32::from(!pair.is_next)).collect(),
        })
    }
}

fn tied_copy(&(name, original): &(&str, &str)) -> TiedCopy {
    TiedCopy {
        name: name.to_owned(),
        original: original.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bert_pretraining::ModelForPreTraining;

    use super::*;
    use crate::pretrained::tests::assert_key_maps_join;

    #[test]
    fn the_key_maps_join() {
        assert_key_maps_join(
            |model_type| head_keys(&(model_type.family().defaults)(), ModelForPreTraining::HEAD),
            "predictions.layer_norm.gamma",
        );
    }
}
