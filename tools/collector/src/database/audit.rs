//! The access log: who was handed which sample, append-only, each entry chained to the one before.
//!
//! The hash of an entry is the SHA-256 of the entry without it, in the canonical form of RFC 8785;
//! `previous` is the hash of the entry before. So whoever knows the last hash, the log's head, finds
//! any later edit, removal or reordering. `docs/protocol.md` defines it for others.

use serde::Serialize;
use sordino::{Id, Purpose, Week};
use sqlx::{Row as _, any::AnyRow};

use super::{Database, DatabaseError, ReadRefusal, Session, parsed};
use crate::digest::Sha256;

/// A hand-out that is to be noted.
#[derive(Clone, Debug)]
pub(crate) struct HandOut {
    pub(crate) sample: Id,
    pub(crate) purpose: Purpose,
    pub(crate) week: Week,
    /// The name of the token.
    pub(crate) reader: String,
}

/// An entry of the log. Its members are text as it stands in the database, since that is what was
/// hashed: what somebody wrote past the collector is to be seen, not hidden by an error.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) hash: String,
    #[serde(flatten)]
    hashed: Hashed,
}

/// What of an entry is hashed; the members stand in the order of the canonical form.
#[derive(Clone, Debug, Serialize)]
struct Hashed {
    previous: String,
    purpose: String,
    reader: String,
    sample: String,
    sequence: i64,
    week: String,
}

/// Where the log stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Head {
    /// How many entries it has; the number of the last.
    pub(crate) entries: i64,
    /// The hash of the last entry; 64 zeros where there is none.
    pub(crate) hash: String,
}

/// An entry as the person sees it whose sample was handed out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Access {
    pub(crate) purpose: Purpose,
    pub(crate) week: Week,
    pub(crate) reader: String,
    /// Its number in the log.
    pub(crate) entry: i64,
    pub(crate) hash: String,
}

impl Entry {
    /// Its number.
    pub(crate) fn sequence(&self) -> i64 {
        self.hashed.sequence
    }
}

impl Database {
    /// Where the log stands now.
    pub(crate) async fn head(&self) -> Result<Head, DatabaseError> {
        self.read().await?.head().await
    }

    /// Entries after the one numbered `after`, at most `limit`.
    pub(crate) async fn log(&self, after: i64, limit: u32) -> Result<Vec<Entry>, DatabaseError> {
        let mut session = self.read().await?;
        session.entries_after(after, i64::from(limit)).await
    }

    /// Who was handed a sample of `consent`, also after it was deleted; and where the log stood then.
    pub(crate) async fn accesses(
        &self,
        sample: Id,
        consent: Id,
    ) -> Result<Result<(Vec<Access>, Head), ReadRefusal>, DatabaseError> {
        let mut session = self.read().await?;
        match session.owner(sample).await? {
            None => return Ok(Err(ReadRefusal::Unknown)),
            Some(owner) if owner != consent => return Ok(Err(ReadRefusal::NotYours)),
            Some(_) => {}
        }
        let rows = sqlx::query(
            "SELECT sequence, purpose, week, reader, hash FROM accesses
             WHERE sample = $1 ORDER BY sequence",
        )
        .bind(sample.to_string())
        .fetch_all(&mut *session.0)
        .await?;
        let accesses: Result<_, DatabaseError> = rows.iter().map(access).collect();
        Ok(Ok((accesses?, session.head().await?)))
    }

    /// Chains what an earlier version noted in SQLite, if that was not done yet. All of it or nothing:
    /// whatever cuts it off, the next one begins anew.
    pub(super) async fn chain_earlier_accesses(&self) -> Result<(), DatabaseError> {
        let mut session = self.write().await?;
        let earlier = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'accesses_unchained'")
            .fetch_optional(&mut *session.0)
            .await?;
        if earlier.is_none() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT sample, purpose, week, reader FROM accesses_unchained ORDER BY sequence",
        )
        .fetch_all(&mut *session.0)
        .await?;
        let mut head = session.head().await?;
        for row in rows {
            head = session
                .append(Hashed {
                    previous: head.hash,
                    purpose: row.try_get("purpose")?,
                    reader: row.try_get("reader")?,
                    sample: row.try_get("sample")?,
                    sequence: head.entries + 1,
                    week: row.try_get("week")?,
                })
                .await?;
        }
        sqlx::query("DROP TABLE accesses_unchained")
            .execute(&mut *session.0)
            .await?;
        session.commit().await
    }
}

