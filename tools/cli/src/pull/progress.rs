//! The progress of a pull on a terminal: samples, bytes, rate.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use sordino::Purpose;

/// The line on the terminal. It is removed on drop.
pub(super) struct Progress {
    bar: ProgressBar,
    purpose: Purpose,
    samples: usize,
}

impl Progress {
    /// Shows the line on a terminal, unless `quiet`.
    pub(super) fn new(purpose: Purpose, quiet: bool) -> Self {
        let bar = match quiet || !io::stderr().is_terminal() {
            true => ProgressBar::hidden(),
            false => ProgressBar::new_spinner(),
        };
        let style = ProgressStyle::with_template("{spinner} {msg}, {bytes}, {bytes_per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        let progress = Self {
            bar,
            purpose,
            samples: 0,
        };
        progress.show();
        progress
    }

    /// Counts a sample with this number of sealed bytes.
    pub(super) fn sample(&mut self, bytes: usize) {
        self.samples += 1;
        self.bar.inc(bytes as u64);
        self.show();
    }

    fn show(&self) {
        self.bar
            .set_message(format!("{}: {} samples", self.purpose, self.samples));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
