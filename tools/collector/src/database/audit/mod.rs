//! The access log: an append-only record of who downloaded which sample. Each entry is chained to the previous one and
//! is a leaf of a Merkle tree.
//!
//! The hash of an entry is the SHA-256 of the entry without the hash, in the canonical form of RFC 8785; `previous` is
//! the hash of the previous entry. With the last hash, the head of the log, any later edit, removal or reordering can
//! be detected. The tree over the same bytes proves to a device that an entry is in the log, and that the log continues
//! an earlier one. `docs/protocol.md` defines both.

mod tree;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use sordino::{
    Id, Purpose, Week,
    upload::merkle::{TreeHash, leaf_hash},
};
use sqlx::{Row as _, any::AnyRow};

use super::{Database, DatabaseError, ReadRefusal, Session, parse_column};
use crate::{
    digest::Sha256,
    merkle::{Edge, Node, Span, consistency_proof, inclusion_proof},
};

/// A download to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct NewAccess {
    pub(crate) sample: Id,
    pub(crate) purpose: Purpose,
    pub(crate) week: Week,
    /// The name of the token.
    pub(crate) reader: String,
}

/// An entry of the log. Its members are the text in the database, because that is what was hashed: manipulated entries
/// are published as they are, not hidden by an error.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) hash: String,
    #[serde(flatten)]
    content: EntryContent,
}

/// The hashed part of an entry; the members are in the order of the canonical form.
#[derive(Clone, Debug, Serialize)]
struct EntryContent {
    previous: String,
    purpose: String,
    reader: String,
    sample: String,
    sequence: i64,
    week: String,
}

/// The head of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Head {
    /// The number of entries, which is the number of the last one.
    pub(crate) entries: i64,
    /// The hash of the last entry; 64 zeros if there is none.
    pub(crate) hash: String,
    /// The root of the tree.
    root: TreeHash,
}

/// The accesses to a sample, as reported to its person.
#[derive(Debug, Serialize)]
pub(crate) struct Accesses {
    /// Oldest first.
    accesses: Vec<Access>,
    head: Head,
    /// The proof from the head that the device saw last; `None` if it requested no proofs or saw a longer log.
    #[serde(skip_serializing_if = "Option::is_none")]
    consistency: Option<Vec<TreeHash>>,
}

/// An access to a sample.
#[derive(Debug, Serialize)]
struct Access {
    purpose: Purpose,
    week: Week,
    reader: String,
    /// The number in the log.
    entry: i64,
    hash: String,
    #[serde(flatten)]
    proof: Option<Inclusion>,
}

/// A proof that an entry is in the log.
#[derive(Debug, Serialize)]
struct Inclusion {
    /// The hash of the previous entry, which the entry's hash covers.
    previous: String,
    proof: Vec<TreeHash>,
}

/// The end of the log, where the next entry is appended.
pub(crate) struct LogEnd {
    /// The hash of the last entry.
    hash: String,
    tree: Edge,
}

impl Entry {
    /// The number of the entry.
    pub(crate) fn sequence(&self) -> i64 {
        self.content.sequence
    }
}

impl Database {
    /// The current head of the log.
    pub(crate) async fn head(&self) -> Result<Head, DatabaseError> {
        let mut session = self.read().await?;
        let (head, _) = session.head_and_tree().await?;
        Ok(head)
    }

    /// Entries after the one numbered `after`, at most `limit`.
    pub(crate) async fn log(&self, after: i64, limit: u32) -> Result<Vec<Entry>, DatabaseError> {
        let mut session = self.read().await?;
        session.entries_after(after, i64::from(limit)).await
    }

    /// The accesses to a sample of `consent`, even after its deletion, and the head of the log at that moment. With
    /// `seen`, the number of entries that the device saw last, they include proofs.
    pub(crate) async fn accesses(
        &self,
        sample: Id,
        consent: Id,
        seen: Option<u64>,
    ) -> Result<Result<Accesses, ReadRefusal>, DatabaseError> {
        let mut session = self.read().await?;
        match session.owner(sample).await? {
            None => return Ok(Err(ReadRefusal::Unknown)),
            Some(owner) if owner != consent => return Ok(Err(ReadRefusal::NotYours)),
            Some(_) => {}
        }
        let rows = sqlx::query(
            "SELECT sequence, purpose, week, reader, previous, hash FROM accesses
             WHERE sample = $1 ORDER BY sequence",
        )
        .bind(sample.to_string())
        .fetch_all(&mut *session.0)
        .await?;
        let (head, tree) = session.head_and_tree().await?;
        let accesses: Result<Vec<_>, DatabaseError> = rows.iter().map(access).collect();
        let mut report = Accesses {
            accesses: accesses?,
            head,
            consistency: None,
        };
        if let Some(seen) = seen {
            session.add_proofs(&mut report, &rows, &tree, seen).await?;
        }
        Ok(Ok(report))
    }

    /// Chains the entries of an earlier version in SQLite, if not done yet, in one transaction.
    pub(super) async fn migrate_unchained_accesses(&self) -> Result<(), DatabaseError> {
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
        let mut end = session.grow_tree().await?;
        for row in rows {
            let entry = EntryContent {
                previous: end.hash.clone(),
                purpose: row.try_get("purpose")?,
                reader: row.try_get("reader")?,
                sample: row.try_get("sample")?,
                sequence: end.next()?,
                week: row.try_get("week")?,
            };
            session.append(&mut end, entry).await?;
        }
        sqlx::query("DROP TABLE accesses_unchained")
            .execute(&mut *session.0)
            .await?;
        session.commit().await
    }
}

