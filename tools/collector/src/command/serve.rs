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
    /// Host and port to listen on; port 0 selects a free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    listen: String,
    /// A name by which devices reach the collector, with the port unless it is the default one; can be repeated.
    /// Requests that are signed for another name are rejected [default: all names are accepted].
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_name)]
    name: Vec<String>,
    /// The signed plan to serve; samples must be sealed to its recipients.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Storage of verdicts of the review page: sealed to the plan's recipients, or in plain text.
    #[arg(long, value_enum, default_value_t = VerdictsArg::Sealed)]
    verdicts: VerdictsArg,
    #[command(flatten)]
    tls: TlsArgs,
    /// Host and port to serve /metrics on without a token, for the operator's network only.
    #[arg(long, value_name = "ADDR")]
    metrics: Option<String>,
    #[command(flatten)]
    rates: RateArgs,
    /// Time to accept connections after /readyz reports the shutdown, so that load balancers notice.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    drain: u16,
    /// Stop as on SIGTERM when standard input is closed, so that the service ends with the program that started it.
    #[arg(long)]
    exit_on_stdin_close: bool,
}

#[derive(Args)]
struct TlsArgs {
    /// Serve https with this PEM certificate; reloaded when it changes and on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The PEM private key of the certificate.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(Args)]
struct RateArgs {
    /// The number of your own reverse proxies in front of the collector, whose header names the client for the rate
    /// limits.
    #[arg(long, value_name = "N", default_value_t = 0)]
    trusted_proxies: u8,
    /// The header that they set.
    #[arg(long, value_enum, default_value_t = ProxyHeaderArg::XForwardedFor)]
    proxy_header: ProxyHeaderArg,
    /// Rate limit per network (/24, /48): the burst, and the sustained requests per second; 0 disables it.
    #[arg(long, value_name = "BURST[/SECOND]", value_parser = network_rate, default_value = "3000/50")]
    network_rate: Rate,
    /// Rate limit per consent record.
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
    /// Runs the service until SIGINT or SIGTERM, or until standard input is closed if requested.
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
fn parse_rate(text: &str, default: Rate) -> Result<Rate, String> {
    let wrong = || "expected BURST/SECOND in positive integers, or 0 for no limit".to_owned();
    let (burst, per_second) = match text.split_once('/') {
        Some((burst, per_second)) => (burst, per_second.parse().map_err(|_| wrong())?),
        None => (text, default.per_second),
    };
    let burst = burst.parse().map_err(|_| wrong())?;
    match per_second {
        0 => Err(wrong()),
        per_second => Ok(Rate { burst, per_second }),
    }
}

/// Completes on the first SIGINT or SIGTERM; both are caught from now on.
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
        // Without the signal handler, the service runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

/// Completes when standard input is closed; never, and without reading it, unless `is_enabled`. The system closes a
/// pipe with the last process that has its other end open, so this also detects a killed parent.
fn stdin_closed(is_enabled: bool) -> io::Result<impl Future<Output = ()>> {
    let (at_end, ended) = tokio::sync::oneshot::channel();
    if is_enabled {
        // A separate thread, because the runtime would wait at shutdown for a blocking read on one of its own.
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                // A read error also ends it.
                let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
                // The receiver is gone if a signal came first.
                let _ = at_end.send(());
            })?;
    }
    Ok(async move {
        if !is_enabled || ended.await.is_err() {
            std::future::pending().await
        }
    })
}

/// SIGHUP, caught from now on: each requests a reload of the certificate.
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
