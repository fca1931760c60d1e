//! Regular expressions of a tokenizer that may give up.
//!
//! Look-arounds, word boundaries, back references and the like are matched by taking steps back, of which one match may take a
//! million. After that the `tokenizers` library takes it that the text has no further match, and says nothing: the rest of the
//! text has other tokens. So every text goes through the expressions of this kind once before, and one that gives up is an
//! error. Expressions without these things take no steps back.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fancy_regex::{Expr, Regex};
use serde::Serialize;
use serde_json::Value;
use tokenizers::{
    Normalizer, NormalizerWrapper, OffsetReferential, OffsetType, PreTokenizer,
    PreTokenizerWrapper, Result,
};

/// The expression of the pre-tokenizer `ByteLevel`, as the library has it.
const BYTE_LEVEL: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
/// It gives up in a million spaces on end. Shorter texts, whatever a normaliser makes of them, have not so many.
const BYTE_LEVEL_BYTES: usize = 1_000_000 / 32;

/// Replacements, one after the other, may make a text so many times as long: a space becomes three bytes, a word a mark.
/// Twenty that double it would fill the memory with a million times the text.
const MOST_GROWTH: usize = 1000;

/// The expressions of a tokenizer, in the order in which a text goes through them.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    path: PathBuf,
    normalizers: Vec<Step<NormalizerWrapper>>,
    pre_tokenizers: Vec<Step<PreTokenizerWrapper>>,
    /// Shorter texts need no look.
    least_bytes: usize,
}

/// A step, and its expression if it has one that may give up.
#[derive(Debug, Clone)]
struct Step<T> {
    step: T,
    regex: Option<Regex>,
}

/// An expression has given up.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: the regular expression {pattern:?} takes more steps back in it than a million; correct the expression, or \
     shorten the text",
    path = .path.display()
)]
struct GaveUp {
    path: PathBuf,
    pattern: String,
}

impl Patterns {
    /// Of a tokenizer that is described in the file at `path`.
    pub(super) fn of(path: &Path, tokenizer: &tokenizers::Tokenizer) -> Result<Self> {
        check_growth("normalizer", tokenizer.get_normalizer())?;
        check_growth("decoder", tokenizer.get_decoder())?;
        let mut normalizers = Vec::new();
        if let Some(normalizer) = tokenizer.get_normalizer() {
            add_normalizers(normalizer, &mut normalizers)?;
        }
        let mut pre_tokenizers = Vec::new();
        let mut least_bytes = usize::MAX;
        if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
            add_pre_tokenizers(pre_tokenizer, &mut pre_tokenizers)?;
        }
        let used = |step: &Step<PreTokenizerWrapper>| step.regex.is_some();
        if pre_tokenizers.iter().any(used) {
            least_bytes = BYTE_LEVEL_BYTES;
        }
        let is_given = |step: &Step<PreTokenizerWrapper>| {
            used(step) && !matches!(step.step, PreTokenizerWrapper::ByteLevel(_))
        };
        if pre_tokenizers.iter().any(is_given) || normalizers.iter().any(|one| one.regex.is_some())
        {
            least_bytes = 0;
        }
        Ok(Self {
            path: path.to_owned(),
            normalizers,
            pre_tokenizers,
            least_bytes,
        })
    }

    /// Makes sure that no expression gives up in a text.
    pub(super) fn check(&self, tokenizer: &tokenizers::Tokenizer, text: &str) -> Result<()> {
        if text.len() < self.least_bytes {
            return Ok(());
        }
        let watched = Watched {
            steps: &self.normalizers,
            gave_up: OnceLock::new(),
        };
        let added = tokenizer.get_added_vocabulary();
        let mut pieces = added.extract_and_normalize(Some(&watched), text);
        if let Some(regex) = watched.gave_up.get() {
            return Err(self.gave_up(regex));
        }
        let last = self
            .pre_tokenizers
            .iter()
            .rposition(|one| one.regex.is_some());
        for Step { step, regex } in &self.pre_tokenizers[..last.map_or(0, |last| last + 1)] {
            if let Some(regex) = regex {
                let splits = pieces.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
                let mut texts = splits.iter().filter(|(_, _, tokens)| tokens.is_none());
                if !texts.all(|(text, _, _)| holds_out(regex, text)) {
                    return Err(self.gave_up(regex));
                }
            }
            step.pre_tokenize(&mut pieces)?;
        }
        Ok(())
    }

    fn gave_up(&self, regex: &Regex) -> tokenizers::Error {
        Box::new(GaveUp {
            path: self.path.clone(),
            pattern: regex.as_str().to_owned(),
        })
    }
}

