//! Decides whether a sample is admitted, by its record, the plans and earlier uses of its id.

use jiff::civil::Date;
use sordino::{Id, Purposes, Week, signed::PublicKey};
use sqlx::AssertSqlSafe;

use super::{Database, DatabaseError, Session, parse_column, parse_purposes};
use crate::{blob_store::ObjectName, digest::Sha256};

/// A sample to be admitted.
#[derive(Clone, Debug)]
pub(crate) struct NewSample {
    pub(crate) id: Id,
    pub(crate) consent: Id,
    pub(crate) purposes: Purposes,
    pub(crate) sha256: Sha256,
    /// The week of arrival.
    pub(crate) week: Week,
}

/// Whether a sample is admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Admitted.
    Open,
    /// The same bytes are already stored.
    Present,
    /// Refused.
    Refused(Refusal),
}

/// Why a sample is refused, or a request about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The record was never registered.
    UnknownRecord,
    /// The record was withdrawn permanently.
    Withdrawn,
    /// The consent ended after this week.
    Expired(Week),
    /// The record does not grant these of its purposes.
    NotGranted(Purposes),
    /// The id was deleted before.
    Deleted,
    /// The id belongs to another record's sample.
    NotYours,
    /// The id belongs to a sample with other bytes.
    DifferentContent,
}

/// The check of a sample's recipients against the plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecipientCheck {
    /// No plan was ever loaded: any recipients are accepted.
    NoPlan,
    /// The recipients match a plan; their number.
    Accepted(usize),
    /// The recipients match no valid plan.
    Rejected,
}

/// An upload before its body arrives.
#[derive(Clone, Debug)]
pub(crate) struct UploadContext {
    /// The key of its record; `None` if the record was never registered.
    pub(crate) key: Option<PublicKey>,
    pub(crate) recipients: RecipientCheck,
    /// A preliminary decision; [`Session::admit`] decides again.
    pub(crate) admission: Admission,
    /// Whether the current plan pauses sampling.
    pub(crate) is_paused: bool,
    /// The daily limits of the current plan per record.
    pub(crate) limits: DailyLimits,
    /// Stored samples that its record sent this week.
    pub(crate) week: Usage,
}

/// A number of samples and their total size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

/// A plan's daily limits per record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DailyLimits {
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

impl DailyLimits {
    /// No limits, for a collector without a plan.
    const NONE: Self = Self {
        samples: u64::MAX,
        bytes: u64::MAX,
    };
}

/// Selects the state of the id and of the record.
const ADMISSION: &str = "
    SELECT 'deleted' AS what, consent AS a, '' AS b, '' AS c FROM tombstones WHERE sample = $1
    UNION ALL SELECT 'held', consent, sha256, '' FROM samples WHERE id = $1
    UNION ALL SELECT 'swept', '', '', '' FROM swept WHERE object = $2
    UNION ALL SELECT 'record', id, granted, holds_until FROM records WHERE id = $3";

/// The rows of a statement that begins with [`ADMISSION`].
struct AdmissionRows(Vec<(String, String, String, String)>);

