//! Retention: what the plan in force says of how long samples are kept for a purpose.
//!
//! Once a sample's week has ended and the purpose's days have passed, the purpose is taken back as if
//! it were withdrawn: the sample stands in `GET /v1/withdrawn`, so that every pull removes its copies,
//! and is deleted where no purpose is left. Without a plan, or without days in it, there is no limit.
//!
//! The job runs at the start and every hour, in every collector that is not told otherwise. Each step takes a few samples in one
//! transaction under the write lock and finds what is still due, so that several at once, or one that
//! is cut off, do no harm, and writers wait for no more than a step. A collector whose clock is ahead of
//! PostgreSQL's goes by that one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sordino::{Purpose, Week};
use tokio::{sync::watch, time::timeout};

use crate::{
    config::Config,
    database::DeletedSamples,
    eraser::erase,
    storage::{Storage, StorageError},
    maintenance::MaintenanceError,
};

/// How many samples a transaction takes.
const BATCH: u32 = 100;

/// Does what is due by the plan's retention, and returns how many purposes of samples were taken back.
///
/// # Errors
/// Database or objects that cannot be used. What was done until then stays done.
pub async fn enforce_retention(config: &Config) -> Result<u64, MaintenanceError> {
    let storage = Storage::open(config).await?;
    let enforce = async |storage: &Storage| storage.enforce_retention(Timestamp::now()).await;
    Ok(storage.run_and_close(enforce).await?)
}

/// Sweeps and enforces retention, now and once in each `interval`, until `stopping` says so.
pub(crate) async fn retention_loop(
    storage: Storage,
    interval: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        if let Err(error) = storage.epoch.refresh(&storage.database).await {
            tracing::warn!("whether the database was put back is not known: {error}");
        }
        if let Err(error) = storage.sweep().await {
            tracing::warn!("not everything that was left behind is removed: {error}");
        }
        match storage.enforce_retention(Timestamp::now()).await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "retention has ended"),
            Err(error) => tracing::warn!("retention is not enforced to its end: {error}"),
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
        // Too late is made good within the hour; too early is never.
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

/// The last week that ended, on its Sunday, more than so many days ago; all in UTC.
fn last_expired(now: Timestamp, days: u16) -> Option<Week> {
    // The day on which the days of a Sunday have passed lies that many days and one after it; six days
    // before a Sunday begins its week, and before any other day lies in the week before or its own.
    let back = SignedDuration::from_hours(24 * (i64::from(days) + 7));
    now.checked_sub(back).ok().map(Week::from_timestamp)
}

#[cfg(test)]
mod tests {
    use jiff::{civil::Date, tz::Offset};

    use super::*;

    /// Counted day by day instead.
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
    fn a_sample_is_kept_for_all_of_its_days_after_its_week_and_not_one_more() {
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
