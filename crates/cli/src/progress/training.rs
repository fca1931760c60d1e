//! Progress of a training run.

use std::path::Path;
use std::time::Instant;

use bert_tasks::figures;
use bert_train::{EvaluationReport, ExchangeReport, Observer, Plan, StepReport, TrainError};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

use super::smoothed::Smoothed;
use super::{LINE_INTERVAL, on_terminal};
use crate::format::{clock, count, counted};

/// Without a terminal a line is printed after every tenth of the steps, and [`LINE_INTERVAL`] after the last one.
const LINE_SHARE: usize = 10;

/// Shows loss, learning rate, tokens a second and time left. Of each evaluation it shows the figure that decides which
/// checkpoint is best; the log has all figures.
pub(crate) struct TrainingProgress {
    display: Display,
    total_steps: usize,
    /// Done by an earlier process.
    steps_before: usize,
    loss: Smoothed,
    tokens_per_second: Smoothed,
    started: Instant,
}

enum Display {
    Bar(ProgressBar),
    Lines { last: Instant, every: usize },
}

impl TrainingProgress {
    pub(crate) fn new() -> Self {
        let display = if on_terminal() {
            Display::Bar(ProgressBar::new(0))
        } else {
            Display::Lines {
                last: Instant::now(),
                every: 1,
            }
        };
        Self {
            display,
            total_steps: 0,
            steps_before: 0,
            loss: Smoothed::default(),
            tokens_per_second: Smoothed::default(),
            started: Instant::now(),
        }
    }

    fn time_left(&self, step: usize) -> String {
        let left = self.total_steps.saturating_sub(step);
        let done = step.saturating_sub(self.steps_before);
        clock(
            self.started
                .elapsed()
                .mul_f64(left as f64 / done.max(1) as f64),
        )
    }

    fn print(&self, line: &str) {
        match &self.display {
            Display::Bar(bar) => bar.suspend(|| say!("{line}")),
            Display::Lines { .. } => say!("{line}"),
        }
    }
}

/// The bar is cleared when the run ends, in success or failure.
impl Drop for TrainingProgress {
    fn drop(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}

impl Observer for TrainingProgress {
    fn started(&mut self, plan: &Plan<'_>) -> Result<(), TrainError> {
        self.total_steps = plan.schedule.total_steps;
        self.started = Instant::now();
        self.print(&plan_line(plan));
        match &mut self.display {
            Display::Bar(bar) => {
                let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len}  {msg}");
                bar.set_style(style.expect("the template is valid").progress_chars("━━─"));
                bar.set_length(self.total_steps as u64);
            }
            Display::Lines { last, every } => {
                *last = Instant::now();
                *every = self.total_steps.div_ceil(LINE_SHARE);
            }
        }
        Ok(())
    }

    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        let loss = self.loss.add(report.loss);
        let speed = self
            .tokens_per_second
            .add(report.tokens as f64 / report.seconds.max(1e-9));
        let figures = format!(
            "loss {loss:.4}  lr {:.2e}  {} tokens/s  {} left",
            report.learning_rate,
            count(speed as usize),
            self.time_left(report.step)
        );
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_message(figures);
                bar.set_position(report.step as u64);
            }
            Display::Lines { last, every } => {
                if report.step.is_multiple_of(*every) || last.elapsed() >= LINE_INTERVAL {
                    say!(
                        "step    {}/{}  {figures}",
                        count(report.step),
                        count(self.total_steps)
                    );
                    *last = Instant::now();
                }
            }
        }
        Ok(())
    }

    fn evaluating(&mut self, share: f64) {
        let percent = 100.0 * share;
        match &mut self.display {
            Display::Bar(bar) => bar.set_message(format!("evaluating, {percent:.0} %")),
            Display::Lines { last, .. } if last.elapsed() >= LINE_INTERVAL => {
                say!("eval    {percent:.0} % done");
                *last = Instant::now();
            }
            Display::Lines { .. } => {}
        }
    }

    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        let evaluation = report.evaluation;
        let figure = |name: &str| {
            let figures = figures(&evaluation.metrics);
            let found = figures.into_iter().find(|(one, _)| one == name);
            found
                .and_then(|(_, value)| value)
                .map(|value| format!("  {name} {value:.4}"))
                .unwrap_or_default()
        };
        let loss = match evaluation.selected_by == "loss" {
            true => String::new(),
            false => figure("loss"),
        };
        let best = if report.is_best {
            "  (best so far)"
        } else {
            ""
        };
        self.print(&format!(
            "eval    step {}, epoch {:.2}{}{}{best}",
            count(report.step),
            report.epoch,
            figure(&evaluation.selected_by),
            loss
        ));
        Ok(())
    }

    fn stopped_early(
        &mut self,
        step: usize,
        evaluations_since_best: usize,
    ) -> Result<(), TrainError> {
        self.print(&format!(
            "stop    step {}: no better than the best in {}",
            count(step),
            counted(evaluations_since_best, "evaluation")
        ));
        Ok(())
    }

    fn resumed(&mut self, plan: &Plan<'_>, _states: &Map<String, Value>) -> Result<(), TrainError> {
        self.started(plan)?;
        self.steps_before = plan.steps_done;
        self.print(&format!(
            "resume  after step {} of {}",
            count(plan.steps_done),
            count(self.total_steps)
        ));
        if let Display::Bar(bar) = &self.display {
            bar.set_position(plan.steps_done as u64);
        }
        Ok(())
    }

    fn checkpointed(&mut self, dir: &Path, seconds: f64) {
        if let Display::Lines { .. } = self.display {
            say!("saved   {} in {seconds:.1} s", dir.display());
        }
    }

    fn exchanged(&mut self, report: &ExchangeReport) -> Result<(), TrainError> {
        self.print(&format!(
            "ranks   {} processes; in a step each sends {:.2} MB in {:.1} messages, {:.2} MB during the backward pass",
            count(report.processes),
            report.bytes_per_step() / 1e6,
            report.messages_per_step(),
            report.overlapped_bytes_per_step() / 1e6
        ));
        Ok(())
    }

    fn saved(&mut self, dir: &Path) {
        if let Display::Lines { .. } = self.display {
            say!("saved   {}", dir.display());
        }
    }
}

fn plan_line(plan: &Plan<'_>) -> String {
    let share = if plan.trainable_parameters == plan.parameters {
        "all parameters".to_owned()
    } else {
        format!(
            "{} of {} parameters",
            count(plan.trainable_parameters),
            count(plan.parameters)
        )
    };
    let kept = match plan.keeps_features {
        true => "; features of the frozen part are cached",
        false => "",
    };
    format!(
        "train   {} ({} an epoch, {} to warm up), {share}{kept}",
        counted(plan.schedule.total_steps, "step"),
        count(plan.steps_per_epoch),
        count(plan.schedule.warmup_steps)
    )
}
