//! Texts to vectors.

use std::ops::Range;

use bert_sentence_embedding::{SentenceEmbeddingModel, normalize, truncate};
use bert_text::Encoding;

use super::SentenceEmbedder;
use crate::inference::rows_of;
use crate::{RunOptions, TaskError};

impl SentenceEmbedder {
    /// The vectors of texts, in their order.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode) and [`embed_encoded`](Self::embed_encoded).
    pub fn embed(
        &self,
        model: &SentenceEmbeddingModel,
        texts: &[&str],
        run: RunOptions<'_>,
    ) -> Result<Vec<Vec<f32>>, TaskError> {
        let texts: Vec<(&str, Option<&str>)> = texts.iter().map(|text| (*text, None)).collect();
        self.embed_encoded(model, &self.encode(&texts)?, run)
    }

    /// The tokens of texts and pairs, each with the prompt before it.
    ///
    /// # Errors
    ///
    /// `max_length` is too short for any text.
    pub fn encode(&self, texts: &[(&str, Option<&str>)]) -> Result<Vec<Encoding>, TaskError> {
        if self.prompt.is_empty() {
            return self.pretrained.encode(texts);
        }
        let prompted: Vec<String> = texts
            .iter()
            .map(|(text, _)| format!("{}{text}", self.prompt))
            .collect();
        let prompted = prompted.iter().zip(texts);
        let texts: Vec<(&str, Option<&str>)> = prompted
            .map(|(text, (_, pair))| (text.as_str(), *pair))
            .collect();
        self.pretrained.encode(&texts)
    }

    /// The vectors of encoded texts, in their order.
    ///
    /// # Errors
    ///
    /// The texts do not fit the model; or the prompt is not to be pooled, and a text has no other token.
    pub fn embed_encoded(
        &self,
        model: &SentenceEmbeddingModel,
        encodings: &[Encoding],
        run: RunOptions<'_>,
    ) -> Result<Vec<Vec<f32>>, TaskError> {
        let first = self.first_pooled()?;
        let tokens: Vec<Range<usize>> = encodings.iter().map(|one| first..one.len()).collect();
        if let Some(text) = tokens.iter().position(Range::is_empty) {
            return Err(self.pretrained.unfit(format!(
                "the prompt {:?} is not pooled and leaves no token of text {}; end it with a space or a punctuation mark",
                self.prompt,
                text + 1
            )));
        }
        let forward = |rows: &[usize], input| {
            let tokens: Vec<Range<usize>> = rows.iter().map(|&row| tokens[row].clone()).collect();
            let mut vectors = model.forward(input, &tokens)?;
            if let Some(dimension) = self.truncate_dim {
                vectors = truncate(vectors, dimension);
            }
            if self.normalize_at_last {
                vectors = normalize(vectors);
            }
            rows_of(vectors)
        };
        self.pretrained.forward_rows(encodings, run, forward)
    }

    /// The position of the first token that is pooled. A prompt that is not pooled takes its own tokens and the special ones
    /// before it along.
    fn first_pooled(&self) -> Result<usize, TaskError> {
        if self.include_prompt || self.prompt.is_empty() {
            return Ok(0);
        }
        let alone =
            self.pretrained
                .tokenizer
                .encode(&self.prompt, None, self.pretrained.max_length)?;
        let ends_special = alone.sequence_ids.last() == Some(&None);
        Ok(alone.len() - usize::from(ends_special))
    }
}
