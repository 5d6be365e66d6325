//! Upload tasks: the kind of a request and its collector.

use std::{fmt, str::FromStr};

use crate::{Purposes, endpoint::Endpoint, id::Id};

/// The kind of a request, and its collector. Its text form `KIND@URL` survives the process, for
/// uploads that a phone completes after the app has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadTask {
    /// The kind of the request.
    pub kind: TaskKind,
    /// The collector that must respond.
    pub collector: Endpoint,
}

/// The kind of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskKind {
    /// Fetches the plan if there is a newer one.
    FetchPlan,
    /// Queries the epoch of the collector's database, which changes when it is restored from a
    /// backup.
    AskEpoch,
    /// Registers a revision of a consent record.
    Register {
        /// The record.
        record: Id,
        /// Its revision.
        revision: u32,
    },
    /// Registers a record again before the first sample of a process: a device whose state was
    /// restored from a backup learns that the record was withdrawn.
    Confirm {
        /// The record.
        record: Id,
        /// Its revision.
        revision: u32,
    },
    /// Withdraws purposes of a record.
    Withdraw {
        /// The record.
        record: Id,
        /// The withdrawn purposes.
        purposes: Purposes,
    },
    /// Deletes one sample.
    Delete {
        /// The sample.
        sample: Id,
    },
    /// Sends one sample.
    Send {
        /// The sample.
        sample: Id,
    },
    /// Queries who opened one sample.
    ReadAccesses {
        /// The sample.
        sample: Id,
        /// The number of entries of the access log when this device last saw its head; 0 if it never
        /// did.
        seen: u64,
    },
}

/// The text is not an [`UploadTask`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an upload task of this SDK")]
pub struct ParseUploadTaskError(String);

impl TaskKind {
    /// The task of this kind for `collector`.
    pub(crate) fn for_collector(self, collector: &Endpoint) -> UploadTask {
        UploadTask {
            kind: self,
            collector: collector.clone(),
        }
    }

    /// Whether it is a withdrawal or a deletion. Such a request is sent at once, ahead of all
    /// others, over any network.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Withdraw { .. } | Self::Delete { .. })
    }
}

impl fmt::Display for UploadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind, self.collector)
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FetchPlan => f.write_str("plan"),
            Self::AskEpoch => f.write_str("epoch"),
            Self::Register { record, revision } => write!(f, "register:{record}:{revision}"),
            Self::Confirm { record, revision } => write!(f, "confirm:{record}:{revision}"),
            Self::Withdraw { record, purposes } => write!(f, "withdraw:{record}:{purposes}"),
            Self::Delete { sample } => write!(f, "delete:{sample}"),
            Self::Send { sample } => write!(f, "send:{sample}"),
            Self::ReadAccesses { sample, seen } => write!(f, "accesses:{sample}:{seen}"),
        }
    }
}

impl FromStr for UploadTask {
    type Err = ParseUploadTaskError;

    fn from_str(text: &str) -> Result<Self, ParseUploadTaskError> {
        let unknown = || ParseUploadTaskError(text.to_owned());
        let (kind, collector) = text.split_once('@').ok_or_else(unknown)?;
        Ok(Self {
            kind: kind_of(kind).ok_or_else(unknown)?,
            collector: collector.parse().map_err(|_| unknown())?,
        })
    }
}

fn kind_of(text: &str) -> Option<TaskKind> {
    let mut parts = text.splitn(3, ':');
    let name = parts.next()?;
    let Some(id) = parts.next() else {
        return match name {
            "plan" => Some(TaskKind::FetchPlan),
            "epoch" => Some(TaskKind::AskEpoch),
            _ => None,
        };
    };
    let id: Id = id.parse().ok()?;
    Some(match (name, parts.next()) {
        ("register", Some(revision)) => TaskKind::Register {
            record: id,
            revision: revision.parse().ok()?,
        },
        ("confirm", Some(revision)) => TaskKind::Confirm {
            record: id,
            revision: revision.parse().ok()?,
        },
        ("withdraw", Some(purposes)) => TaskKind::Withdraw {
            record: id,
            purposes: purposes.parse().ok()?,
        },
        ("delete", None) => TaskKind::Delete { sample: id },
        ("send", None) => TaskKind::Send { sample: id },
        ("accesses", Some(seen)) => TaskKind::ReadAccesses {
            sample: id,
            seen: seen.parse().ok()?,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{QA, RESEARCH, both};

    fn tasks() -> impl Strategy<Value = UploadTask> {
        let id = any::<u128>().prop_map(|id| format!("{id:032x}").parse::<Id>().unwrap());
        let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
        let collectors = [
            "https://collector.example",
            "https://collector.example:8443/qa",
            "http://[::1]:8787",
        ];
        let kind = (id, any::<(u32, u64)>(), purposes, 0..8).prop_map(
            |(record, (revision, seen), purposes, kind)| match kind {
                0 => TaskKind::FetchPlan,
                1 => TaskKind::Register { record, revision },
                2 => TaskKind::Confirm { record, revision },
                3 => TaskKind::Withdraw { record, purposes },
                4 => TaskKind::Delete { sample: record },
                5 => TaskKind::Send { sample: record },
                6 => TaskKind::AskEpoch,
                _ => TaskKind::ReadAccesses {
                    sample: record,
                    seen,
                },
            },
        );
        (kind, prop::sample::select(collectors.to_vec()))
            .prop_map(|(kind, collector)| kind.for_collector(&collector.parse().unwrap()))
    }

    proptest! {
        #[test]
        fn a_task_survives_the_process_as_text(task in tasks()) {
            prop_assert_eq!(task.to_string().parse::<UploadTask>().unwrap(), task);
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,80}") {
            if let Ok(task) = text.parse::<UploadTask>() {
                prop_assert_eq!(task.to_string().parse::<UploadTask>().unwrap(), task);
            }
        }
    }
}
