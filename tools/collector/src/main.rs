//! `sordino-collector`: the service, and the tokens of QA tools.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::json;
use sordino::Purpose;
use sordino_collector::{Config, Server, create_token};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Receives Sordino's sealed samples, hands them to QA tools, and honours withdrawals.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON document on stdout and nothing else.
    #[arg(long, global = true)]
    json: bool,
    /// How much to log on stderr.
    #[arg(long, global = true, value_enum, default_value_t = Level::Warn)]
    log: Level,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service until SIGINT or SIGTERM.
    Serve(Serve),
    /// The tokens that QA tools show.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// Host and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    listen: String,
    /// Where the objects lie: file://PATH or a folder [default: the data folder].
    #[arg(long, value_name = "URL")]
    objects: Option<String>,
    /// A signed plan to serve; samples must then be sealed to its recipients.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token and print it, this once. A collector may be running meanwhile.
    Create(Create),
}

#[derive(Args)]
struct Create {
    #[command(flatten)]
    place: Place,
    /// Who reads with it; people see it in their samples' access log.
    #[arg(long)]
    name: String,
    /// What it is good for: quality-assurance, recognition-research.
    #[arg(long, required = true, num_args = 1.., value_name = "P")]
    purpose: Vec<Purpose>,
}

#[derive(Args)]
struct Place {
    /// The folder that everything is kept in.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The database: sqlite://PATH [default: collector.sqlite in the data folder].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    log(cli.log);
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = error.to_string().replace('\n', " ");
            // Nothing is left to be told where stderr is gone.
            let _ = writeln!(io::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: &Cli) -> Outcome {
    match &cli.command {
        Command::Serve(serve) => run_service(serve, cli.json).await,
        Command::Token(TokenCommand::Create(create)) => make_token(create, cli.json).await,
    }
}

async fn run_service(serve: &Serve, as_json: bool) -> Outcome {
    let config = Config {
        listen: serve.listen.clone(),
        objects: serve.objects.as_deref().map(str::parse).transpose()?,
        plan: serve.plan.clone(),
        ..serve.place.config()?
    };
    let stop = stop_signal()?;
    let server = Server::start(config).await?;
    let url = format!("http://{}", server.address());
    print(&match as_json {
        true => json!({"listening": url}).to_string(),
        false => format!("listening on {url}"),
    })?;
    stop.await;
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

async fn make_token(create: &Create, as_json: bool) -> Outcome {
    let purposes = create.purpose.iter().copied().collect();
    let token = create_token(&create.place.config()?, &create.name, &purposes).await?;
    print(&match as_json {
        true => {
            json!({"token": token.as_str(), "name": create.name, "purposes": purposes}).to_string()
        }
        false => {
            format!(
                "{} may read for {purposes}, shown only now: {}",
                create.name,
                token.as_str()
            )
        }
    })?;
    Ok(())
}

impl Place {
    fn config(&self) -> Result<Config, sordino_collector::UrlError> {
        Ok(Config {
            database: self.database.as_deref().map(str::parse).transpose()?,
            ..Config::new(&self.data)
        })
    }
}

/// Ends with the first SIGINT or SIGTERM. Both are caught from now on.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without the signal there is no way to be told; then it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

fn print(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Only the collector's own lines, which name nobody; and without a clock time, which beside the
/// order of arrival would say when somebody played.
fn log(level: Level) {
    use tracing::level_filters::LevelFilter;
    let level = match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .without_time()
        .with_ansi(false);
    let own = Targets::new().with_target("sordino_collector", level);
    tracing_subscriber::registry()
        .with(lines.with_filter(own))
        .init();
}
