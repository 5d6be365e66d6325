//! The epochs of collectors' databases. Each answer names the epoch of its collector. Another one than before
//! means that the database was put back from a backup, and may have lost what it acknowledged: so each
//! withdrawal and each deletion that the collector was ever told of is due there again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Protocol, scheduler::BackoffGate};
use crate::{
    consent::ConsentError,
    endpoint::Endpoint,
    id::Id,
    state::{StateError, Table},
    upload::{EPOCH_HEADER, HttpResponse, Request, TaskKind, UploadError, request},
};

const EPOCHS: Table<&str> = Table::new("collector-epochs");

/// How many new epochs of a collector are believed in [`WITHIN`]. One that named another with each answer would
/// have the same said to it without end.
const MAX_CHANGES: usize = 4;
const CHANGE_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// How often a collector is asked for its epoch where nothing else is sent to it, and how many times in all after the
/// last withdrawal or deletion that it acknowledged. They are answers that are counted, not days, so that a device that
/// was switched off for a year still asks. A backup is put back within weeks or not at all.
const QUERY_INTERVAL: SignedDuration = SignedDuration::from_hours(24);
const MAX_QUERIES: u8 = 60;
/// How exactly it is kept when a collector last answered.
const PERSIST_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// All times are by the steady clock.
#[derive(Debug, Serialize, Deserialize)]
struct EpochRow {
    epoch: Id,
    /// When this one and those shortly before it were first seen.
    changes: Vec<Timestamp>,
    /// When the collector last answered.
    answered: Timestamp,
    /// How many more answers of it that come a day or more after the one before are wanted.
    wanted: u8,
}

impl Protocol {
    /// Compares the epoch that an answer of `collector` names with the one before.
    pub(super) fn note_epoch(
        &self,
        collector: &Endpoint,
        answer: &HttpResponse,
    ) -> Result<(), UploadError> {
        let named: Option<Id> = answer
            .header(EPOCH_HEADER)
            .and_then(|epoch| epoch.parse().ok());
        let now = self.state.monotonic_time();
        let url = collector.to_string();
        let seen: Option<EpochRow> = self.state.read(|view| view.get(EPOCHS, url.as_str()))?;
        let (epoch, mut changes, wanted) = match (named, seen) {
            (named, Some(mut seen)) if named.is_none_or(|named| named == seen.epoch) => {
                let since = now.duration_since(seen.answered);
                if since >= PERSIST_INTERVAL {
                    seen.answered = now;
                    seen.wanted = (seen.wanted).saturating_sub(u8::from(since >= QUERY_INTERVAL));
                    self.state
                        .write(|change| change.put(EPOCHS, url.as_str(), &seen))?;
                }
                return Ok(());
            }
            (Some(epoch), Some(seen)) => (epoch, seen.changes, seen.wanted),
            (Some(epoch), None) => (epoch, Vec::new(), 0),
            (None, _) => return Ok(()),
        };
        changes.retain(|change| now.duration_since(*change) < CHANGE_WINDOW);
        if changes.len() >= MAX_CHANGES {
            return Ok(());
        }
        changes.push(now);
        Self::lock(&self.confirmed).clear();
        self.state.write(|change| -> Result<_, ConsentError> {
            self.consent.mark_unacknowledged(change, collector)?;
            self.outbox.mark_unacknowledged(change, collector)?;
            let seen = EpochRow {
                epoch,
                changes,
                answered: now,
                wanted,
            };
            Ok(change.put(EPOCHS, url.as_str(), &seen)?)
        })?;
        Ok(())
    }

    /// The collector has acknowledged a withdrawal or a deletion.
    pub(super) fn revocation_acknowledged(&self, collector: &Endpoint) -> Result<(), StateError> {
        let url = collector.to_string();
        self.state.write(|change| {
            let Some(seen) = change.get::<_, EpochRow>(EPOCHS, url.as_str())? else {
                return Ok(());
            };
            let seen = EpochRow {
                wanted: MAX_QUERIES,
                ..seen
            };
            change.put(EPOCHS, url.as_str(), &seen)
        })
    }

    /// Asks a collector for its epoch that has not answered for a day: without it, a device
    /// whose person took everything back would never hear of a database that was put back.
    pub(super) fn epoch_due(&self, gate: &BackoffGate<'_>) -> Result<Option<Request>, UploadError> {
        let now = self.state.monotonic_time();
        let seen: Vec<(String, EpochRow)> = self.state.read(|view| view.all(EPOCHS))?;
        for (url, seen) in seen {
            let Ok(collector) = url.parse() else {
                continue;
            };
            if seen.wanted > 0
                && now.duration_since(seen.answered) >= QUERY_INTERVAL
                && gate.permits(&TaskKind::AskEpoch.for_collector(&collector))
            {
                return Ok(Some(request::epoch(&collector)));
            }
        }
        Ok(None)
    }
}
