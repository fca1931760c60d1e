//! What the example binaries share: they show the library, this crate shows their progress.
//!
//! It does *not* hold anything that a program of yours would need to copy.

#[cfg(doctest)]
mod snippets;

use std::path::{Path, PathBuf};

use bert_text::{Column, ColumnOptions, Dataset, Example, Label, RowFilter};
use bert_train::{EvaluationReport, Observer, Plan, StepReport, TrainError};
use bert_weights::fetch::{MovieReview, Progress, parse_movie_reviews};
use indicatif::{ProgressBar, ProgressStyle};

/// Progress of downloads and of training as bars on standard error, where that is a terminal, and notes as lines.
#[derive(Debug)]
pub struct Console {
    bar: ProgressBar,
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Console {
    /// A console that shows nothing yet.
    pub fn new() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    fn show(&mut self, length: u64, template: &str) {
        self.bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
    }

    /// A line that stays.
    #[expect(
        clippy::print_stderr,
        reason = "this is where the examples talk to people"
    )]
    fn line(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }
}

impl Progress for Console {
    fn start(&mut self, file: &str, done_bytes: u64, total_bytes: Option<u64>) {
        self.show(
            total_bytes.unwrap_or(0),
            "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
        );
        self.bar.set_message(file.to_owned());
        self.bar.set_position(done_bytes);
    }

    fn advance(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }

    fn note(&mut self, message: &str) {
        self.line(message);
    }
}

impl Observer for Console {
    fn started(&mut self, plan: &Plan<'_>) -> Result<(), TrainError> {
        let steps = plan.schedule.total_steps as u64;
        self.show(steps, "step {pos}/{len} {wide_bar} {msg} · {eta} left");
        Ok(())
    }

    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        let tokens_per_second = report.tokens as f64 / report.seconds.max(f64::EPSILON);
        self.bar.set_message(format!(
            "loss {:.3} · learning rate {:.1e} · {tokens_per_second:.0} tokens/s",
            report.loss, report.learning_rate
        ));
        self.bar.inc(1);
        Ok(())
    }

    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        let name = report.evaluation.selected_by;
        // The score itself is turned around where lower is better.
        let figure = report.evaluation.metrics.get(name);
        let figure = figure.and_then(|figure| figure.as_f64());
        let figure = figure.unwrap_or(report.evaluation.score);
        self.line(&format!("epoch {:.1}: {name} {figure:.4}", report.epoch));
        Ok(())
    }

    fn saved(&mut self, dir: &Path) {
        self.bar.set_message(format!("saved to {}", dir.display()));
    }

    fn finished(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `8,012 sentences`.
pub fn sentence_count(data: &Dataset) -> String {
    format!(
        "{} sentences",
        indicatif::HumanCount(data.examples.len() as u64)
    )
}

/// Nine of ten sentences to train on and the tenth held out. Sentences that people rated near zero are left out: whether
/// they are good or bad is chance.
pub fn movie_reviews(path: PathBuf) -> anyhow::Result<(Dataset, Dataset)> {
    let rated = parse_movie_reviews(&std::fs::read(&path)?)?;
    let clear = rated
        .into_iter()
        .filter(|review| review.rating.abs() >= 0.5);
    let example = |(index, review): (usize, MovieReview)| Example {
        text: review.sentence,
        text_pair: None,
        label: Some(Label::Name(
            if review.rating > 0.0 { "good" } else { "bad" }.into(),
        )),
        line: index + 1,
    };
    let (held_out, training): (Vec<_>, Vec<_>) = clear
        .enumerate()
        .map(example)
        .partition(|example| example.line.is_multiple_of(10));
    let dataset = |examples| Dataset {
        path: path.clone(),
        examples,
    };
    Ok((dataset(training), dataset(held_out)))
}

/// Leaves so many, from all over: a file that is sorted, as the film reviews' is, has one class at its beginning.
pub fn keep_evenly<T>(examples: &mut Vec<T>, count: usize) {
    let all = examples.len();
    let mut index = 0;
    examples.retain(|_| {
        let kept = count >= all || index * count / all != (index + 1) * count / all;
        index += 1;
        kept
    });
}

/// The pairs of one split of SICK, whose file holds all of them: `TRAIN`, `TRIAL` or `TEST`.
pub fn sick_pairs(path: &Path, split: &str) -> anyhow::Result<Dataset> {
    let filter = RowFilter {
        column: Column::Name("SemEval_set".to_owned()),
        value: split.to_owned(),
    };
    let options = ColumnOptions {
        filters: vec![filter],
        ..ColumnOptions::default()
    };
    Ok(Dataset::read(path, &options)?)
}

#[cfg(test)]
mod tests {
    use super::keep_evenly;

    #[test]
    fn what_is_kept_comes_from_all_over() {
        for (count, expected) in [
            (0, vec![]),
            (1, vec![9]),
            (3, vec![3, 6, 9]),
            (10, (0..10).collect()),
            (usize::MAX, (0..10).collect()),
        ] {
            let mut numbers: Vec<usize> = (0..10).collect();
            keep_evenly(&mut numbers, count);
            assert_eq!(numbers, expected, "{count} of ten");
        }
    }
}