impl AdmissionRows {
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0
            .iter()
            .filter(move |(what, ..)| what == kind)
            .map(|(_, a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
    }

    fn first(&self, kind: &str) -> Option<(&str, &str, &str)> {
        self.of_kind(kind).next()
    }

    fn admission(&self, sample: &NewSample) -> Result<Admission, DatabaseError> {
        let deleted = self.first("deleted");
        if let Some((consent, sha256, _)) = deleted.or(self.first("held")) {
            if parse_column::<Id>(consent, "samples")? != sample.consent {
                return Ok(Admission::Refused(Refusal::NotYours));
            }
            if deleted.is_some() {
                return Ok(Admission::Refused(Refusal::Deleted));
            }
            let is_same = parse_column::<Sha256>(sha256, "samples")? == sample.sha256;
            return Ok(match is_same {
                true => Admission::Present,
                false => Admission::Refused(Refusal::DifferentContent),
            });
        }
        if self.first("swept").is_some() {
            return Err(DatabaseError::UploadExpired);
        }
        let Some((_, granted, holds_until)) = self.first("record") else {
            return Ok(Admission::Refused(Refusal::UnknownRecord));
        };
        let granted = parse_purposes(granted, "records")?;
        let holds_until: Week = parse_column(holds_until, "records")?;
        Ok(if granted.is_empty() {
            Admission::Refused(Refusal::Withdrawn)
        } else if holds_until < sample.week {
            Admission::Refused(Refusal::Expired(holds_until))
        } else if !sample.purposes.is_subset(&granted) {
            let beyond = sample.purposes.difference(&granted);
            Admission::Refused(Refusal::NotGranted(beyond))
        } else {
            Admission::Open
        })
    }

    fn limits(&self) -> Result<DailyLimits, DatabaseError> {
        let Some((_, samples, bytes)) = self.first("limits") else {
            return Ok(DailyLimits::NONE);
        };
        Ok(DailyLimits {
            samples: parse_column(samples, "plans")?,
            bytes: parse_column(bytes, "plans")?,
        })
    }

    fn week(&self) -> Result<Usage, DatabaseError> {
        let Some((samples, bytes, _)) = self.first("week") else {
            return Ok(Usage::default());
        };
        Ok(Usage {
            samples: parse_column(samples, "samples")?,
            bytes: parse_column(bytes, "samples")?,
        })
    }

    /// Whether a plan that is valid on `today` has the recipients with the digest `stated`.
    fn check_recipients(&self, stated: Sha256, today: Date) -> RecipientCheck {
        if self.first("plan").is_none() {
            return RecipientCheck::NoPlan;
        }
        let (stated, today) = (stated.to_string(), today.to_string());
        let plan = self
            .of_kind("plan")
            .find(|(digest, expires, _)| *digest == stated && **expires > *today);
        match plan {
            Some((_, _, recipients)) => RecipientCheck::Accepted(recipients.parse().unwrap_or(0)),
            None => RecipientCheck::Rejected,
        }
    }
}

impl Database {
    /// The context of an upload that declares recipients with the digest `stated`.
    pub(crate) async fn upload_context(
        &self,
        sample: &NewSample,
        stated: Sha256,
        today: Date,
    ) -> Result<UploadContext, DatabaseError> {
        // A single statement, because uploads queue for the connection.
        let statement = format!(
            "{ADMISSION}
            UNION ALL SELECT 'key', key, '', '' FROM records WHERE id = $3
            UNION ALL SELECT 'plan', recipients_sha256, expires, CAST(recipients AS TEXT) FROM plans
            UNION ALL SELECT 'limits', CAST(paused AS TEXT), CAST(samples_per_day AS TEXT),
                CAST(bytes_per_day AS TEXT) FROM plans WHERE version = (SELECT max(version) FROM plans)
            UNION ALL SELECT 'week', CAST(count(*) AS TEXT), CAST(coalesce(sum(bytes), 0) AS TEXT), ''
                FROM samples WHERE consent = $3 AND week = $4"
        );
        let rows = sqlx::query_as(AssertSqlSafe(statement))
            .bind(sample.id.to_string())
            .bind(None::<String>)
            .bind(sample.consent.to_string())
            .bind(sample.week.to_string())
            .fetch_all(&self.readers)
            .await?;
        let rows = AdmissionRows(rows);
        let key = rows
            .first("key")
            .map(|(key, ..)| parse_column(key, "records"));
        Ok(UploadContext {
            key: key.transpose()?,
            recipients: rows.check_recipients(stated, today),
            admission: rows.admission(sample)?,
            is_paused: rows
                .first("limits")
                .is_some_and(|(paused, ..)| paused != "0"),
            limits: rows.limits()?,
            week: rows.week()?,
        })
    }
}

impl Session {
    /// Decides whether `sample` is admitted, with its `object`, which is already stored.
    pub(crate) async fn admit(
        &mut self,
        sample: &NewSample,
        object: ObjectName,
    ) -> Result<Admission, DatabaseError> {
        let rows = sqlx::query_as(ADMISSION)
            .bind(sample.id.to_string())
            .bind(object.to_string())
            .bind(sample.consent.to_string())
            .fetch_all(&mut *self.0)
            .await?;
        AdmissionRows(rows).admission(sample)
    }
}
