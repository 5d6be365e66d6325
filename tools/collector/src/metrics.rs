//! Metrics for Prometheus: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! Requests are counted by route template, never by path; no label identifies a record, a sample, a reader or an
//! address.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{
    database::{Database, Stats},
    errors::ProblemType,
};

/// The content type of the metrics.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The cache time of the database's statistics: counting a million rows takes a while.
const STATS_TTL: Duration = Duration::from_secs(15);
/// The timeout of the statistics; afterwards the last ones are shown.
const STATS_TIMEOUT: Duration = Duration::from_secs(5);
/// The buckets of request durations in seconds, from a response out of memory to a body over a slow connection.
const DURATION_BUCKETS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0,
];

/// A route template and a method, both from fixed sets.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    pub(crate) route: &'static str,
    pub(crate) method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResponseLabels {
    route: &'static str,
    method: &'static str,
    /// `2xx`, `4xx` …
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProblemLabels {
    problem: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AnonymizerLabels {
    anonymizer: String,
}

/// The counters of one collector.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<ResponseLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    received: Family<RouteLabels, Counter>,
    sent: Family<RouteLabels, Counter>,
    problems: Family<ProblemLabels, Counter>,
    tokens_refused: Family<RefusalLabels, Counter>,
    rate_limited: Family<LimitLabels, Counter>,
    withdrawals: Counter,
    deletions: Counter,
    samples: Gauge,
    deletions_due: Gauge,
    /// Loaded from the database, so that all collectors report the same values.
    voices_heard: Family<AnonymizerLabels, Counter>,
    quarantined: Gauge,
    plan_fresh_until: Gauge,
    refreshed_at: Mutex<Option<Instant>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("sordino");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("collector", "This collector", Info::new(version));
        let durations = Family::new_with_constructor(
            (|| Histogram::new(DURATION_BUCKETS)) as fn() -> Histogram,
        );
        let mut inner = Inner {
            registry: Registry::default(),
            requests: Family::default(),
            durations,
            received: Family::default(),
            sent: Family::default(),
            problems: Family::default(),
            tokens_refused: Family::default(),
            rate_limited: Family::default(),
            withdrawals: Counter::default(),
            deletions: Counter::default(),
            samples: Gauge::default(),
            deletions_due: Gauge::default(),
            voices_heard: Family::default(),
            quarantined: Gauge::default(),
            plan_fresh_until: Gauge::default(),
            refreshed_at: Mutex::default(),
        };
        for kind in ProblemType::ALL {
            // Initialized to zero, so that the first occurrence is visible as an increase.
            let problem = kind.name();
            drop(inner.problems.get_or_create(&ProblemLabels { problem }));
        }
        inner.register(&mut registry);
        inner.registry = registry;
        Self(Arc::new(inner))
    }

    /// Records the response to a request after `duration` with a body of `sent` bytes.
    pub(crate) fn record_response(
        &self,
        route: &RouteLabels,
        status: u16,
        duration: Duration,
        sent: u64,
    ) {
        let answer = ResponseLabels {
            route: route.route,
            method: route.method,
            status: class(status),
        };
        self.0.requests.get_or_create(&answer).inc();
        let seconds = duration.as_secs_f64();
        self.0.durations.get_or_create(route).observe(seconds);
        self.0.sent.get_or_create(route).inc_by(sent);
    }

    /// The counter of received bytes of a route.
    pub(crate) fn received_bytes(&self, route: &RouteLabels) -> Counter {
        self.0.received.get_or_create_owned(route)
    }

    pub(crate) fn record_problem(&self, kind: ProblemType) {
        let problem = kind.name();
        self.0
            .problems
            .get_or_create(&ProblemLabels { problem })
            .inc();
    }

    /// Counts a token that was rejected because it is `unknown`, `expired`, `revoked` or for another purpose.
    pub(crate) fn token_refused(&self, reason: &'static str) {
        self.0
            .tokens_refused
            .get_or_create(&RefusalLabels { reason })
            .inc();
    }

    /// Counts a request over the limit of its `network` or `record`.
    pub(crate) fn rate_limited(&self, limit: &'static str) {
        self.0
            .rate_limited
            .get_or_create(&LimitLabels { limit })
            .inc();
    }

    /// Counts an acknowledged withdrawal.
    pub(crate) fn withdrawn(&self) {
        self.0.withdrawals.inc();
    }

    /// Counts an acknowledged deletion of one sample by its record.
    pub(crate) fn deleted(&self) {
        self.0.deletions.inc();
    }

    /// Encodes all metrics. If the database does not respond, its last statistics are used.
    ///
    /// # Errors
    /// Errors of the string writer, which do not occur.
    pub(crate) async fn encode(&self, database: &Database) -> Result<String, fmt::Error> {
        self.refresh_stats(database).await;
        let mut page = String::new();
        text::encode(&mut page, &self.0.registry)?;
        Ok(page)
    }

    async fn refresh_stats(&self, database: &Database) {
        // Concurrent requests wait for the first one.
        let mut refreshed_at = self.0.refreshed_at.lock().await;
        if refreshed_at.is_some_and(|at| at.elapsed() < STATS_TTL) {
            return;
        }
        match timeout(STATS_TIMEOUT, database.stats()).await {
            Ok(Ok(figures)) => self.set_stats(figures),
            Ok(Err(error)) => tracing::warn!("cannot load the statistics of the database: {error}"),
            Err(_) => tracing::warn!("loading the statistics of the database timed out"),
        }
        // Also after a failure, so that not every request waits for the timeout.
        *refreshed_at = Some(Instant::now());
    }

    fn set_stats(&self, figures: Stats) {
        self.0.samples.set(figures.samples);
        self.0.deletions_due.set(figures.deletions_due);
        self.0.quarantined.set(figures.quarantined);
        let fresh_until = figures.plan_fresh_until.unwrap_or_default();
        self.0.plan_fresh_until.set(fresh_until);
        for (anonymizer, heard) in figures.voices_heard {
            let counter = self
                .0
                .voices_heard
                .get_or_create_owned(&AnonymizerLabels { anonymizer });
            let heard = heard.try_into().unwrap_or_default();
            counter.inner().store(heard, Ordering::Relaxed);
        }
    }
}

