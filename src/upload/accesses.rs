//! Who opened a sample, as the collector tells the person.
//!
//! The collector notes each hand-out in a log whose entries are chained by their hashes
//! (docs/protocol.md, "The access log"), and tells the log's head with its answer. Whoever remembers
//! a head finds out later whether what it stood for was changed: see [`AuditHead::continues`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Outcome, UploadError, problem::problem};
use crate::{Purpose, Week};

/// Every hand-out of one sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accesses {
    /// Oldest first.
    pub accesses: Vec<Access>,
    /// Where the collector's log stood then; `None` from a collector that keeps no chain yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<AuditHead>,
    /// What is wrong with that log, where it is not the continuation of the one that this device saw
    /// before. The collector does not say it: [`crate::Sordino::read_accesses`] finds it.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLog>,
}

/// One hand-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// What it was handed out for.
    pub purpose: Purpose,
    /// When.
    pub week: Week,
    /// The name of the reader's token.
    pub reader: String,
    /// Its number in the collector's log, from 1; `None` from a collector that keeps no chain yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// The entry's hash, by which it is found in the log; `None` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<EntryHash>,
}

impl Accesses {
    /// What the collector answered.
    ///
    /// # Errors
    /// It did not answer, or with a problem.
    pub fn from_outcome(outcome: Outcome) -> Result<Self, UploadError> {
        match outcome {
            Outcome::Unreachable(reason) => Err(UploadError::Accesses(reason)),
            Outcome::Answered(answer) if answer.status == 200 => {
                serde_json::from_slice(&answer.body)
                    .map_err(|error| UploadError::Accesses(error.to_string()))
            }
            Outcome::Answered(answer) => Err(UploadError::Accesses(problem(&answer))),
        }
    }
}

/// Where an access log stands: it names every entry up to the last. Written `ENTRIES:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// How many entries the log has, which is the number of the last.
    pub entries: u64,
    /// The hash of the last entry; [`EntryHash::NONE`] where there is none.
    pub hash: EntryHash,
}

/// An access log that is not the continuation of what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub enum BrokenLog {
    /// Entries are gone.
    #[error("the access log had {before} entries and has {now} now: entries were removed")]
    Shortened {
        /// How many it had.
        before: u64,
        /// How many it has.
        now: u64,
    },
    /// As many entries as before, but others.
    #[error("the access log has {entries} entries as before, but they were changed")]
    Rewritten {
        /// How many it has.
        entries: u64,
    },
}

impl AuditHead {
    /// The head of a log without entries.
    pub const EMPTY: Self = Self {
        entries: 0,
        hash: EntryHash::NONE,
    };

    /// Whether a log with this head can be the one with the head `earlier`, grown since. Where it has
    /// grown, only the log itself proves it: `sordino audit verify LOG --head EARLIER`.
    ///
    /// # Errors
    /// It cannot: entries that were there were removed or changed.
    pub fn continues(&self, earlier: &Self) -> Result<(), BrokenLog> {
        if self.entries < earlier.entries {
            return Err(BrokenLog::Shortened {
                before: earlier.entries,
                now: self.entries,
            });
        }
        if self.entries == earlier.entries && self.hash != earlier.hash {
            return Err(BrokenLog::Rewritten {
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

/// Text that is no head of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no head of a log, which is ENTRIES:HASH")]
pub struct NotAHead(String);

impl FromStr for AuditHead {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let parts = text.split_once(':').and_then(|(entries, hash)| {
            Some(Self {
                entries: entries.parse().ok()?,
                hash: hash.parse().ok()?,
            })
        });
        parts
            .filter(|head| head.to_string() == text)
            .ok_or_else(|| NotAHead(text.to_owned()))
    }
}

/// The SHA-256 of an entry of an access log; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryHash([u8; 32]);

/// Text that is no hash of an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hash of 64 lower-case hexadecimal digits")]
pub struct NotAHash(String);

impl EntryHash {
    /// What stands for the hash before the first entry's.
    pub const NONE: Self = Self([0; 32]);
}

impl From<[u8; 32]> for EntryHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EntryHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let wrong = || NotAHash(text.to_owned());
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 64 || !text.bytes().all(is_digit) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for EntryHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntryHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::Answer;

    fn answered(body: &str) -> Outcome {
        Outcome::Answered(Answer {
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
        let accesses = Accesses::from_outcome(answered(&body)).unwrap();
        assert_eq!(accesses.accesses[0].entry, Some(7));
        assert_eq!(accesses.accesses[0].hash, Some(hash.parse().unwrap()));
        assert_eq!(accesses.head, Some(head(9, 'a')));
        let written = serde_json::to_string(&accesses).unwrap();
        assert_eq!(
            Accesses::from_outcome(answered(&written)).unwrap(),
            accesses
        );
    }

    #[test]
    fn a_collector_that_keeps_no_chain_is_understood() {
        let body =
            r#"{"accesses":[{"purpose":"quality-assurance","week":"2026-W48","reader":"desk"}]}"#;
        let accesses = Accesses::from_outcome(answered(body)).unwrap();
        assert_eq!((accesses.accesses[0].entry, accesses.head), (None, None));
        assert_eq!(serde_json::to_string(&accesses).unwrap(), body);
    }

    #[test]
    fn what_is_no_head_is_not_taken_for_one() {
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
            assert_eq!(text.parse::<AuditHead>(), Err(NotAHead(text.to_owned())));
        }
        for wrong in ["", "zz", &hash[1..], &"A".repeat(64)] {
            assert!(wrong.parse::<EntryHash>().is_err());
            let body = format!(r#"{{"accesses":[],"head":{{"entries":1,"hash":"{wrong}"}}}}"#);
            assert!(Accesses::from_outcome(answered(&body)).is_err(), "{wrong}");
        }
        assert_eq!(format!("0:{hash}").parse(), Ok(AuditHead::EMPTY));
        assert_eq!(AuditHead::EMPTY.to_string(), format!("0:{hash}"));
    }

    #[test]
    fn a_log_that_shrank_or_changed_does_not_continue_what_it_was() {
        let before = head(7, 'a');
        for later in [before, head(8, 'a'), head(8, 'b')] {
            assert_eq!(later.continues(&before), Ok(()));
        }
        assert_eq!(before.continues(&AuditHead::EMPTY), Ok(()));
        assert_eq!(
            head(6, 'a').continues(&before),
            Err(BrokenLog::Shortened { before: 7, now: 6 })
        );
        assert_eq!(
            head(7, 'b').continues(&before),
            Err(BrokenLog::Rewritten { entries: 7 })
        );
    }
}
