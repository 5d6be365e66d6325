//! A collector's report on who opened a sample.
//!
//! The collector records each access in a log whose entries are chained by their hashes and are the leaves of a Merkle
//! tree (docs/protocol.md, "The access log"). Its response has the log's head and proves that each access is in that
//! log, and that the log continues the one whose head this device has stored. `access_check` verifies it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{EntryHash, TreeHash, UploadError, UploadResult, problem::problem};
use crate::{Purpose, Week};

/// Every access to one sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accesses {
    /// Oldest first.
    pub accesses: Vec<Access>,
    /// The head of the collector's log at that time; `None` from a collector of a version without a chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<AuditHead>,
    /// The proof that the log continues the one whose head this device has stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Vec<TreeHash>>,
    /// The first inconsistency of the log or of the report. It is not part of the response:
    /// [`crate::Sordino::read_accesses`] sets it.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub broken: Option<LogInconsistency>,
}

/// One access to a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The purpose of the access.
    pub purpose: Purpose,
    /// The week of the access.
    pub week: Week,
    /// The name of the reader's token.
    pub reader: String,
    /// Its number in the collector's log, from 1; `None` from a collector of a version without a chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// The hash of the entry in the log; `None` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<EntryHash>,
    /// The hash of the entry before it in the log; `None` from a collector of a version without proofs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<EntryHash>,
    /// The proof that the entry is in the log with the response's head; `None` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Vec<TreeHash>>,
}

impl Accesses {
    /// The accesses in the collector's response.
    ///
    /// # Errors
    /// The collector did not respond, or with a problem.
    pub fn from_result(result: UploadResult) -> Result<Self, UploadError> {
        match result {
            UploadResult::Unreachable(reason) => Err(UploadError::Accesses(reason)),
            UploadResult::Response(response) if response.status == 200 => {
                serde_json::from_slice(&response.body)
                    .map_err(|error| UploadError::Accesses(error.to_string()))
            }
            UploadResult::Response(response) => Err(UploadError::Accesses(problem(&response))),
        }
    }
}

/// The head of an access log, which commits to every entry up to the last. Written `ENTRIES:HASH`, without the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of entries, which is also the number of the last one.
    pub entries: u64,
    /// The hash of the last entry; [`EntryHash::NONE`] if the log is empty.
    pub hash: EntryHash,
    /// The root of the log's Merkle tree; `None` from a collector that keeps no tree, or if it was not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<TreeHash>,
}

/// An inconsistency in an access log, or in a collector's report on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub enum LogInconsistency {
    /// Entries were removed.
    #[error("the access log had {before} entries and has {now} now: entries were removed")]
    Shortened {
        /// The number of entries before.
        before: u64,
        /// The number of entries now.
        now: u64,
    },
    /// The same number of entries, but with different content.
    #[error("the access log has {entries} entries as before, but they were changed")]
    Rewritten {
        /// The number of entries now.
        entries: u64,
    },
    /// More entries than before, without proof that the earlier ones are unchanged.
    #[error(
        "the access log has {now} entries now, and the collector does not prove that the first {before} are those that \
         it had before"
    )]
    Inconsistent {
        /// The number of entries before.
        before: u64,
        /// The number of entries now.
        now: u64,
    },
    /// The response has no root, or an access without an inclusion proof.
    #[error(
        "the answer does not prove that the access log is whole: the collector is of an earlier version, or withholds \
         its proofs"
    )]
    Unproven,
    /// Entries were reported out of order or twice.
    #[error("entry {entry} of the access log was reported out of order")]
    OutOfOrder {
        /// The entry that is out of order.
        entry: u64,
    },
    /// A reported entry does not match its hash.
    #[error("entry {entry} of the access log does not match its reported hash")]
    WrongHash {
        /// The entry.
        entry: u64,
    },
    /// The reported entry is not in the log.
    #[error("entry {entry}, as reported, is not in the access log")]
    NotIncluded {
        /// The entry.
        entry: u64,
    },
    /// An access that was reported before is missing or different.
    #[error("entry {entry} of the access log was reported before, and is now missing or different")]
    LeftOut {
        /// The entry.
        entry: u64,
    },
}

impl AuditHead {
    /// The head of a log without entries.
    pub const EMPTY: Self = Self {
        entries: 0,
        hash: EntryHash::NONE,
        root: None,
    };

    /// The root, with the number of entries that it covers.
    pub fn audit_root(&self) -> Option<AuditRoot> {
        let entries = self.entries;
        self.root.map(|root| AuditRoot { entries, root })
    }

    /// Checks that a log with this head can be a continuation of the log with the head `earlier`.
    /// If it has grown, only a consistency proof or the log itself proves it: `sordino audit verify
    /// LOG --head EARLIER`.
    ///
    /// # Errors
    /// Entries were removed or changed.
    pub fn continues(&self, earlier: &Self) -> Result<(), LogInconsistency> {
        if self.entries < earlier.entries {
            return Err(LogInconsistency::Shortened {
                before: earlier.entries,
                now: self.entries,
            });
        }
        let has_other_root = self
            .root
            .zip(earlier.root)
            .is_some_and(|(ours, theirs)| ours != theirs);
        if self.entries == earlier.entries && (self.hash != earlier.hash || has_other_root) {
            return Err(LogInconsistency::Rewritten {
                entries: self.entries,
            });
        }
        Ok(())
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entries, self.hash)
    }
}

/// The text is not the head of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid log head `{0}`: expected ENTRIES:HASH")]
pub struct ParseAuditHeadError(String);

impl FromStr for AuditHead {
    type Err = ParseAuditHeadError;

    fn from_str(text: &str) -> Result<Self, ParseAuditHeadError> {
        let (entries, hash) =
            parse_numbered(text).ok_or_else(|| ParseAuditHeadError(text.to_owned()))?;
        Ok(Self {
            entries,
            hash,
            root: None,
        })
    }
}

