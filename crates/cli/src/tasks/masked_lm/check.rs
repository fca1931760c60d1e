//! `bert check masked-lm`

use std::path::PathBuf;

use anyhow::Result;
use bert_tasks::Pretrained;
use bert_text::{PlainTextError, TextPieces};
use clap::Args;

use super::DEFAULT_MAX_LENGTH;
use crate::format::{count, counted};
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
    /// Where each stands.
    places: Vec<String>,
    blank_lines: usize,
}

impl Text {
    fn read(files: &[PathBuf]) -> Result<Self> {
        let mut all: Vec<(String, String)> = Vec::new();
        let mut pieces = TextPieces::open_files(files)?;
        let path = match files.len() {
            1 => pieces.path().to_owned(),
            several => PathBuf::from(counted(several, "file")),
        };
        while let Some(piece) = pieces.next() {
            let piece = piece?;
            match all.last_mut() {
                Some((_, line)) if !piece.starts_line => line.push_str(&piece.text),
                _ if files.len() == 1 => all.push((line(piece.line), piece.text)),
                _ => {
                    let file = pieces.path().display();
                    all.push((format!("{file} {}", line(piece.line)), piece.text));
                }
            }
        }
        let is_blank = |(_, line): &(String, String)| line.trim().is_empty();
        let blank_lines = all.iter().filter(|line| is_blank(line)).count();
        let (places, lines) = all.into_iter().filter(|line| !is_blank(line)).unzip();
        let lines: Vec<String> = lines;
        if lines.is_empty() {
            return Err(PlainTextError::NoText { path }.into());
        }
        Ok(Self {
            path,
            lines,
            places,
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
            places: self.places.clone(),
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
