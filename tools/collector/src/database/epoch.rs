//! The stored epoch of a database.

use sordino::Id;
use sqlx::AnyConnection;

use super::{Database, DatabaseError, Session, System, parse_column};

/// The epoch, with the data by which a restored database is detected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EpochRow {
    pub(crate) epoch: Id,
    /// The number of withdrawals and deletions in this epoch.
    pub(crate) erasures: i64,
    /// The server and timeline on which it began; empty for SQLite.
    pub(crate) server_id: String,
}

impl Database {
    /// The epoch; `None` in a new or restored database.
    pub(crate) async fn epoch(&self) -> Result<Option<EpochRow>, DatabaseError> {
        load(&mut *self.readers.acquire().await?).await
    }

    /// The identity of the server, its timeline (a promoted standby or a point-in-time recovery begins another), and
    /// the OID of the database. Empty for SQLite, and if the server denies access.
    pub(crate) async fn server_id(&self) -> Result<String, DatabaseError> {
        if self.system == System::Sqlite {
            return Ok(String::new());
        }
        let place = sqlx::query_scalar(
            "SELECT concat_ws('/', system.system_identifier, state.timeline_id, pg_database.oid)
             FROM pg_control_system() AS system, pg_control_checkpoint() AS state, pg_database
             WHERE datname = current_database()",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(DatabaseError::from);
        match place {
            // These functions may be restricted to administrators.
            Err(DatabaseError::Failed(_)) => Ok(String::new()),
            place => place,
        }
    }
}

impl Session {
    /// The epoch as seen by this transaction.
    pub(crate) async fn epoch(&mut self) -> Result<Option<EpochRow>, DatabaseError> {
        load(&mut self.0).await
    }

    /// Begins an epoch on the server `server_id`.
    pub(crate) async fn begin_epoch(
        &mut self,
        epoch: Id,
        place: &str,
    ) -> Result<(), DatabaseError> {
        sqlx::query("DELETE FROM epoch")
            .execute(&mut *self.0)
            .await?;
        sqlx::query("INSERT INTO epoch (epoch, taken_back, place) VALUES ($1, 0, $2)")
            .bind(epoch.to_string())
            .bind(place)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Performs a write that changes nothing.
    pub(crate) async fn touch(&mut self) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE epoch SET taken_back = taken_back")
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Counts a withdrawal or a deletion and returns the total.
    pub(crate) async fn count_erasure(&mut self) -> Result<i64, DatabaseError> {
        let count =
            sqlx::query_scalar("UPDATE epoch SET taken_back = taken_back + 1 RETURNING taken_back")
                .fetch_optional(&mut *self.0)
                .await?;
        Ok(count.unwrap_or_default())
    }
}

async fn load(connection: &mut AnyConnection) -> Result<Option<EpochRow>, DatabaseError> {
    let row: Option<(String, i64, String)> =
        sqlx::query_as("SELECT epoch, taken_back, place FROM epoch")
            .fetch_optional(connection)
            .await?;
    let row = row.map(|(epoch, taken_back, place)| {
        Ok(EpochRow {
            epoch: parse_column(&epoch, "epoch")?,
            erasures: taken_back,
            server_id: place,
        })
    });
    row.transpose()
}