/// The root of the Merkle tree over the first entries of an access log. Written `ENTRIES:ROOT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRoot {
    /// The number of entries.
    pub entries: u64,
    /// The root.
    pub root: TreeHash,
}

/// The text is not the root of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid log root `{0}`: expected ENTRIES:ROOT")]
pub struct ParseAuditRootError(String);

impl fmt::Display for AuditRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entries, self.root)
    }
}

impl FromStr for AuditRoot {
    type Err = ParseAuditRootError;

    fn from_str(text: &str) -> Result<Self, ParseAuditRootError> {
        let (entries, root) =
            parse_numbered(text).ok_or_else(|| ParseAuditRootError(text.to_owned()))?;
        Ok(Self { entries, root })
    }
}

/// Parses `ENTRIES:HASH` in canonical form.
fn parse_numbered<T: FromStr + fmt::Display>(text: &str) -> Option<(u64, T)> {
    let (entries, hash) = text.split_once(':')?;
    let (entries, hash): (u64, T) = (entries.parse().ok()?, hash.parse().ok()?);
    (format!("{entries}:{hash}") == text).then_some((entries, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::HttpResponse;

    fn answered(body: &str) -> UploadResult {
        UploadResult::Response(HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    fn head(entries: u64, digit: char) -> AuditHead {
        let hash = digit.to_string().repeat(64);
        format!("{entries}:{hash}").parse().unwrap()
    }

    #[test]
    fn each_access_is_found_in_the_log_by_its_number_and_hash() {
        let hash = "a".repeat(64);
        let body = format!(
            r#"{{"accesses": [{{"purpose": "quality-assurance", "week": "2026-W48", "reader": "desk",
               "entry": 7, "hash": "{hash}"}}], "head": {{"entries": 9, "hash": "{hash}"}}}}"#
        );
        let accesses = Accesses::from_result(answered(&body)).unwrap();
        assert_eq!(accesses.accesses[0].entry, Some(7));
        assert_eq!(accesses.accesses[0].hash, Some(hash.parse().unwrap()));
        assert_eq!(accesses.head, Some(head(9, 'a')));
        let written = serde_json::to_string(&accesses).unwrap();
        assert_eq!(Accesses::from_result(answered(&written)).unwrap(), accesses);
    }

    #[test]
    fn a_collector_without_a_log_is_accepted() {
        let body =
            r#"{"accesses":[{"purpose":"quality-assurance","week":"2026-W48","reader":"desk"}]}"#;
        let accesses = Accesses::from_result(answered(body)).unwrap();
        assert_eq!((accesses.accesses[0].entry, accesses.head), (None, None));
        assert_eq!(serde_json::to_string(&accesses).unwrap(), body);
    }

    #[test]
    fn proofs_are_read_as_they_were_written() {
        let [hash, root] = ["a", "b"].map(|digit| digit.repeat(64));
        let body = format!(
            r#"{{"accesses":[{{"purpose":"quality-assurance","week":"2026-W48","reader":"desk","entry":1,"hash":"{hash}","previous":"{hash}","proof":["{root}"]}}],"head":{{"entries":2,"hash":"{hash}","root":"{root}"}},"consistency":["{root}","{hash}"]}}"#
        );
        let accesses = Accesses::from_result(answered(&body)).unwrap();
        let root: AuditRoot = format!("2:{root}").parse().unwrap();
        assert_eq!(accesses.head.unwrap().audit_root(), Some(root));
        assert_eq!(serde_json::to_string(&accesses).unwrap(), body);
    }

    #[test]
    fn invalid_heads_are_rejected() {
        let hash = "0".repeat(64);
        for text in [
            "",
            ":",
            "7",
            "7:",
            "-1:0",
            &format!("+7:{hash}"),
            &format!("07:{hash}"),
            &format!(":{hash}"),
            &format!("7:{hash}0"),
        ] {
            assert_eq!(
                text.parse::<AuditHead>(),
                Err(ParseAuditHeadError(text.to_owned()))
            );
            assert_eq!(
                text.parse::<AuditRoot>(),
                Err(ParseAuditRootError(text.to_owned()))
            );
        }
        for wrong in ["", "zz", &hash[1..], &"A".repeat(64)] {
            assert!(wrong.parse::<EntryHash>().is_err());
            let body = format!(r#"{{"accesses":[],"head":{{"entries":1,"hash":"{wrong}"}}}}"#);
            assert!(Accesses::from_result(answered(&body)).is_err(), "{wrong}");
        }
        assert_eq!(format!("0:{hash}").parse(), Ok(AuditHead::EMPTY));
        assert_eq!(AuditHead::EMPTY.to_string(), format!("0:{hash}"));
    }

    #[test]
    fn a_shortened_or_rewritten_log_is_not_a_continuation() {
        let before = head(7, 'a');
        for later in [before, head(8, 'a'), head(8, 'b')] {
            assert_eq!(later.continues(&before), Ok(()));
        }
        assert_eq!(before.continues(&AuditHead::EMPTY), Ok(()));
        let with_root = |digit: &str| AuditHead {
            root: Some(digit.repeat(64).parse().unwrap()),
            ..before
        };
        assert_eq!(with_root("1").continues(&before), Ok(()));
        assert_eq!(
            with_root("1").continues(&with_root("2")),
            Err(LogInconsistency::Rewritten { entries: 7 })
        );
        assert_eq!(
            head(6, 'a').continues(&before),
            Err(LogInconsistency::Shortened { before: 7, now: 6 })
        );
        assert_eq!(
            head(7, 'b').continues(&before),
            Err(LogInconsistency::Rewritten { entries: 7 })
        );
    }
}
