//! Progress of a download.

use bert_hub::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use super::on_terminal;
use crate::format::bytes;

/// A bar for each file, one after the other; without a terminal a line for each file.
pub(crate) struct FetchProgress {
    name: String,
    is_terminal: bool,
    bar: Option<ProgressBar>,
}

impl FetchProgress {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_terminal: on_terminal(),
            bar: None,
        }
    }
}

impl Progress for FetchProgress {
    fn start(&mut self, file: &str, done_bytes: u64, total_bytes: Option<u64>) {
        if !self.is_terminal {
            let size = total_bytes.map_or(String::new(), |total| format!(", {}", bytes(total)));
            say!("fetch   {}: {file}{size}", self.name);
            return;
        }
        let template = match total_bytes {
            Some(_) => {
                "{msg} {bar:30} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left"
            }
            None => "{msg} {spinner} {decimal_bytes}  {decimal_bytes_per_sec}",
        };
        let bar = total_bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let style = ProgressStyle::with_template(template).expect("the templates are valid");
        bar.set_style(style.progress_chars("━━─"));
        bar.set_message(format!("{}: {file}", self.name));
        bar.set_position(done_bytes);
        // What an earlier run transferred says nothing about the speed of this one.
        bar.reset_eta();
        self.bar = Some(bar);
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn note(&mut self, message: &str) {
        let print = || say!("fetch   {message}");
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}
