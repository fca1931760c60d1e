//! Lengths of texts, truncation, and unknown tokens.

use anyhow::Result;
use bert_tasks::Pretrained;
use bert_text::Encoding;
use bert_text::check::{CutSummary, LengthBucket, LengthSummary, UnknownSummary};

use super::report::{Finding, Report, Severity};
use super::rows::Rows;
use crate::format::{count, counted};
use crate::table::Table;

/// From this share on, cut rows or unknown tokens are a warning.
const MANY: f64 = 0.05;
/// Characters of the longest bar of a histogram.
const LONGEST_BAR: usize = 40;

/// Lengths in words; with a model lengths in tokens, cut rows and unknown tokens.
pub(crate) fn check(
    split: &str,
    rows: &Rows<'_>,
    pretrained: Option<&Pretrained>,
    report: &mut Report,
) -> Result<()> {
    let Some(pretrained) = pretrained else {
        lengths_in_words(split, rows, report);
        return Ok(());
    };
    let (tokenizer, max_length) = (&pretrained.tokenizer, pretrained.max_length);
    let encodings = tokenizer.encode_batch(&rows.texts, max_length)?;
    let lengths = encodings.iter().map(|one| one.len() + one.truncated_tokens);
    lengths_of(split, "token", &lengths.collect::<Vec<_>>(), rows, report);
    let cut = CutSummary::of(&encodings);
    if cut.rows > 0 {
        let message = format!(
            "{}: {} ({:.1} %) cut at {max_length} tokens, {:.1} % of all tokens lost",
            rows.path.display(),
            rows.counted(cut.rows),
            100.0 * cut.share_of_rows,
            100.0 * cut.share_of_tokens
        );
        report.findings([Finding::new(severity(cut.share_of_rows), message)]);
    }
    report.figures(split, "cut", cut, Vec::new());
    let unknown = UnknownSummary::of(&encodings, tokenizer.unk_token_id());
    unknown_tokens(split, unknown, rows, report);
    Ok(())
}

/// As [`check`], for a task that reads long rows in windows and cuts nothing. Returns the lengths in tokens.
pub(crate) fn check_whole(
    split: &str,
    rows: &Rows<'_>,
    pretrained: &Pretrained,
    report: &mut Report,
) -> Result<Vec<usize>> {
    let tokenizer = &pretrained.tokenizer;
    let encodings = tokenizer.encode_batch(&rows.texts, usize::MAX)?;
    let lengths: Vec<usize> = encodings.iter().map(Encoding::len).collect();
    lengths_of(split, "token", &lengths, rows, report);
    let unknown = UnknownSummary::of(&encodings, tokenizer.unk_token_id());
    unknown_tokens(split, unknown, rows, report);
    Ok(lengths)
}

/// Lengths without a tokenizer.
pub(crate) fn lengths_in_words(split: &str, rows: &Rows<'_>, report: &mut Report) {
    let words = |text: &str| text.split_whitespace().count();
    let lengths = rows.texts.iter();
    let lengths = lengths.map(|(text, pair)| words(text) + pair.map_or(0, words));
    lengths_of(split, "word", &lengths.collect::<Vec<_>>(), rows, report);
}

/// Tokens that the vocabulary does not know.
pub(crate) fn unknown_tokens(
    split: &str,
    unknown: UnknownSummary,
    rows: &Rows<'_>,
    report: &mut Report,
) {
    if unknown.tokens > 0 {
        let message = format!(
            "{}: {} ({:.2} %) not in the vocabulary, in {}",
            rows.path.display(),
            counted(unknown.tokens, "token"),
            100.0 * unknown.share,
            rows.counted(unknown.rows)
        );
        report.findings([Finding::new(severity(unknown.share), message)]);
    }
    report.figures(split, "unknown", unknown, Vec::new());
}

/// A note below the share [`MANY`], a warning from there on.
pub(crate) fn severity(share: f64) -> Severity {
    if share >= MANY {
        Severity::Warning
    } else {
        Severity::Note
    }
}

/// Lengths of the rows, as a histogram and in numbers.
pub(crate) fn lengths_of(
    split: &str,
    unit: &str,
    lengths: &[usize],
    rows: &Rows<'_>,
    report: &mut Report,
) {
    let key = format!("length_in_{unit}s");
    histogram(
        split,
        &key,
        [&format!("{unit}s"), rows.nouns.row],
        lengths,
        report,
    );
}

/// A histogram of some numbers under a key, with what is measured and what is counted.
pub(crate) fn histogram(
    split: &str,
    key: &str,
    [unit, row]: [&str; 2],
    lengths: &[usize],
    report: &mut Report,
) {
    let Some(summary) = LengthSummary::of(lengths) else {
        return;
    };
    let title = [unit.to_uppercase(), format!("{row}s").to_uppercase()];
    let mut table = Table::new(&[&title[0], &title[1], ""]);
    let most = summary.histogram.iter().map(|bucket| bucket.rows).max();
    for bucket in &summary.histogram {
        let bar = (bucket.rows * LONGEST_BAR).div_ceil(most.unwrap_or(1).max(1));
        table.push(vec![range(bucket), count(bucket.rows), "█".repeat(bar)]);
    }
    let mut lines = table.lines();
    lines.push(format!(
        "{unit}: mean {:.1}, median {}, 90 % up to {}, 99 % up to {}, longest {}",
        summary.mean, summary.median, summary.p90, summary.p99, summary.max
    ));
    lines.push(String::new());
    report.figures(split, key, &summary, lines);
}

fn range(bucket: &LengthBucket) -> String {
    if bucket.from == bucket.to {
        bucket.from.to_string()
    } else {
        format!("{}-{}", bucket.from, bucket.to)
    }
}
