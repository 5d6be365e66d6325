//! Tokens of QA tools, stored by their digests.

use jiff::civil::Date;
use sordino::Purposes;
use sqlx::{Row as _, any::AnyRow};

use super::{Database, DatabaseError, Session, parse_column, parse_purposes};
use crate::digest::Sha256;

/// A token to be inserted.
pub(crate) struct NewToken<'a> {
    pub(crate) sha256: Sha256,
    pub(crate) name: &'a str,
    pub(crate) purposes: &'a Purposes,
    pub(crate) created: Date,
    pub(crate) expires: Date,
}

/// A stored token.
#[derive(Clone, Debug)]
pub(crate) struct TokenRow {
    pub(crate) sha256: Sha256,
    pub(crate) name: String,
    pub(crate) purposes: Purposes,
    /// `None` for tokens of the oldest versions.
    pub(crate) created: Option<Date>,
    /// The last valid day; `None` for tokens of the oldest versions.
    pub(crate) expires: Option<Date>,
    pub(crate) revoked: Option<Date>,
}

impl Database {
    /// The token with this digest, valid or not.
    pub(crate) async fn token(&self, sha256: Sha256) -> Result<Option<TokenRow>, DatabaseError> {
        let row = sqlx::query(
            "SELECT sha256, name, purposes, created, expires, revoked FROM tokens
             WHERE sha256 = $1",
        )
        .bind(sha256.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(token).transpose()
    }
}

impl Session {
    /// All tokens, by name.
    pub(crate) async fn tokens(&mut self) -> Result<Vec<TokenRow>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT sha256, name, purposes, created, expires, revoked FROM tokens
             ORDER BY name, created, sha256",
        )
        .fetch_all(&mut *self.0)
        .await?;
        rows.iter().map(token).collect()
    }

    /// Inserts a token.
    pub(crate) async fn insert_token(&mut self, token: &NewToken<'_>) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO tokens (sha256, name, purposes, created, expires)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(token.sha256.to_string())
        .bind(token.name)
        .bind(token.purposes.to_string())
        .bind(token.created.to_string())
        .bind(token.expires.to_string())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Revokes a token.
    pub(crate) async fn revoke_token(
        &mut self,
        sha256: Sha256,
        today: Date,
    ) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE tokens SET revoked = $1 WHERE sha256 = $2 AND revoked IS NULL")
            .bind(today.to_string())
            .bind(sha256.to_string())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}

fn token(row: &AnyRow) -> Result<TokenRow, DatabaseError> {
    const TABLE: &str = "tokens";
    let day = |column: &str| -> Result<Option<Date>, DatabaseError> {
        let day: Option<String> = row.try_get(column)?;
        day.map(|day| parse_column(&day, TABLE)).transpose()
    };
    Ok(TokenRow {
        sha256: parse_column(row.try_get("sha256")?, TABLE)?,
        name: row.try_get("name")?,
        purposes: parse_purposes(row.try_get("purposes")?, TABLE)?,
        created: day("created")?,
        expires: day("expires")?,
        revoked: day("revoked")?,
    })
}
