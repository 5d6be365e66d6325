//! Taking what was deleted out of the database's files, soon after it was deleted.

use std::time::Duration;

use tokio::{sync::mpsc, time::sleep};

use crate::database::Database;

/// How long deletions gather, so that many cost one turn.
const GATHERING: Duration = Duration::from_secs(5);

/// Tells the task that erases; it ends with the last handle.
#[derive(Clone, Debug)]
pub(crate) struct Eraser(mpsc::Sender<()>);

impl Eraser {
    pub(crate) fn start(database: Database) -> Self {
        let (sender, mut told) = mpsc::channel(1);
        tokio::spawn(async move {
            while told.recv().await.is_some() {
                sleep(GATHERING).await;
                if let Err(error) = database.erase_deleted().await {
                    tracing::warn!("what was deleted may still lie in the database's files: {error}");
                }
            }
        });
        Self(sender)
    }

    /// Something was deleted.
    pub(crate) fn tell(&self) {
        // Full, it is about to do so.
        let _ = self.0.try_send(());
    }
}