impl Session {
    /// Records an access and returns the end of the log for the next one in this session, which holds the write lock,
    /// so that no other entry is appended in between.
    pub(crate) async fn append_access(
        &mut self,
        hand_out: &NewAccess,
        end: Option<LogEnd>,
    ) -> Result<LogEnd, DatabaseError> {
        let mut end = match end {
            Some(end) => end,
            None => self.grow_tree().await?,
        };
        let entry = EntryContent {
            previous: end.hash.clone(),
            purpose: hand_out.purpose.to_string(),
            reader: hand_out.reader.clone(),
            sample: hand_out.sample.to_string(),
            sequence: end.next()?,
            week: hand_out.week.to_string(),
        };
        self.append(&mut end, entry).await?;
        Ok(end)
    }

    /// Appends the entries by which the log of `old` is longer.
    ///
    /// # Errors
    /// [`DatabaseError::DifferentDatabase`] if that log does not continue this one.
    pub(super) async fn append_log_from(&mut self, old: &mut Self) -> Result<(), DatabaseError> {
        let mut end = self.grow_tree().await?;
        let entries = end.next()? - 1;
        let before = old.entries_after(entries - 1, 1).await?;
        let theirs = before.first().map(|entry| &entry.hash);
        if entries > 0 && theirs != Some(&end.hash) {
            return Err(DatabaseError::DifferentDatabase);
        }
        loop {
            let entries = old.entries_after(end.next()? - 1, PAGE).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for Entry { hash, content } in entries {
                self.append(&mut end, content).await?;
                if end.hash != hash {
                    return Err(DatabaseError::Corrupt("accesses"));
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

    /// Adds proofs to `report` that its entries, from `rows`, are in the log, and that the log continues the one of
    /// `seen` entries.
    async fn add_proofs(
        &mut self,
        report: &mut Accesses,
        rows: &[AnyRow],
        missing: &HashMap<Node, TreeHash>,
        seen: u64,
    ) -> Result<(), DatabaseError> {
        // A manipulated number is reported as it is, and cannot be proven.
        let size = u64::try_from(report.head.entries).unwrap_or_default();
        let proof_of = |access: &Access| {
            let index = u64::try_from(access.entry - 1);
            index.map_or_else(|_| Vec::new(), |index| inclusion_proof(index, size))
        };
        let inclusion: Vec<Vec<Span>> = report.accesses.iter().map(proof_of).collect();
        let consistency = consistency_proof(seen, size);
        let spans = inclusion.iter().flatten().chain(&consistency);
        let nodes: BTreeSet<Node> = spans
            .flat_map(|span| span.nodes())
            .filter(|node| !missing.contains_key(node))
            .collect();
        let stored = self.nodes(&Vec::from_iter(nodes)).await?;
        let hashed = |span: &Span| {
            let hash = span.hash(|node| stored.get(&node).or_else(|| missing.get(&node)).copied());
            hash.ok_or(DatabaseError::Corrupt(TREE))
        };
        let hashed = |spans: &[Span]| spans.iter().map(hashed).collect::<Result<Vec<_>, _>>();
        for ((access, row), proof) in report.accesses.iter_mut().zip(rows).zip(&inclusion) {
            access.proof = Some(Inclusion {
                previous: row.try_get("previous")?,
                proof: hashed(proof)?,
            });
        }
        if seen <= size {
            report.consistency = Some(hashed(&consistency)?);
        }
        Ok(())
    }

    /// The number and the hash of the last entry; 0 and 64 zeros if there is none.
    async fn last_entry(&mut self) -> Result<(i64, String), DatabaseError> {
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT sequence, hash FROM accesses ORDER BY sequence DESC LIMIT 1")
                .fetch_optional(&mut *self.0)
                .await?;
        Ok(last.unwrap_or_else(|| (0, GENESIS_HASH.to_owned())))
    }

    /// Appends an entry with the number and the `previous` hash of `end`.
    async fn append(&mut self, end: &mut LogEnd, entry: EntryContent) -> Result<(), DatabaseError> {
        let canonical = entry.canonical()?;
        let hash = Sha256::digest(&canonical).to_string();
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
        let completed = end.tree.push(leaf_hash(&canonical));
        self.insert_nodes(&completed).await?;
        end.hash = hash;
        Ok(())
    }
}

impl LogEnd {
    /// The number of the next entry.
    fn next(&self) -> Result<i64, DatabaseError> {
        let entries = i64::try_from(self.tree.size()).ok();
        let next = entries.and_then(|entries| entries.checked_add(1));
        next.ok_or(DatabaseError::Corrupt(TREE))
    }
}

impl EntryContent {
    /// The bytes that the hash and the leaf cover.
    fn canonical(&self) -> Result<Vec<u8>, DatabaseError> {
        // Fails only for numbers above the range of RFC 8785, far above any entry's.
        serde_json_canonicalizer::to_vec(self).map_err(|_| DatabaseError::Corrupt("accesses"))
    }
}

fn entry(row: &AnyRow) -> Result<Entry, DatabaseError> {
    Ok(Entry {
        hash: row.try_get("hash")?,
        content: EntryContent {
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
        purpose: parse_column(row.try_get("purpose")?, TABLE)?,
        week: parse_column(row.try_get("week")?, TABLE)?,
        reader: row.try_get("reader")?,
        entry: row.try_get("sequence")?,
        hash: row.try_get("hash")?,
        proof: None,
    })
}

/// The number of entries per query.
const PAGE: i64 = 500;
/// The table of the tree.
const TREE: &str = "access_tree";
/// The `previous` hash of the first entry.
const GENESIS_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
