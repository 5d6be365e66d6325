//! The epochs of collectors' databases. Each response states the epoch of its collector. A changed
//! epoch means that the database was restored from a backup, and may have lost what it
//! acknowledged: so each withdrawal and each deletion ever sent to the collector is due again.

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

/// The number of new epochs of a collector that are accepted in [`CHANGE_WINDOW`]. A collector with another
/// epoch in each response would otherwise receive the same requests without end.
const MAX_CHANGES: usize = 4;
const CHANGE_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// How often a collector is asked for its epoch if nothing else is sent to it, and how many times
/// in all after the last withdrawal or deletion that it acknowledged. Responses are counted, not
/// days, so that a device that was switched off for a year still asks. A backup is restored within
/// weeks or not at all.
const QUERY_INTERVAL: SignedDuration = SignedDuration::from_hours(24);
const MAX_QUERIES: u8 = 60;
/// The precision with which a collector's last response is stored.
const PERSIST_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// All times are by the monotonic clock.
#[derive(Debug, Serialize, Deserialize)]
struct EpochRow {
    epoch: Id,
    /// When this epoch and those shortly before it were first seen.
    changes: Vec<Timestamp>,
    /// When the collector last responded.
    answered: Timestamp,
    /// The number of responses that are still wanted, each at least a day after the one before.
    wanted: u8,
}

impl Protocol {
    /// Compares the epoch in a response of `collector` with the one before.
    pub(super) fn note_epoch(
        &self,
        collector: &Endpoint,
        response: &HttpResponse,
    ) -> Result<(), UploadError> {
        let named: Option<Id> = response
            .header(EPOCH_HEADER)
            .and_then(|epoch| epoch.parse().ok());
        let now = self.state.monotonic_time();
        let url = collector.to_string();
        let seen: Option<EpochRow> = self.state.read(|txn| txn.get(EPOCHS, url.as_str()))?;
        let (epoch, mut changes, wanted) = match (named, seen) {
            (named, Some(mut seen)) if named.is_none_or(|named| named == seen.epoch) => {
                let since = now.duration_since(seen.answered);
                if since >= PERSIST_INTERVAL {
                    seen.answered = now;
                    seen.wanted = (seen.wanted).saturating_sub(u8::from(since >= QUERY_INTERVAL));
                    self.state
                        .write(|txn| txn.put(EPOCHS, url.as_str(), &seen))?;
                }
                return Ok(());
            }
            (Some(epoch), Some(seen)) => (epoch, seen.changes, seen.wanted),
            (Some(epoch), None) => (epoch, Vec::new(), 0),
            (None, _) => return Ok(()),
        };
        changes.retain(|txn| now.duration_since(*txn) < CHANGE_WINDOW);
        if changes.len() >= MAX_CHANGES {
            return Ok(());
        }
        changes.push(now);
        Self::lock(&self.confirmed).clear();
        self.state.write(|txn| -> Result<_, ConsentError> {
            self.consent.mark_unacknowledged(txn, collector)?;
            self.outbox.mark_unacknowledged(txn, collector)?;
            let seen = EpochRow {
                epoch,
                changes,
                answered: now,
                wanted,
            };
            Ok(txn.put(EPOCHS, url.as_str(), &seen)?)
        })?;
        Ok(())
    }

    /// The collector has acknowledged a withdrawal or a deletion.
    pub(super) fn revocation_acknowledged(&self, collector: &Endpoint) -> Result<(), StateError> {
        let url = collector.to_string();
        self.state.write(|txn| {
            let Some(seen) = txn.get::<_, EpochRow>(EPOCHS, url.as_str())? else {
                return Ok(());
            };
            let seen = EpochRow {
                wanted: MAX_QUERIES,
                ..seen
            };
            txn.put(EPOCHS, url.as_str(), &seen)
        })
    }

    /// Queries the epoch of a collector that has not responded for a day: otherwise a device whose
    /// person has withdrawn everything would never learn of a restored database.
    pub(super) fn epoch_due(&self, gate: &BackoffGate<'_>) -> Result<Option<Request>, UploadError> {
        let now = self.state.monotonic_time();
        let seen: Vec<(String, EpochRow)> = self.state.read(|txn| txn.all(EPOCHS))?;
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
