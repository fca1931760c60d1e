//! The special tokens around a text and a pair.

use std::path::Path;

use tokenizers::processors::bert::BertProcessing;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{PostProcessor, PostProcessorWrapper};

use super::TokenizerError;
use super::family::Template;
use super::load::invalid;
use super::settings::Settings;
use super::special::SpecialTokens;

/// Why special tokens cannot stand around a text.
pub(super) enum TemplateError {
    /// The vocabulary lacks one.
    Missing { role: &'static str, token: String },
    /// The library refuses the template.
    Refused(tokenizers::Error),
}

impl TemplateError {
    /// `path` is the vocabulary's file in `dir`.
    pub(super) fn within(self, dir: &Path, path: &Path) -> TokenizerError {
        match self {
            Self::Missing { role, token } => TokenizerError::MissingSpecialToken {
                dir: dir.to_owned(),
                role,
                token,
            },
            Self::Refused(source) => invalid(path, source),
        }
    }
}

impl Template {
    /// The template with the ids that its tokens have. `saved` is that of tokenizer.json.
    pub(super) fn post_processor(
        self,
        inner: &tokenizers::Tokenizer,
        tokens: &SpecialTokens,
        settings: &Settings,
        saved: Option<PostProcessorWrapper>,
    ) -> Result<PostProcessorWrapper, TemplateError> {
        match (self, saved) {
            (Self::BertUnlessSaved | Self::AsSaved, Some(saved)) => return Ok(saved),
            (Self::AsSaved, None) => return nothing().map_err(TemplateError::Refused),
            _ => {}
        }
        let with_id = |role: &'static str| {
            let token = tokens.text(role).unwrap_or_default().to_owned();
            match inner.token_to_id(&token) {
                Some(id) => Ok((token, id)),
                None => Err(TemplateError::Missing { role, token }),
            }
        };
        match self {
            Self::BosEos => {
                let (bos, eos) = (with_id("bos_token")?, with_id("eos_token")?);
                bos_eos(bos, eos).map_err(TemplateError::Refused)
            }
            Self::Roberta => {
                let (sep, cls) = (with_id("sep_token")?, with_id("cls_token")?);
                let processing = RobertaProcessing::new(sep, cls)
                    .trim_offsets(settings.trim_offsets.unwrap_or(true))
                    .add_prefix_space(settings.add_prefix_space.unwrap_or(false));
                Ok(processing.into())
            }
            Self::Bert | Self::BertUnlessSaved | Self::AsSaved => {
                let (sep, cls) = (with_id("sep_token")?, with_id("cls_token")?);
                Ok(BertProcessing::new(sep, cls).into())
            }
        }
    }
}

/// No special tokens.
fn nothing() -> tokenizers::Result<PostProcessorWrapper> {
    let processing = TemplateProcessing::builder()
        .try_single("$A:0")?
        .try_pair("$A:0 $B:1")?
        .build()?;
    Ok(processing.into())
}

fn bos_eos(bos: (String, u32), eos: (String, u32)) -> tokenizers::Result<PostProcessorWrapper> {
    let (first, last) = (bos.0.as_str(), eos.0.as_str());
    let processing = TemplateProcessing::builder()
        .try_single(vec![first, "$A", last])?
        .try_pair(vec![first, "$A", last, last, "$B", last])?
        .special_tokens(vec![bos.clone(), eos.clone()])
        .build()?;
    Ok(processing.into())
}

/// The special tokens that a template puts before and after one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) before: Vec<u32>,
    pub(crate) after: Vec<u32>,
    /// The largest id of any special token around a text or a pair.
    pub(super) largest_id: u32,
}

impl Surroundings {
    pub(super) fn of(post_processor: &PostProcessorWrapper) -> tokenizers::Result<Self> {
        let single = post_processor.process(token(), None, true)?;
        let pair = post_processor.process(token(), Some(token()), true)?;
        let ids = single.get_ids();
        let mask = single.get_special_tokens_mask();
        let place = mask.iter().position(|&is_special| is_special == 0);
        let (before, after) = ids.split_at(place.unwrap_or(ids.len()));
        Ok(Self {
            before: before.to_vec(),
            after: after.get(1..).unwrap_or_default().to_vec(),
            largest_id: ids.iter().chain(pair.get_ids()).copied().max().unwrap_or(0),
        })
    }
}

/// A text of one token, whose id is 0.
fn token() -> tokenizers::Encoding {
    tokenizers::Encoding::new(
        vec![0],
        vec![0],
        vec![String::new()],
        vec![Some(0)],
        vec![(0, 0)],
        vec![0],
        vec![1],
        Vec::new(),
        Default::default(),
    )
}
