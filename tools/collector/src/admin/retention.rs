//! Retention: the current plan limits how long samples are kept for a purpose.
//!
//! When the retention days of a purpose have passed after the end of a sample's week, the purpose is withdrawn: the
//! sample is listed in `GET /v1/withdrawn`, so that every pull removes its copies, and is deleted if no purpose is
//! left. Without a plan or retention days there is no limit.
//!
//! By default every collector enforces retention at the start and every hour. Each step handles a batch of samples in
//! one transaction under the write lock, so that concurrent or interrupted runs are harmless and other writers wait for
//! at most one batch. If the collector's clock is ahead of PostgreSQL's, the latter is used.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sordino::{Purpose, Week};
use tokio::{sync::watch, time::timeout};

use crate::{
    admin::maintenance::MaintenanceError,
    config::Config,
    database::DeletedSamples,
    storage::{Storage, eraser::erase, error::StorageError},
};

/// The number of samples per transaction.
const BATCH: u32 = 100;

/// Enforces the plan's retention and returns the number of expired purposes of samples.
///
/// # Errors
/// An error of the database or the object storage. Completed batches are kept.
pub async fn enforce_retention(config: &Config) -> Result<u64, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let enforce = async |storage: &Storage| storage.enforce_retention(Timestamp::now()).await;
    Ok(storage.run_and_close(enforce).await?)
}

/// Runs maintenance and enforces retention immediately and at every `interval`, until `stopping` is set.
pub(crate) async fn retention_loop(
    storage: Storage,
    interval: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        if let Err(error) = storage.epoch.refresh(&storage.database).await {
            tracing::warn!("cannot check whether the database was restored: {error}");
        }
        if let Err(error) = storage.sweep().await {
            tracing::warn!("cannot remove all abandoned uploads: {error}");
        }
        match storage.enforce_retention(Timestamp::now()).await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "purposes of samples expired"),
            Err(error) => tracing::warn!("cannot enforce retention completely: {error}"),
        }
        erase(&storage.database).await;
        if timeout(interval, stopping.wait_for(|stop| *stop))
            .await
            .is_ok()
        {
            return;
        }
    }
}

impl Storage {
    pub(crate) async fn enforce_retention(&self, now: Timestamp) -> Result<u64, StorageError> {
        let Some(plan) = self.database.plan_in_force().await? else {
            return Ok(0);
        };
        let plan = plan.signed()?;
        // A late deletion is made up for within the hour; an early one cannot be undone.
        let now = self
            .database
            .server_time()
            .await?
            .map_or(now, |other| other.min(now));
        let mut expired = 0;
        for purpose in Purpose::ALL {
            let days = plan.content().retention_days(purpose);
            let Some(last) = days.and_then(|days| last_expired(now, days)) else {
                continue;
            };
            loop {
                let step = self.write(move |batch| {
                    Box::pin(async move { Ok(batch.session.expire(purpose, last, BATCH).await?) })
                });
                match step.await? {
                    0 => break,
                    some => expired += some,
                }
            }
        }
        if expired > 0 {
            self.remove_deleted(DeletedSamples::All).await?;
        }
        Ok(expired)
    }
}

/// The last week whose Sunday was more than `days` days ago, in UTC.
fn last_expired(now: Timestamp, days: u16) -> Option<Week> {
    // A week expires `days + 1` days after its Sunday. Going back 6 more days from a Sunday reaches the Monday of its
    // week; from any other day, the week before.
    let back = SignedDuration::from_hours(24 * (i64::from(days) + 7));
    now.checked_sub(back).ok().map(Week::from_timestamp)
}

#[cfg(test)]
mod tests {
    use jiff::{civil::Date, tz::Offset};

    use super::*;

    /// Computes the same day by day.
    fn is_expired(week: Week, today: Date, days: u16) -> bool {
        let weekday = |day: Date| day.iso_week_date();
        let mut sunday = today;
        while format!(
            "{:04}-W{:02}",
            weekday(sunday).year(),
            weekday(sunday).week()
        ) > week.to_string()
        {
            sunday = sunday.yesterday().unwrap();
        }
        while format!(
            "{:04}-W{:02}",
            weekday(sunday).year(),
            weekday(sunday).week()
        ) < week.to_string()
        {
            sunday = sunday.tomorrow().unwrap();
        }
        while weekday(sunday.tomorrow().unwrap()).week() == weekday(sunday).week() {
            sunday = sunday.tomorrow().unwrap();
        }
        let mut last_day = sunday;
        for _ in 0..days {
            last_day = last_day.tomorrow().unwrap();
        }
        today > last_day
    }

    #[test]
    fn samples_expire_exactly_after_their_retention_days() {
        let mut today: Date = "2026-12-20".parse().unwrap();
        for _ in 0..30 {
            let now = Offset::UTC.to_timestamp(today.at(23, 59, 0, 0)).unwrap();
            for days in [1, 6, 7, 30] {
                let last = last_expired(now, days).unwrap();
                for week in [
                    "2026-W44", "2026-W50", "2026-W51", "2026-W52", "2026-W53", "2027-W01",
                ] {
                    let week: Week = week.parse().unwrap();
                    assert_eq!(
                        week <= last,
                        is_expired(week, today, days),
                        "{week} {today} {days}"
                    );
                }
            }
            today = today.tomorrow().unwrap();
        }
    }
}
