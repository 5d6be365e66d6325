//! Verification of a collector's report on who opened a sample (docs/protocol.md, "The access
//! log").
//!
//! * **Input**: the response; the stored head of the collector's log and the stored accesses of the
//!   sample.
//! * **Output**: the head and the accesses to store, or the first inconsistency.
//! * **Guarantees**: each access is in the log as reported; the log continues the stored one; no
//!   access that was reported before is missing.
//! * **Never**: proves that an access was logged at all. Only readers of the whole log can check
//!   that.

use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{
    Access, Accesses, AuditHead, AuditRoot, EntryHash, LogInconsistency,
    merkle::{empty_root, leaf_hash, verify_consistency, verify_inclusion},
};
use crate::{Purpose, Week, id::Id};

/// An access that was reported before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ReportedAccess {
    entry: u64,
    hash: EntryHash,
}

/// Verifies a response about `sample`. `kept` is the head that the request stated, `reported` are the
/// accesses that were reported before.
///
/// # Errors
/// The first inconsistency; nothing of the response may be stored then.
pub(crate) fn check_accesses(
    sample: Id,
    accesses: &Accesses,
    kept: Option<&AuditHead>,
    reported: &[ReportedAccess],
) -> Result<(AuditHead, Vec<ReportedAccess>), LogInconsistency> {
    let head = accesses.head.ok_or(LogInconsistency::Unproven)?;
    if let Some(kept) = kept {
        head.continues(kept)?;
    }
    let log = head.audit_root().ok_or(LogInconsistency::Unproven)?;
    let consistency = accesses.consistency.as_ref();
    let consistency = consistency.ok_or(LogInconsistency::Unproven)?;
    let earlier = kept.and_then(AuditHead::audit_root).unwrap_or(AuditRoot {
        entries: 0,
        root: empty_root(),
    });
    if !verify_consistency(
        earlier.entries,
        &earlier.root,
        log.entries,
        &log.root,
        consistency,
    ) {
        return Err(LogInconsistency::Inconsistent {
            before: earlier.entries,
            now: log.entries,
        });
    }
    let mut now: Vec<ReportedAccess> = Vec::new();
    for access in &accesses.accesses {
        let access = check_access(sample, access, &log)?;
        let entry = access.entry;
        if now.last().is_some_and(|last| last.entry >= entry) {
            return Err(LogInconsistency::OutOfOrder { entry });
        }
        if entry == head.entries && access.hash != head.hash {
            return Err(LogInconsistency::WrongHash { entry });
        }
        now.push(access);
    }
    let found: BTreeSet<_> = now.iter().collect();
    match reported.iter().find(|reported| !found.contains(reported)) {
        Some(&ReportedAccess { entry, .. }) => Err(LogInconsistency::LeftOut { entry }),
        None => Ok((head, now)),
    }
}

fn check_access(
    sample: Id,
    access: &Access,
    log: &AuditRoot,
) -> Result<ReportedAccess, LogInconsistency> {
    let reported = access.entry.zip(access.hash);
    let proven = access.previous.zip(access.proof.as_ref());
    let ((entry, hash), (previous, proof)) =
        reported.zip(proven).ok_or(LogInconsistency::Unproven)?;
    let content = Entry {
        previous,
        purpose: access.purpose,
        reader: &access.reader,
        sample,
        sequence: entry,
        week: access.week,
    };
    // It fails only for numbers that RFC 8785 cannot represent, far beyond any entry's.
    let content = serde_json_canonicalizer::to_vec(&content)
        .map_err(|_| LogInconsistency::NotIncluded { entry })?;
    if digest(&SHA256, &content).as_ref() != hash.as_bytes() {
        return Err(LogInconsistency::WrongHash { entry });
    }
    let leaf = leaf_hash(&content);
    let is_included = entry
        .checked_sub(1)
        .is_some_and(|index| verify_inclusion(&leaf, index, log.entries, &log.root, proof));
    match is_included {
        true => Ok(ReportedAccess { entry, hash }),
        false => Err(LogInconsistency::NotIncluded { entry }),
    }
}

/// An entry in the form that is hashed.
#[derive(Serialize)]
struct Entry<'a> {
    previous: EntryHash,
    purpose: Purpose,
    reader: &'a str,
    sample: Id,
    sequence: u64,
    week: Week,
}