impl Session {
    /// Notes a hand-out, and says where the log stands then: the `head` for the next one of this session, which
    /// holds the write lock, so that no other entry comes between two of its own.
    pub(crate) async fn note_access(
        &mut self,
        hand_out: &HandOut,
        head: Option<Head>,
    ) -> Result<Head, DatabaseError> {
        let head = match head {
            Some(head) => head,
            None => self.head().await?,
        };
        self.append(Hashed {
            previous: head.hash,
            purpose: hand_out.purpose.to_string(),
            reader: hand_out.reader.clone(),
            sample: hand_out.sample.to_string(),
            sequence: head.entries + 1,
            week: hand_out.week.to_string(),
        })
        .await
    }

    /// Appends the entries by which the log of `old` is longer.
    ///
    /// # Errors
    /// [`DatabaseError::Stranger`] where that log is another one.
    pub(super) async fn continue_log(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let mut head = self.head().await?;
        let before = old.entries_after(head.entries - 1, 1).await?;
        let theirs = before.first().map(|entry| &entry.hash);
        if head.entries > 0 && theirs != Some(&head.hash) {
            return Err(DatabaseError::Stranger);
        }
        loop {
            let entries = old.entries_after(head.entries, PAGE).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for Entry { hash, hashed } in entries {
                head = self.append(hashed).await?;
                if head.hash != hash {
                    return Err(DatabaseError::Damaged("accesses"));
                }
            }
        }
    }

    async fn entries_after(&mut self, after: i64, limit: i64) -> Result<Vec<Entry>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT sequence, sample, purpose, week, reader, previous, hash FROM accesses
             WHERE sequence > $1 ORDER BY sequence LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *self.0)
        .await?;
        rows.iter().map(entry).collect()
    }

    async fn head(&mut self) -> Result<Head, DatabaseError> {
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT sequence, hash FROM accesses ORDER BY sequence DESC LIMIT 1")
                .fetch_optional(&mut *self.0)
                .await?;
        let (entries, hash) = last.unwrap_or_else(|| (0, NO_ENTRY.to_owned()));
        Ok(Head { entries, hash })
    }

    async fn append(&mut self, entry: Hashed) -> Result<Head, DatabaseError> {
        let hash = entry.hash()?.to_string();
        sqlx::query(
            "INSERT INTO accesses (sequence, sample, purpose, week, reader, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(entry.sequence)
        .bind(entry.sample)
        .bind(entry.purpose)
        .bind(entry.week)
        .bind(entry.reader)
        .bind(entry.previous)
        .bind(&hash)
        .execute(&mut *self.0)
        .await?;
        Ok(Head {
            entries: entry.sequence,
            hash,
        })
    }
}

impl Hashed {
    fn hash(&self) -> Result<Sha256, DatabaseError> {
        // It fails for numbers that RFC 8785 cannot spell alone, far beyond any entry's.
        let canonical = serde_json_canonicalizer::to_vec(self)
            .map_err(|_| DatabaseError::Damaged("accesses"))?;
        Ok(Sha256::of(&canonical))
    }
}

fn entry(row: &AnyRow) -> Result<Entry, DatabaseError> {
    Ok(Entry {
        hash: row.try_get("hash")?,
        hashed: Hashed {
            previous: row.try_get("previous")?,
            purpose: row.try_get("purpose")?,
            reader: row.try_get("reader")?,
            sample: row.try_get("sample")?,
            sequence: row.try_get("sequence")?,
            week: row.try_get("week")?,
        },
    })
}

fn access(row: &AnyRow) -> Result<Access, DatabaseError> {
    const TABLE: &str = "accesses";
    Ok(Access {
        purpose: parsed(row.try_get("purpose")?, TABLE)?,
        week: parsed(row.try_get("week")?, TABLE)?,
        reader: row.try_get("reader")?,
        entry: row.try_get("sequence")?,
        hash: row.try_get("hash")?,
    })
}

/// How many entries are carried over together.
const PAGE: i64 = 500;
/// What stands for the hash before the first entry's.
const NO_ENTRY: &str = "0000000000000000000000000000000000000000000000000000000000000000";
