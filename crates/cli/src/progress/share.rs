//! Progress as a share of the work, or as a count.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{LINE_INTERVAL, on_terminal};

/// Steps of the bar.
const PARTS: u64 = 1000;

/// A bar from 0 to 100 %, cleared on drop. Without a terminal a line from time to time.
pub(crate) struct ShareBar {
    what: &'static str,
    bar: ProgressBar,
    /// When the last line was printed.
    last: Cell<Instant>,
}

impl ShareBar {
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = if on_terminal() {
            ProgressBar::new(PARTS)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{msg} {bar:30} {percent:>3} %  {eta} left");
        bar.set_style(style.expect("the template is valid").progress_chars("━━─"));
        bar.set_message(what);
        Self {
            what,
            bar,
            last: Cell::new(Instant::now()),
        }
    }

    pub(crate) fn set(&self, share: f64) {
        self.bar.set_position((share * PARTS as f64) as u64);
        if self.bar.is_hidden() && self.last.get().elapsed() >= LINE_INTERVAL {
            say!("{}, {:.0} % done", self.what, 100.0 * share);
            self.last.set(Instant::now());
        }
    }
}

impl Drop for ShareBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A count, cleared on drop. Nothing is drawn without a terminal, or when results go to the terminal.
pub(crate) struct Counter(ProgressBar);

impl Counter {
    pub(crate) fn new() -> Self {
        let is_shown = on_terminal() && !std::io::IsTerminal::is_terminal(&std::io::stdout());
        let bar = if is_shown {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {human_pos} inputs, {per_sec}");
        bar.set_style(style.expect("the template is valid"));
        if is_shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.inc(count as u64);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
