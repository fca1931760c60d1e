//! What the example binaries share: they show the library, this crate shows their progress.
//!
//! It does *not* hold anything that a program of yours would need to copy.

#[cfg(doctest)]
mod snippets;

use std::path::Path;

use bert_hub::Progress;
use bert_text::{Column, ColumnOptions, Dataset, Example, Label, RowFilter, regression_targets};
use bert_train::{EvaluationReport, Observer, Plan, StepReport, TrainError};
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
        let name = report.evaluation.selected_by.as_ref();
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

/// The film reviews in the directory of the data set `movie-review-snippets`: nine of ten to train on, and every tenth held
/// out. Reviews that people rated near zero are left out, because chance decides whether those are good or bad.
pub fn movie_reviews(dir: &Path) -> anyhow::Result<(Dataset, Dataset)> {
    // Id, rating from -4 to 4, sentence.
    let columns = ColumnOptions {
        text: Some(Column::Index(2)),
        label: Some(Column::Index(1)),
        header: Some(false),
        ..ColumnOptions::default()
    };
    let path = dir.join("movieReviewSnippets_GroundTruth.txt");
    let rated = Dataset::read(&path, &columns)?;
    let ratings = regression_targets(&rated)?;
    let clear = rated.examples.into_iter().zip(ratings);
    let clear = clear.filter(|(_, rating)| rating.abs() >= 0.5);
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    for (index, (review, rating)) in clear.enumerate() {
        let part = match (index + 1).is_multiple_of(10) {
            true => &mut held_out,
            false => &mut training,
        };
        part.push(Example {
            text: review.text.trim().to_owned(),
            label: Some(Label::Name(
                if rating > 0.0 { "good" } else { "bad" }.into(),
            )),
            ..review
        });
    }
    let dataset = |examples| Dataset::new(path.clone(), examples);
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
    use super::{Dataset, Label, keep_evenly, movie_reviews};

    #[test]
    fn every_tenth_clear_review_is_held_out() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // Rows 5 and 10 are not clear, so the tenth clear one is row 12. Quotes are plain characters.
        let rows = (1..=13).map(|row| {
            let rating = match row {
                5 | 10 => "0.49",
                row if row % 2 == 0 => "-0.5",
                _ => "2.25",
            };
            format!("{row}\t{rating}\t \"clichés\" of film {row} \r\n")
        });
        let file = dir.path().join("movieReviewSnippets_GroundTruth.txt");
        std::fs::write(file, rows.collect::<String>()).expect("the file is written");

        let (training, held_out) = movie_reviews(dir.path()).expect("the film reviews");

        let lines = |data: &Dataset| -> Vec<usize> {
            data.examples.iter().map(|example| example.line).collect()
        };
        assert_eq!(lines(&training), [1, 2, 3, 4, 6, 7, 8, 9, 11, 13]);
        assert_eq!(lines(&held_out), [12]);
        assert_eq!(held_out.examples[0].text, "\"clichés\" of film 12");
        let labels: Vec<_> = training.examples[..3]
            .iter()
            .map(|row| &row.label)
            .collect();
        let [good, bad] = ["good", "bad"].map(|name| Some(Label::Name(name.to_owned())));
        assert_eq!(labels, [&good, &bad, &good]);
    }

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
