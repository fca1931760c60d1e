use std::io::BufRead;
use std::marker::PhantomData;
use std::path::Path;

use bert_pretraining::{PretrainingModel, TIED_COPIES};
use bert_text::{
    Documents, Masker, MaskingOptions, TextBlocks, TextLayout, TextPieces, TokenBlock,
};
use bert_weights::checkpoint::{KeyMap, LoadOptions, LoadReport, TiedCopy};
use burn::tensor::Device;
use serde_json::{Map, json};

use super::Split;
use crate::inference::truncated;
use crate::pretrained::{HEADS, key_map};
use crate::{DropoutOverride, Pretrained, TaskError};

/// Module paths of the heads and of the pooler.
const PARTS: [&str; 3] = ["predictions", "seq_relationship", "bert.pooler"];
/// What a checkpoint may hold for the part of the task that a model does without; the first names are in one head of
/// `HEADS`, `cls`.
const NOT_NEEDED: [&str; 4] = [
    "cls.predictions",
    "cls.seq_relationship",
    "bert.pooler",
    "pooler",
];

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
        for name in opened.head_tensors() {
            if !opened.pretrained.has_tensor(name) {
                return Err(opened.pretrained.unfit(format!(
                    "there is no tensor `{name}`, so this is not the checkpoint of a trained {}; train one with `bert \
                     train {}`",
                    M::ARCHITECTURE,
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
        max_length: usize,
        masking: MaskingOptions,
        dropout: DropoutOverride,
    ) -> Result<Self, TaskError> {
        Self::new(Pretrained::open(dir, Some(max_length), dropout)?, masking)
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
        self.load_parts(&[], device)
    }

    /// Loads the weights. Heads and pooler are new where the checkpoint has none; new parameters are drawn here, so seed
    /// the device before.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), but for missing heads.
    pub fn load_for_training(&self, device: &Device) -> Result<(M, LoadReport), TaskError> {
        self.load_parts(&PARTS, device)
    }

    fn load_parts(&self, optional: &[&str], device: &Device) -> Result<(M, LoadReport), TaskError> {
        let mut model = M::init(&self.pretrained.encoder, device)?;
        self.pretrained.pack_weights(model.encoder_mut(), device);
        // A part that the model has must fit as a whole, so nothing in it is excused.
        let is_other = |prefix: &&&str| !self.head_tensors().any(|own| own.starts_with(**prefix));
        let copies = TIED_COPIES.map(|(name, original)| TiedCopy {
            name: name.to_owned(),
            original: original.to_owned(),
        });
        let options = LoadOptions {
            optional: optional.iter().map(|&part| part.to_owned()).collect(),
            ignored: HEADS
                .iter()
                .chain(&NOT_NEEDED)
                .filter(is_other)
                .map(|&prefix| prefix.to_owned())
                .collect(),
            copies: match model.predictions() {
                Some(_) => copies.to_vec(),
                None => Vec::new(),
            },
            ..LoadOptions::default()
        };
        self.pretrained.load_with(model, &keys(), &options)
    }

    /// One tensor of each head that M has.
    fn head_tensors(&self) -> impl Iterator<Item = &'static str> {
        let heads = [
            (M::PREDICTS_TOKENS, "cls.predictions.bias"),
            (M::PREDICTS_PAIRS, "cls.seq_relationship.weight"),
        ];
        heads
            .into_iter()
            .filter_map(|(has_it, name)| has_it.then_some(name))
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
            .save(model, &keys(), M::ARCHITECTURE, decided, dir)
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
        let path = text.path().to_owned();
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

fn keys() -> KeyMap {
    key_map(bert_pretraining::KEY_MAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_maps_join() {
        let keys = keys();
        for (name, path) in [
            ("cls.predictions.bias", "predictions.bias"),
            (
                "cls.predictions.transform.LayerNorm.weight",
                "predictions.layer_norm.gamma",
            ),
            (
                "bert.embeddings.word_embeddings.weight",
                "bert.embeddings.word_embeddings.weight",
            ),
        ] {
            assert_eq!(keys.module_path(name).as_deref(), Some(path));
        }
    }
}
