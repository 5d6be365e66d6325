//! Tokens of QA tools, by their digests.

use sordino::Purposes;
use sqlx::Row as _;

use super::{Database, DatabaseError, Session, purposes};
use crate::digest::Sha256;

impl Database {
    /// The name and the purposes of the token with this digest.
    pub(crate) async fn token(
        &self,
        sha256: Sha256,
    ) -> Result<Option<(String, Purposes)>, DatabaseError> {
        let row = sqlx::query("SELECT name, purposes FROM tokens WHERE sha256 = ?1")
            .bind(sha256.to_string())
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((
            row.try_get("name")?,
            purposes(row.try_get("purposes")?, "tokens")?,
        )))
    }
}

impl Session {
    /// Keeps a token's digest.
    pub(crate) async fn insert_token(
        &mut self,
        sha256: Sha256,
        name: &str,
        purposes: &Purposes,
    ) -> Result<(), DatabaseError> {
        sqlx::query("INSERT INTO tokens (sha256, name, purposes) VALUES (?1, ?2, ?3)")
            .bind(sha256.to_string())
            .bind(name)
            .bind(purposes.to_string())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
