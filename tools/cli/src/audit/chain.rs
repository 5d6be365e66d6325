//! Verifies an access log by docs/protocol.md: each entry is unchanged
//! and chained to the one before. No I/O, and no code of the collector, which it checks.

#[cfg(test)]
mod tests;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};
use sordino::upload::{
    AuditHead, AuditRoot, EntryHash, TreeHash,
    merkle::{leaf_hash, root},
};

/// The valid part of a log that was read so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Hashes of the entries.
    hashes: Vec<EntryHash>,
    /// Hashes of the entries as leaves of the Merkle tree.
    leaves: Vec<TreeHash>,
}

/// An error in a log. Lines are counted from 1; in a valid log, line N has entry N.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// A line is not an entry in canonical form.
    #[error(
        "line {line}: not an entry of an access log, which is one JSON object in canonical form"
    )]
    InvalidEntry { line: u64 },
    /// A member was changed.
    #[error("line {line}: the entry was changed: its hash does not fit it")]
    Changed { line: u64 },
    /// Entries were removed or moved down.
    #[error("line {line}: {}", gap(line, found))]
    Missing { line: u64, found: u64 },
    /// An entry was inserted or moved up.
    #[error("line {line}: entry {found} is in the place of entry {line}")]
    Misplaced { line: u64, found: u64 },
    /// This entry or the previous one was inserted or changed, with a matching hash.
    #[error("line {line}: it does not follow the previous entry: one of the two was rewritten")]
    Unlinked { line: u64 },
    /// Entries were removed at the end.
    #[error("the log ends at entry {entries}, but its head is {head}: {}", end(*head - *entries))]
    CutOff { entries: u64, head: u64 },
    /// All entries from one on were rewritten.
    #[error(
        "entry {entry} is not the one that the head names: the log was rewritten, or the \
             head is another log's"
    )]
    OtherHead { entry: u64 },
    /// The same, by the root of the tree.
    #[error(
        "its first {entries} entries have another root: one of them was rewritten, or the root is another log's"
    )]
    OtherRoot { entries: u64 },
}

impl Log {
    /// Reads a log with one entry per line, in the canonical form of RFC 8785.
    pub(super) fn read(text: &[u8]) -> Result<Self, Flaw> {
        let mut log = Self::default();
        if text.is_empty() {
            return Ok(log);
        }
        let lines = text.strip_suffix(b"\n").unwrap_or(text);
        for line in lines.split(|byte| *byte == b'\n') {
            log.append(line)?;
        }
        Ok(log)
    }

    /// Adds the next entry.
    pub(super) fn append(&mut self, text: &[u8]) -> Result<(), Flaw> {
        let last = self.head();
        let line = last.entries + 1;
        let entry = Entry::parse(text).ok_or(Flaw::InvalidEntry { line })?;
        if entry.hash != entry.computed {
            return Err(Flaw::Changed { line });
        }
        let found = entry.sequence;
        if found > line {
            return Err(Flaw::Missing { line, found });
        }
        if found < line {
            return Err(Flaw::Misplaced { line, found });
        }
        if entry.previous != last.hash {
            return Err(Flaw::Unlinked { line });
        }
        self.hashes.push(entry.hash);
        self.leaves.push(entry.leaf);
        Ok(())
    }

    /// The head: number of entries, last hash, and root of the tree.
    pub(super) fn head(&self) -> AuditHead {
        AuditHead {
            entries: self.hashes.len() as u64,
            hash: self.hashes.last().copied().unwrap_or(EntryHash::NONE),
            root: None,
        }
    }

    /// The root of the Merkle tree over all of it.
    pub(super) fn root(&self) -> AuditRoot {
        AuditRoot {
            entries: self.leaves.len() as u64,
            root: root(&self.leaves),
        }
    }

    /// Whether the log had this head once and is complete up to it. The head may be older than
    /// the log.
    pub(super) fn holds(&self, head: &AuditHead) -> Result<(), Flaw> {
        let entries = self.head().entries;
        if head.entries > entries {
            let head = head.entries;
            return Err(Flaw::CutOff { entries, head });
        }
        let at_head = match head.entries {
            0 => Some(EntryHash::NONE),
            number => usize::try_from(number - 1)
                .ok()
                .and_then(|index| self.hashes.get(index).copied()),
        };
        if at_head != Some(head.hash) {
            return Err(Flaw::OtherHead {
                entry: head.entries,
            });
        }
        match head.audit_root() {
            Some(root) => self.has_root(&root),
            None => Ok(()),
        }
    }

    /// Whether the tree over the first entries has this root.
    pub(super) fn has_root(&self, expected: &AuditRoot) -> Result<(), Flaw> {
        let AuditRoot {
            entries,
            root: kept,
        } = *expected;
        let first = usize::try_from(entries).ok();
        let first = first.and_then(|entries| self.leaves.get(..entries));
        let first = first.ok_or(Flaw::CutOff {
            entries: self.leaves.len() as u64,
            head: entries,
        })?;
        match root(first) == kept {
            true => Ok(()),
            false => Err(Flaw::OtherRoot { entries }),
        }
    }
}

/// The members of an entry that form the chain.
struct Entry {
    sequence: u64,
    previous: EntryHash,
    /// The stated hash.
    hash: EntryHash,
    /// The computed hash.
    computed: EntryHash,
    leaf: TreeHash,
}

impl Entry {
    /// The members of an entry, sorted.
    const MEMBERS: [&str; 7] = [
        "hash", "previous", "purpose", "reader", "sample", "sequence", "week",
    ];

    /// `None` if `line` is not an entry.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut members: Map<String, Value> = serde_json::from_slice(line).ok()?;
        // Other encodings of the same entry are rejected: parsers disagree about a duplicate member.
        if canonical(&members)? != line || !members.keys().eq(Self::MEMBERS) {
            return None;
        }
        let hash = members.remove("hash")?;
        let content = canonical(&members)?;
        let mut computed = [0; 32];
        computed.copy_from_slice(digest(&SHA256, &content).as_ref());
        Some(Self {
            sequence: members.get("sequence")?.as_u64()?,
            previous: serde_json::from_value(members.remove("previous")?).ok()?,
            hash: serde_json::from_value(hash).ok()?,
            computed: computed.into(),
            leaf: leaf_hash(&content),
        })
    }
}

fn gap(line: &u64, found: &u64) -> String {
    let last = found - 1;
    match *line == last {
        true => format!("entry {line} is missing here; entry {found} is in its place"),
        false => {
            format!("entries {line} to {last} are missing here; entry {found} is in their place")
        }
    }
}

fn end(missing: u64) -> String {
    match missing {
        1 => "the last one is missing".to_owned(),
        _ => format!("the last {missing} are missing"),
    }
}

/// An entry as a line of a log, in the canonical form of RFC 8785.
pub(super) fn canonical(members: &Map<String, Value>) -> Option<Vec<u8>> {
    serde_json_canonicalizer::to_vec(members).ok()
}