/// The normalisers of a tokenizer. The library drops their errors, so they are kept here.
struct Watched<'a> {
    steps: &'a [Step<NormalizerWrapper>],
    gave_up: OnceLock<&'a Regex>,
}

impl Normalizer for Watched<'_> {
    fn normalize(&self, text: &mut tokenizers::NormalizedString) -> Result<()> {
        for Step { step, regex } in self.steps {
            if let Some(regex) = regex
                && !holds_out(regex, text.get())
            {
                let _ = self.gave_up.set(regex);
            }
            step.normalize(text)?;
        }
        Ok(())
    }
}

fn holds_out(regex: &Regex, text: &str) -> bool {
    regex.find_iter(text).all(|found| found.is_ok())
}

fn add_normalizers(
    normalizer: &NormalizerWrapper,
    steps: &mut Vec<Step<NormalizerWrapper>>,
) -> Result<()> {
    if let NormalizerWrapper::Sequence(sequence) = normalizer {
        let mut inner = sequence.as_ref().iter();
        return inner.try_for_each(|one| add_normalizers(one, steps));
    }
    let regex = match normalizer {
        NormalizerWrapper::Replace(_) => given(normalizer)?,
        _ => None,
    };
    steps.push(Step {
        step: normalizer.clone(),
        regex,
    });
    Ok(())
}

fn add_pre_tokenizers(
    pre_tokenizer: &PreTokenizerWrapper,
    steps: &mut Vec<Step<PreTokenizerWrapper>>,
) -> Result<()> {
    if let PreTokenizerWrapper::Sequence(sequence) = pre_tokenizer {
        let mut inner = sequence.as_ref().iter();
        return inner.try_for_each(|one| add_pre_tokenizers(one, steps));
    }
    let regex = match pre_tokenizer {
        PreTokenizerWrapper::Split(_) => given(pre_tokenizer)?,
        PreTokenizerWrapper::ByteLevel(byte_level) if byte_level.use_regex => {
            Some(Regex::new(BYTE_LEVEL)?)
        }
        _ => None,
    };
    steps.push(Step {
        step: pre_tokenizer.clone(),
        regex,
    });
    Ok(())
}

/// Makes sure that the replacements of a part of the tokenizer cannot fill the memory.
fn check_growth(part: &str, steps: Option<&impl Serialize>) -> Result<()> {
    let growth = growth(&serde_json::to_value(steps)?);
    match growth > MOST_GROWTH {
        true => Err(format!(
            "the replacements of its {part}, one after the other, make a text up to {growth} times as long, more than \
             {MOST_GROWTH}"
        )
        .into()),
        false => Ok(()),
    }
}

/// How many times as long a text can become by the replacements among steps, as these are written.
fn growth(steps: &Value) -> usize {
    let product = |product: usize, step: &Value| product.saturating_mul(growth(step));
    match steps {
        Value::Object(step) if step.get("type").is_some_and(|kind| kind == "Replace") => {
            let length = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, str::len);
            let pattern = step
                .get("pattern")
                .and_then(|pattern| pattern.get("String"));
            let content = length(step.get("content"));
            content.div_ceil(length(pattern).max(1)).max(1)
        }
        Value::Object(steps) => steps.values().fold(1, product),
        Value::Array(steps) => steps.iter().fold(1, product),
        _ => 1,
    }
}

/// The expression of a step, as the step is written, if it is one that may give up.
fn given(step: &impl Serialize) -> Result<Option<Regex>> {
    let step = serde_json::to_value(step)?;
    let pattern = step.get("pattern").and_then(|pattern| pattern.get("Regex"));
    match pattern.and_then(Value::as_str) {
        Some(pattern) if takes_steps_back(&Expr::parse_tree(pattern)?.expr) => {
            Ok(Some(Regex::new(pattern)?))
        }
        _ => Ok(None),
    }
}

/// Whether an expression has anything that a finite automaton cannot match.
fn takes_steps_back(expression: &Expr) -> bool {
    match expression {
        Expr::Empty | Expr::Any { .. } | Expr::Literal { .. } | Expr::Delegate { .. } => false,
        Expr::Concat(parts) | Expr::Alt(parts) => parts.iter().any(takes_steps_back),
        Expr::Group(inner) | Expr::Repeat { child: inner, .. } => takes_steps_back(inner),
        _ => true,
    }
}
