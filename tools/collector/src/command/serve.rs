//! `sordino-collector serve`.

use std::{io, path::PathBuf, thread, time::Duration};

use clap::{Args, ValueEnum};
use serde_json::json;
use sordino_collector::{
    Config, Limits, Proxies, ProxyHeader, Rate, RateLimits, Server, TlsFiles, Verdicts, parse_name,
};

use super::{CommandResult, StoreArgs, print};

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    place: StoreArgs,
    /// Host and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    listen: String,
    /// A name that devices know the collector by, with a port where it is not the default one; may be given more than
    /// once. A request that is signed for another one is refused [default: none is].
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_name)]
    name: Vec<String>,
    /// A signed plan to serve; samples must then be sealed to its recipients.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// How verdicts of the review page are kept: sealed to the plan's recipients, or readable here.
    #[arg(long, value_enum, default_value_t = VerdictsArg::Sealed)]
    verdicts: VerdictsArg,
    #[command(flatten)]
    tls: TlsArgs,
    /// Host and port to serve /metrics on without a token, for the operator's network alone.
    #[arg(long, value_name = "ADDR")]
    metrics: Option<String>,
    #[command(flatten)]
    rates: RateArgs,
    /// How long to take connections after /readyz says that the service stops, so that whoever spreads
    /// requests notices.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    drain: u16,
    /// End as on SIGTERM once standard input is closed, for a program that starts the service and must not
    /// leave it running, however that program ends.
    #[arg(long)]
    exit_on_stdin_close: bool,
}

#[derive(Args)]
struct TlsArgs {
    /// Speak https with this certificate, in PEM; taken anew when it changes, and on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(Args)]
struct RateArgs {
    /// How many proxies of your own stand in front; they name the client, for the limits' sake.
    #[arg(long, value_name = "N", default_value_t = 0)]
    trusted_proxies: u8,
    /// The header in which they name it.
    #[arg(long, value_enum, default_value_t = ProxyHeaderArg::XForwardedFor)]
    proxy_header: ProxyHeaderArg,
    /// How many requests one network (/24, /48) may make at once, and how many a second for long; 0 for
    /// any number.
    #[arg(long, value_name = "BURST[/SECOND]", value_parser = network_rate, default_value = "3000/50")]
    network_rate: Rate,
    /// The same for one consent record.
    #[arg(long, value_name = "BURST[/SECOND]", value_parser = record_rate, default_value = "1000/5")]
    record_rate: Rate,
}

#[derive(Clone, Copy, ValueEnum)]
enum VerdictsArg {
    Sealed,
    Plain,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProxyHeaderArg {
    XForwardedFor,
    Forwarded,
}

impl Serve {
    /// Runs the service until SIGINT or SIGTERM, or until standard input is closed where that is asked for.
    pub(crate) async fn run(&self, as_json: bool) -> CommandResult {
        let stop = stop_signal()?;
        let closed = stdin_closed(self.exit_on_stdin_close)?;
        let mut renew = reload_signals()?;
        let server = Server::start(self.config()?).await?;
        let url = server.url();
        let metrics = server.metrics_address();
        let metrics = metrics.map(|address| format!("http://{address}/metrics"));
        print(&match (as_json, metrics) {
            (true, metrics) => json!({"listening": url, "metrics": metrics}).to_string(),
            (false, None) => format!("listening on {url}"),
            (false, Some(metrics)) => format!("listening on {url}\nmetrics at {metrics}"),
        })?;
        tokio::pin!(stop, closed);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = &mut closed => break,
                () = renew.next() => server.reload_certificate(),
            }
        }
        tracing::info!("stopping");
        server.shutdown().await;
        Ok(())
    }

    fn config(&self) -> Result<Config, sordino_collector::UrlError> {
        let files = self.tls.tls_cert.clone().zip(self.tls.tls_key.clone());
        let header = match self.rates.proxy_header {
            ProxyHeaderArg::XForwardedFor => ProxyHeader::XForwardedFor,
            ProxyHeaderArg::Forwarded => ProxyHeader::Forwarded,
        };
        Ok(Config {
            listen: self.listen.clone(),
            names: self.name.clone(),
            plan: self.plan.clone(),
            verdicts: match self.verdicts {
                VerdictsArg::Sealed => Verdicts::Sealed,
                VerdictsArg::Plain => Verdicts::Plain,
            },
            tls: files.map(|(certificate, key)| TlsFiles { certificate, key }),
            metrics: self.metrics.clone(),
            proxies: Proxies {
                trusted: self.rates.trusted_proxies,
                header,
            },
            rates: RateLimits {
                network: self.rates.network_rate,
                record: self.rates.record_rate,
            },
            limits: Limits {
                drain: Duration::from_secs(self.drain.into()),
                ..Limits::default()
            },
            ..self.place.config()?
        })
    }
}

fn network_rate(text: &str) -> Result<Rate, String> {
    parse_rate(text, RateLimits::default().network)
}

fn record_rate(text: &str) -> Result<Rate, String> {
    parse_rate(text, RateLimits::default().record)
}

/// `BURST/SECOND`, `BURST`, or 0.
fn parse_rate(text: &str, usual: Rate) -> Result<Rate, String> {
    let wrong = || "give BURST/SECOND in whole numbers from 1, or 0 for no limit".to_owned();
    let (burst, per_second) = match text.split_once('/') {
        Some((burst, per_second)) => (burst, per_second.parse().map_err(|_| wrong())?),
        None => (text, usual.per_second),
    };
    let burst = burst.parse().map_err(|_| wrong())?;
    match per_second {
        0 => Err(wrong()),
        per_second => Ok(Rate { burst, per_second }),
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

/// Ends once standard input does; without `is_asked`, never, and standard input is left alone. The system closes a
/// pipe with the last process that holds its other end, so this also tells of one that was killed.
fn stdin_closed(is_asked: bool) -> io::Result<impl Future<Output = ()>> {
    let (at_end, ended) = tokio::sync::oneshot::channel();
    if is_asked {
        // A thread of its own: the runtime would wait for one of its own that reads, and this one may read for ever.
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                // What cannot be read has ended too.
                let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
                // Nobody waits where a signal came first.
                let _ = at_end.send(());
            })?;
    }
    Ok(async move {
        if !is_asked || ended.await.is_err() {
            std::future::pending().await
        }
    })
}

/// SIGHUP, caught from now on: each is a wish for a new certificate.
struct ReloadSignals {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

fn reload_signals() -> io::Result<ReloadSignals> {
    Ok(ReloadSignals {
        #[cfg(unix)]
        signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
    })
}

impl ReloadSignals {
    async fn next(&mut self) {
        #[cfg(unix)]
        if self.signal.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}
