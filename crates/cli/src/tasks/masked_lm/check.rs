//! `bert check masked-lm`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::Pretrained;
use bert_text::{PlainTextError, TextPieces};
use clap::Args;

use super::DEFAULT_MAX_LENGTH;
use crate::format::count;
use crate::runner::check::report::{Finding, Report, Severity};
use crate::runner::check::rows::{self, Nouns, Rows, line};
use crate::runner::check::{CheckFlags, tokens};

/// Lines that occur twice, lengths, unknown tokens
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    flags: CheckFlags,
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let texts = self.flags.read(Text::read)?;
        let pretrained = self.flags.pretrained(DEFAULT_MAX_LENGTH)?;
        let mut report = Report::default();
        for (name, text) in texts.named() {
            text.check(name, pretrained.as_ref(), &mut report)?;
        }
        let eval = texts.eval.as_ref();
        let shared = eval.and_then(|eval| rows::shared_rows(&texts.data.rows(), &eval.rows()));
        // Every text has headings and the like.
        report.findings(shared.map(|finding| Finding {
            severity: Severity::Warning,
            ..finding
        }));
        report.print(self.flags.json)
    }
}

/// The lines of a text that are not blank.
struct Text {
    path: PathBuf,
    lines: Vec<String>,
    numbers: Vec<usize>,
    blank_lines: usize,
}

impl Text {
    fn read(path: &Path) -> Result<Self> {
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
            path: path.to_owned(),
            lines,
            numbers,
            blank_lines,
        })
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            path: &self.path,
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