impl Inner {
    fn register(&self, registry: &mut Registry) {
        registry.register("requests", "Requests handled", self.requests.clone());
        registry.register(
            "request_duration_seconds",
            "Time from the head of a request to the head of its response",
            self.durations.clone(),
        );
        registry.register(
            "received_bytes",
            "Bytes of request bodies received",
            self.received.clone(),
        );
        registry.register(
            "sent_bytes",
            "Bytes of response bodies sent",
            self.sent.clone(),
        );
        registry.register("problems", "Problem documents sent", self.problems.clone());
        registry.register(
            "tokens_refused",
            "Tokens rejected",
            self.tokens_refused.clone(),
        );
        registry.register(
            "rate_limited",
            "Requests over a rate limit",
            self.rate_limited.clone(),
        );
        registry.register(
            "withdrawals",
            "Withdrawals acknowledged",
            self.withdrawals.clone(),
        );
        registry.register(
            "deletions",
            "Deletions of one sample acknowledged",
            self.deletions.clone(),
        );
        registry.register(
            "samples_held",
            "Samples stored; the same for all collectors on one database",
            self.samples.clone(),
        );
        registry.register(
            "deletions_due",
            "Deleted samples whose objects have not been removed yet; the same for all collectors",
            self.deletions_due.clone(),
        );
        registry.register(
            "voices_heard",
            "Samples quarantined because of an audible voice, by anonymizer version; the same for all collectors",
            self.voices_heard.clone(),
        );
        registry.register(
            "samples_quarantined",
            "Samples that are quarantined now; the same for all collectors",
            self.quarantined.clone(),
        );
        registry.register(
            "plan_fresh_until_timestamp_seconds",
            "When devices stop sampling without a newer freshness statement; 0 if the plan requires none",
            self.plan_fresh_until.clone(),
        );
    }
}

fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
