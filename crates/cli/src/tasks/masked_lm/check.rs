//! `bert check masked-lm`

use std::path::Path;

use anyhow::Result;
use bert_tasks::Pretrained;
use bert_text::{PlainTextError, TextPieces};
use clap::Args;

use super::report::{Finding, Report, Severity};
use super::rows::{self, Nouns, Rows, line};
use super::{CheckFlags, tokens};
use crate::commands::masked_lm::DEFAULT_MAX_LENGTH;
use crate::format::count;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    flags: CheckFlags,
}

pub(crate) fn run(args: &CheckArgs) -> Result<()> {
    let flags = &args.flags;
    let pretrained = flags.pretrained(DEFAULT_MAX_LENGTH)?;
    let train = Text::read(&flags.data)?;
    let eval = flags.eval.as_deref().map(Text::read).transpose()?;
    let mut report = Report::default();
    for (name, text) in [("data", Some(&train)), ("eval", eval.as_ref())] {
        let Some(text) = text else { continue };
        text.check(name, pretrained.as_ref(), &mut report)?;
    }
    let shared = eval.and_then(|eval| rows::shared_rows(&train.rows(), &eval.rows()));
    // Headings and the like come in every text.
    report.findings(shared.map(|finding| Finding {
        severity: Severity::Warning,
        ..finding
    }));
    report.print(flags.json)
}

/// The lines of a text that are not blank.
struct Text<'a> {
    path: &'a Path,
    lines: Vec<String>,
    numbers: Vec<usize>,
    blank_lines: usize,
}

impl<'a> Text<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let mut all: Vec<String> = Vec::new();
        for piece in TextPieces::open(path)? {
            let piece = piece?;
            match all.last_mut() {
                Some(line) if !piece.starts_line => line.push_str(&piece.text),
                _ => all.push(piece.text),
            }
        }
        let blank_lines = all.iter().filter(|line| line.trim().is_empty()).count();
        let (numbers, lines) = (1..)
            .zip(all)
            .filter(|(_, line)| !line.trim().is_empty())
            .unzip();
        let lines: Vec<String> = lines;
        if lines.is_empty() {
            let path = path.to_owned();
            return Err(PlainTextError::NoText { path }.into());
        }
        Ok(Self {
            path,
            lines,
            numbers,
            blank_lines,
        })
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            path: self.path,
            nouns: Nouns {
                row: "line",
                label: None,
            },
            texts: self
                .lines
                .iter()
                .map(|text| (text.as_str(), None))
                .collect(),
            labels: vec![Vec::new(); self.lines.len()],
            places: self.numbers.iter().map(|&number| line(number)).collect(),
        }
    }

    fn check(
        &self,
        name: &str,
        pretrained: Option<&Pretrained>,
        report: &mut Report,
    ) -> Result<()> {
        let rows = self.rows();
        rows::title(name, &rows, &[("blank line", self.blank_lines)], report);
        rows::check_texts(&rows, report);
        let Some(pretrained) = pretrained else {
            tokens::lengths_in_words(name, &rows, report);
            return Ok(());
        };
        let lengths = tokens::check_whole(name, &rows, pretrained, report)?;
        let special_tokens = pretrained.tokenizer.encode("", None, usize::MAX)?.len();
        let all: usize = lengths.iter().map(|length| length - special_tokens).sum();
        let line = format!("{} tokens in all, special ones not counted", count(all));
        report.figures(name, "tokens", all, vec![line, String::new()]);
        Ok(())
    }
}
