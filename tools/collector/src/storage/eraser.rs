//! Removes deleted rows from the database's files soon after their deletion.

use std::time::Duration;

use tokio::{sync::mpsc, time::sleep};

use crate::database::Database;

/// The time during which deletions are batched.
const BATCH_DELAY: Duration = Duration::from_secs(5);

/// A handle of the background task that purges deleted rows. The task ends with the last handle.
#[derive(Clone, Debug)]
pub(crate) struct Eraser(mpsc::Sender<()>);

/// Purges deleted rows from the database's files and logs failures. Returns `false` if a reader prevented it, so that
/// it must be retried.
pub(crate) async fn erase(database: &Database) -> bool {
    match database.purge_deleted().await {
        Ok(is_done) => is_done,
        Err(error) => {
            tracing::warn!("deleted rows may still be in the database's files: {error}");
            true
        }
    }
}

impl Eraser {
    pub(crate) fn start(database: Database) -> Self {
        let (sender, mut requests) = mpsc::channel(1);
        tokio::spawn(async move {
            while requests.recv().await.is_some() {
                loop {
                    sleep(BATCH_DELAY).await;
                    if erase(&database).await {
                        break;
                    }
                }
            }
        });
        Self(sender)
    }

    /// Schedules a purge after a deletion.
    pub(crate) fn schedule(&self) {
        // If the channel is full, a purge is already scheduled.
        let _ = self.0.try_send(());
    }
}
