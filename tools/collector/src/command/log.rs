//! Logging to stderr.

use std::io;

use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Options of the log.
#[derive(Args)]
pub(crate) struct Log {
    /// The minimum level of log messages on stderr.
    #[arg(long, global = true, value_enum, default_value_t = Level::Warn)]
    log: Level,
    /// The format of the log: text, or one JSON object per line.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    log_format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Log {
    /// Starts logging. Only the collector's own messages are logged, which contain no personal data, and without a
    /// time, which together with the order of arrival would reveal when somebody played.
    pub(crate) fn start(&self) {
        let level = match self.log {
            Level::Off => LevelFilter::OFF,
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
        };
        let own = Targets::new().with_target("sordino_collector", level);
        let lines = fmt::layer()
            .with_writer(io::stderr)
            .without_time()
            .with_ansi(false);
        let lines = match self.log_format {
            Format::Text => lines.boxed(),
            Format::Json => lines.json().flatten_event(true).boxed(),
        };
        tracing_subscriber::registry()
            .with(lines.with_filter(own))
            .init();
    }
}
