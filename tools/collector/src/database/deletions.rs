//! Imports deletions and withdrawals from another, newer database.
//!
//! Deletions get new sequence numbers, so that every pull sees them whatever its cursor is.

use sordino::Id;

use super::{DatabaseError, Session, parse_column};

/// The number of rows per query.
const PAGE: i64 = 500;

impl Session {
    /// Imports from `old` every deletion, withdrawal, revocation and access log entry that is unknown here. Samples
    /// that exist only in `old` are lost, so they are recorded as withdrawn, and pulls remove their copies.
    pub(crate) async fn import_deletions(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        self.append_log_from(old).await?;
        self.import_records(old).await?;
        self.import_quarantine(old).await?;
        self.import_withdrawals(old).await?;
        self.import_tombstones(old).await?;
        self.bury_lost_samples(old).await?;
        for token in old.tokens().await? {
            if let Some(day) = token.revoked {
                self.revoke_token(token.sha256, day).await?;
            }
        }
        Ok(())
    }

    /// Withdrawn purposes stay withdrawn, and the higher revision wins.
    async fn import_records(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let mut after = String::new();
        loop {
            let page: Vec<(String,)> =
                sqlx::query_as("SELECT id FROM records WHERE id > $1 ORDER BY id LIMIT $2")
                    .bind(&after)
                    .bind(PAGE)
                    .fetch_all(&mut *old.0)
                    .await?;
            let Some((last,)) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for (id,) in page {
                self.import_record(parse_column(&id, "records")?, old)
                    .await?;
            }
        }
    }

    async fn import_record(&mut self, id: Id, old: &mut Self) -> Result<(), DatabaseError> {
        let Some(theirs) = old.record_status(id).await? else {
            return Ok(());
        };
        let Some(ours) = self.record_status(id).await? else {
            return self.put_record_status(id, &theirs).await;
        };
        if theirs.key != ours.key {
            return Err(DatabaseError::DifferentDatabase);
        }
        let withdrawn = ours.withdrawn.union(&theirs.withdrawn);
        let mut newer = match theirs.revision >= ours.revision {
            true => theirs,
            false => ours,
        };
        newer.granted = newer.granted.difference(&withdrawn);
        newer.withdrawn = withdrawn;
        self.put_record_status(id, &newer).await?;
        self.withdraw_from_samples(id, &newer.withdrawn).await?;
        Ok(())
    }

    /// Samples that are quarantined there are quarantined here; releases are not imported.
    async fn import_quarantine(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let quarantined: Vec<(String, String)> =
            sqlx::query_as("SELECT sample, anonymizer FROM quarantined")
                .fetch_all(&mut *old.0)
                .await?;
        for (sample, anonymizer) in quarantined {
            let is_here = sqlx::query("SELECT 1 FROM samples WHERE id = $1")
                .bind(&sample)
                .fetch_optional(&mut *self.0)
                .await?;
            if is_here.is_some() {
                let sample = parse_column(&sample, "quarantined")?;
                self.quarantine(sample, &anonymizer).await?;
            }
        }
        Ok(())
    }

    /// Imports every purpose that a sample lost there, by withdrawal or retention. A purpose that `old` still has is
    /// only quarantined, and is skipped if that is known here.
    async fn import_withdrawals(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let mut after = 0;
        loop {
            let page: Vec<(i64, String, String, i64)> = sqlx::query_as(
                "SELECT w.sequence, w.sample, w.purpose,
                 CAST(CASE WHEN held.sample IS NULL THEN 0 ELSE 1 END AS BIGINT)
                 FROM withdrawals AS w LEFT JOIN sample_purposes AS held
                 ON held.sample = w.sample AND held.purpose = w.purpose
                 WHERE w.sequence > $1 ORDER BY w.sequence LIMIT $2",
            )
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut *old.0)
            .await?;
            let Some((last, ..)) = page.last() else {
                return Ok(());
            };
            after = *last;
            for (_, sample, purpose, held) in page {
                let is_known = self.is_withdrawn(&sample, &purpose).await?;
                if is_known && held != 0 {
                    continue;
                }
                self.withdraw_purpose(&sample, parse_column(&purpose, "withdrawals")?)
                    .await?;
                self.insert_withdrawal(&sample, &purpose).await?;
            }
        }
    }

    async fn import_tombstones(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let mut after = String::new();
        loop {
            let page: Vec<(String, String)> = sqlx::query_as(
                "SELECT sample, consent FROM tombstones WHERE sample > $1 ORDER BY sample LIMIT $2",
            )
            .bind(&after)
            .bind(PAGE)
            .fetch_all(&mut *old.0)
            .await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for (sample, consent) in page {
                self.bury(&sample, &consent).await?;
            }
        }
    }

    async fn bury_lost_samples(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let mut after = 0;
        loop {
            let page: Vec<(i64, String, String)> = sqlx::query_as(
                "SELECT sequence, id, consent FROM samples WHERE sequence > $1
                 ORDER BY sequence LIMIT $2",
            )
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut *old.0)
            .await?;
            let Some((last, ..)) = page.last() else {
                return Ok(());
            };
            after = *last;
            for (_, sample, consent) in page {
                if self
                    .owner(parse_column(&sample, "samples")?)
                    .await?
                    .is_some()
                {
                    continue;
                }
                let purposes: Vec<(String,)> =
                    sqlx::query_as("SELECT purpose FROM sample_purposes WHERE sample = $1")
                        .bind(&sample)
                        .fetch_all(&mut *old.0)
                        .await?;
                for (purpose,) in purposes {
                    self.insert_withdrawal(&sample, &purpose).await?;
                }
                self.bury(&sample, &consent).await?;
            }
        }
    }

    async fn bury(&mut self, sample: &str, consent: &str) -> Result<(), DatabaseError> {
        const TABLE: &str = "tombstones";
        self.delete_sample(parse_column(sample, TABLE)?, parse_column(consent, TABLE)?)
            .await?
            .map_err(|_| DatabaseError::DifferentDatabase)
    }

    async fn is_withdrawn(&mut self, sample: &str, purpose: &str) -> Result<bool, DatabaseError> {
        let known = sqlx::query("SELECT 1 FROM withdrawals WHERE sample = $1 AND purpose = $2")
            .bind(sample)
            .bind(purpose)
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(known.is_some())
    }

    async fn insert_withdrawal(
        &mut self,
        sample: &str,
        purpose: &str,
    ) -> Result<(), DatabaseError> {
        if self.is_withdrawn(sample, purpose).await? {
            return Ok(());
        }
        sqlx::query("INSERT INTO withdrawals (sample, purpose) VALUES ($1, $2)")
            .bind(sample)
            .bind(purpose)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
