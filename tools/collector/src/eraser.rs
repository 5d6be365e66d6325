//! Taking what was deleted out of the database's files, soon after it was deleted.

use std::time::Duration;

use tokio::{sync::mpsc, time::sleep};

use crate::database::Database;

/// How long deletions gather, so that many cost one turn.
const BATCH_DELAY: Duration = Duration::from_secs(5);

/// Tells the task that erases; it ends with the last handle.
#[derive(Clone, Debug)]
pub(crate) struct Eraser(mpsc::Sender<()>);

/// Takes what was deleted out of the database's files, and logs where that failed. `false` where somebody still reads
/// what was deleted, so that it is to be tried again.
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
        let (sender, mut told) = mpsc::channel(1);
        tokio::spawn(async move {
            while told.recv().await.is_some() {
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

    /// Something was deleted.
    pub(crate) fn schedule(&self) {
        // Full, it is about to do so.
        let _ = self.0.try_send(());
    }
}
