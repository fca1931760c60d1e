//! Lengths, and what the tokenizer makes of the texts.

use anyhow::Result;
use bert_text::check::{CutSummary, LengthSummary, UnknownSummary};
use bert_train::Pretrained;

use super::report::{Finding, Report, Severity};
use super::rows::Rows;
use crate::format::{count, counted};
use crate::table::Table;

/// From this share on, what is cut or unknown is no exception any more.
const MANY: f64 = 0.05;
/// Characters of the longest bar of a histogram.
const LONGEST_BAR: usize = 40;

/// Lengths in words, or with a model in tokens, with what is cut and what is unknown.
pub(crate) fn check(
    split: &str,
    rows: &Rows<'_>,
    pretrained: Option<&Pretrained>,
    report: &mut Report,
) -> Result<()> {
    let Some(pretrained) = pretrained else {
        let words = |text: &str| text.split_whitespace().count();
        let lengths = rows.texts().iter();
        let lengths = lengths.map(|(text, pair)| words(text) + pair.map_or(0, words));
        report_lengths(split, "words", &lengths.collect::<Vec<_>>(), report);
        return Ok(());
    };
    let (tokenizer, max_length) = (&pretrained.tokenizer, pretrained.max_length);
    let encodings = tokenizer.encode_batch(rows.texts(), max_length)?;
    let lengths = encodings.iter().map(|one| one.len() + one.truncated_tokens);
    report_lengths(split, "tokens", &lengths.collect::<Vec<_>>(), report);

    let cut = CutSummary::of(&encodings);
    let unknown = UnknownSummary::of(&encodings, tokenizer.unk_token_id());
    let path = rows.path().display();
    if cut.rows > 0 {
        let message = format!(
            "{path}: {} ({:.1} %) cut at {max_length} tokens, {:.1} % of all tokens lost",
            counted(cut.rows, "row"),
            100.0 * cut.share_of_rows,
            100.0 * cut.share_of_tokens
        );
        report.findings([Finding::new(severity(cut.share_of_rows), message)]);
    }
    if unknown.tokens > 0 {
        let message = format!(
            "{path}: {} ({:.2} %) not in the vocabulary, in {}",
            counted(unknown.tokens, "token"),
            100.0 * unknown.share,
            counted(unknown.rows, "row")
        );
        report.findings([Finding::new(severity(unknown.share), message)]);
    }
    report.figures(split, "cut", cut, Vec::new());
    report.figures(split, "unknown", unknown, Vec::new());
    Ok(())
}

fn severity(share: f64) -> Severity {
    if share >= MANY {
        Severity::Warning
    } else {
        Severity::Note
    }
}

fn report_lengths(split: &str, unit: &str, lengths: &[usize], report: &mut Report) {
    let Some(summary) = LengthSummary::of(lengths) else {
        return;
    };
    let title = unit.to_uppercase();
    let mut table = Table::new(&[&title, "ROWS", ""]);
    let most = summary.histogram.iter().map(|bucket| bucket.rows).max();
    for bucket in &summary.histogram {
        let bar = (bucket.rows * LONGEST_BAR).div_ceil(most.unwrap_or(1).max(1));
        table.push(vec![
            format!("{}-{}", bucket.from, bucket.to),
            count(bucket.rows),
            "█".repeat(bar),
        ]);
    }
    let mut lines = table.lines();
    lines.push(format!(
        "{unit}: mean {:.1}, median {}, 90 % up to {}, 99 % up to {}, longest {}",
        summary.mean, summary.median, summary.p90, summary.p99, summary.max
    ));
    lines.push(String::new());
    report.figures(split, &format!("length_in_{unit}"), &summary, lines);
}
