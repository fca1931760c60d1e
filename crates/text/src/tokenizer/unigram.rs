//! SentencePiece's unigram tokenizers, each with the rules of its class.

use tokenizers::models::unigram::Unigram as UnigramModel;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFC, NFKD, Replace, Sequence, Strip, StripAccents};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::tokenizer::SplitDelimiterBehavior;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, Result, Tokenizer};

use super::family::Unigram;
use super::sentencepiece::SentencePieceModel;
use super::settings::Settings;
use super::special::SpecialTokens;

/// A token with its score.
pub(super) type Piece = (String, f64);

/// What a space is written as.
const SPACE: char = '\u{2581}';

/// Of a file in SentencePiece's format, whose control tokens go to `tokens`.
pub(super) fn from_sentencepiece(
    kind: Unigram,
    bytes: &[u8],
    settings: &Settings,
    tokens: &mut SpecialTokens,
) -> Result<Tokenizer> {
    let model = SentencePieceModel::parse(bytes)?;
    tokens.take_control_tokens(model.control_tokens());
    let charsmap = model.charsmap()?;
    let unk_id = model.unk_id;
    let pieces = arranged(kind, model.into_scores(), tokens);
    of_pieces(kind, pieces, charsmap, Some(unk_id), settings, tokens)
}

/// The vocabulary in the order that the class has: fairseq's models begin with special tokens of their own.
fn arranged(kind: Unigram, pieces: Vec<Piece>, tokens: &SpecialTokens) -> Vec<Piece> {
    let role = |role: &str| (tokens.text(role).unwrap_or_default().to_owned(), 0.0);
    let (first, skipped) = match kind {
        Unigram::XlmRoberta => {
            let roles = ["bos_token", "pad_token", "eos_token", "unk_token"];
            (roles.map(role).to_vec(), 3)
        }
        Unigram::Camembert => {
            let unused = |text: &str, score| (text.to_owned(), score);
            let first = vec![
                unused("<s>NOTUSED", 0.0),
                role("pad_token"),
                unused("</s>NOTUSED", 0.0),
                role("unk_token"),
                unused("<unk>NOTUSED", -100.0),
            ];
            (first, 1)
        }
        Unigram::Albert | Unigram::DebertaV2 => return pieces,
    };
    let pieces = pieces.into_iter().skip(skipped);
    let all = first.into_iter().chain(pieces);
    all.chain([role("mask_token")]).collect()
}

/// Of a vocabulary. `charsmap` is the table of characters, `unk_id` that of a SentencePiece file.
pub(super) fn of_pieces(
    kind: Unigram,
    pieces: Vec<Piece>,
    charsmap: Option<NormalizerWrapper>,
    unk_id: Option<usize>,
    settings: &Settings,
    tokens: &SpecialTokens,
) -> Result<Tokenizer> {
    let unk_id = unknown(kind, &pieces, unk_id, tokens);
    let model = UnigramModel::from(pieces, Some(unk_id), false)?;
    let mut tokenizer = Tokenizer::new(model);
    if let Some(normalizer) = normalizer(kind, charsmap, settings)? {
        tokenizer.with_normalizer(Some(normalizer))?;
    }
    let metaspace = Metaspace::new(SPACE, prepend_scheme(kind, settings), true);
    tokenizer
        .with_pre_tokenizer(Some(pre_tokenizer(kind, metaspace.clone(), settings)))
        .with_decoder(Some(metaspace));
    Ok(tokenizer)
}

/// The place of the unknown token in the vocabulary.
fn unknown(
    kind: Unigram,
    pieces: &[Piece],
    unk_id: Option<usize>,
    tokens: &SpecialTokens,
) -> usize {
    let unk = tokens.text("unk_token");
    let place = |scored: bool| {
        let mut pieces = pieces.iter();
        pieces.position(|(text, score)| Some(text.as_str()) == unk && (!scored || *score == 0.0))
    };
    match kind {
        Unigram::XlmRoberta => 3,
        Unigram::Camembert => place(false).unwrap_or(0),
        Unigram::Albert => 1,
        Unigram::DebertaV2 => place(true).or(unk_id).unwrap_or(1),
    }
}

fn normalizer(
    kind: Unigram,
    charsmap: Option<NormalizerWrapper>,
    settings: &Settings,
) -> Result<Option<NormalizerWrapper>> {
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    match kind {
        Unigram::XlmRoberta | Unigram::Camembert => return Ok(charsmap),
        Unigram::Albert => {
            steps.push(Replace::new("``", "\"")?.into());
            steps.push(Replace::new("''", "\"")?.into());
            if !settings.keep_accents.unwrap_or(false) {
                steps.extend([NFKD.into(), StripAccents.into()]);
            }
            if settings.do_lower_case.unwrap_or(true) {
                steps.push(Lowercase.into());
            }
            steps.extend(charsmap);
        }
        Unigram::DebertaV2 => {
            if settings.do_lower_case.unwrap_or(false) {
                steps.push(Lowercase.into());
            }
            let spaces = ReplacePattern::Regex(r"\s{2,}|[\n\r\t]".to_owned());
            steps.push(Replace::new(spaces, " ")?.into());
            steps.extend([NFC.into(), Strip::new(false, true).into()]);
        }
    }
    Ok(Some(Sequence::new(steps).into()))
}

fn prepend_scheme(kind: Unigram, settings: &Settings) -> PrependScheme {
    match (kind, settings.add_prefix_space.unwrap_or(true)) {
        (_, true) => PrependScheme::Always,
        (Unigram::DebertaV2, false) => PrependScheme::First,
        (_, false) => PrependScheme::Never,
    }
}

fn pre_tokenizer(kind: Unigram, metaspace: Metaspace, settings: &Settings) -> PreTokenizerWrapper {
    let mut steps: Vec<PreTokenizerWrapper> = Vec::new();
    if kind != Unigram::DebertaV2 {
        steps.push(WhitespaceSplit.into());
    } else if settings.split_by_punct.unwrap_or(false) {
        steps.push(Punctuation::new(SplitDelimiterBehavior::Isolated).into());
    }
    steps.push(metaspace.into());
    PreTokenizers::new(steps).into()
}
