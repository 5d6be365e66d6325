//! What the collector counts, for Prometheus: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! Counts of requests by route template, never by path; no label tells of a record, a sample, a reader
//! or an address.

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

/// What the page is sent as.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long figures of the database are shown again: counting a million rows takes a while.
const STATS_TTL: Duration = Duration::from_secs(15);
/// How long the page waits for them; without, it shows what it has.
const STATS_TIMEOUT: Duration = Duration::from_secs(5);
/// From an answer out of memory to a body over a slow phone's line, in seconds.
const DURATION_BUCKETS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0,
];

/// A route template and a method, both from short lists.
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
    /// Kept by the database, so that every collector on it shows the same.
    voices_heard: Family<AnonymizerLabels, Counter>,
    quarantined: Gauge,
    plan_fresh_until: Gauge,
    counted: Mutex<Option<Instant>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("sordino");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("collector", "This collector", Info::new(version));
        let durations =
            Family::new_with_constructor((|| Histogram::new(DURATION_BUCKETS)) as fn() -> Histogram);
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
            counted: Mutex::default(),
        };
        for kind in ProblemType::ALL {
            // Shown from the beginning, so that the first one is seen as a rise.
            let problem = kind.name();
            drop(inner.problems.get_or_create(&ProblemLabels { problem }));
        }
        inner.register(&mut registry);
        inner.registry = registry;
        Self(Arc::new(inner))
    }

    /// Counts a request that was answered after `duration` with a body of `sent` bytes.
    pub(crate) fn record_response(&self, route: &RouteLabels, status: u16, duration: Duration, sent: u64) {
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

    /// Counts the bytes of a body as they come.
    pub(crate) fn received_bytes(&self, route: &RouteLabels) -> Counter {
        self.0.received.get_or_create_owned(route)
    }

    pub(crate) fn record_problem(&self, kind: ProblemType) {
        let problem = kind.name();
        self.0.problems.get_or_create(&ProblemLabels { problem }).inc();
    }

    /// Counts a token that was refused because it is `unknown`, `expired`, `revoked` or for another
    /// purpose.
    pub(crate) fn token_refused(&self, reason: &'static str) {
        self.0
            .tokens_refused
            .get_or_create(&RefusalLabels { reason })
            .inc();
    }

    /// Counts a request beyond the limit of its `network` or `record`.
    pub(crate) fn rate_limited(&self, limit: &'static str) {
        self.0.rate_limited.get_or_create(&LimitLabels { limit }).inc();
    }

    /// Counts a withdrawal that was acknowledged.
    pub(crate) fn withdrawn(&self) {
        self.0.withdrawals.inc();
    }

    /// Counts a deletion of one sample by its record that was acknowledged.
    pub(crate) fn deleted(&self) {
        self.0.deletions.inc();
    }

    /// The page. Figures of a database that does not answer are those of before.
    ///
    /// # Errors
    /// Those of writing, of which a string has none.
    pub(crate) async fn encode(&self, database: &Database) -> Result<String, fmt::Error> {
        self.refresh_stats(database).await;
        let mut page = String::new();
        text::encode(&mut page, &self.0.registry)?;
        Ok(page)
    }

    async fn refresh_stats(&self, database: &Database) {
        // One counts, the others wait for it.
        let mut counted = self.0.counted.lock().await;
        if counted.is_some_and(|at| at.elapsed() < STATS_TTL) {
            return;
        }
        match timeout(STATS_TIMEOUT, database.stats()).await {
            Ok(Ok(figures)) => self.set_stats(figures),
            Ok(Err(error)) => tracing::warn!("the database could not be counted: {error}"),
            Err(_) => tracing::warn!("counting the database takes too long"),
        }
        // Also after a failure, so that pages do not wait for it one by one.
        *counted = Some(Instant::now());
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
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register(
            "request_duration_seconds",
            "From the head of a request to the head of its answer",
            self.durations.clone(),
        );
        registry.register(
            "received_bytes",
            "Bytes of bodies received",
            self.received.clone(),
        );
        registry.register("sent_bytes", "Bytes of bodies sent", self.sent.clone());
        registry.register("problems", "Problem documents sent", self.problems.clone());
        registry.register(
            "tokens_refused",
            "Tokens refused",
            self.tokens_refused.clone(),
        );
        registry.register(
            "rate_limited",
            "Requests beyond a limit",
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
            "Samples held; the same at each collector on one database",
            self.samples.clone(),
        );
        registry.register(
            "deletions_due",
            "Deleted samples whose objects are still to be removed; the same at each collector",
            self.deletions_due.clone(),
        );
        registry.register(
            "voices_heard",
            "Samples in which a voice was heard, by the anonymizer's version; the same at each collector",
            self.voices_heard.clone(),
        );
        registry.register(
            "samples_quarantined",
            "Samples that are held back now; the same at each collector",
            self.quarantined.clone(),
        );
        registry.register(
            "plan_fresh_until_timestamp_seconds",
            "When devices stop sampling unless a newer freshness statement is given; 0 where the plan asks for none",
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
