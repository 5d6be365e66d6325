//! Whether a sample may come in: by its record, by the plans, and by what came of its id.

use jiff::civil::Date;
use sordino::{Id, Purposes, Week, signed::PublicKey};
use sqlx::AssertSqlSafe;

use super::{Database, DatabaseError, Session, parse_column, parse_purposes};
use crate::{budgets::Usage, digest::Sha256, blob_store::ObjectName};

/// A sample that wants in.
#[derive(Clone, Debug)]
pub(crate) struct NewSample {
    pub(crate) id: Id,
    pub(crate) consent: Id,
    pub(crate) purposes: Purposes,
    pub(crate) sha256: Sha256,
    /// The week in which it arrived.
    pub(crate) week: Week,
}

/// Whether a sample may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Open,
    /// These very bytes are here.
    Present,
    /// It may not.
    Refused(Refusal),
}

/// Why a sample may not come in, or may not be touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its record was never registered.
    UnknownRecord,
    /// Its record was withdrawn for good.
    Withdrawn,
    /// The consent ended with this week.
    Expired(Week),
    /// The record does not grant these of its purposes.
    NotGranted(Purposes),
    /// The id was deleted before.
    Deleted,
    /// The id is that of another record's sample.
    NotYours,
    /// The id is that of other bytes.
    DifferentContent,
}

/// To whom samples may be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecipientCheck {
    /// No plan was ever loaded: to anybody.
    NoPlan,
    /// To the recipients that were asked for, of whom there are so many.
    To(usize),
    /// Not to the ones that were asked for.
    Rejected,
}

/// What is known of an upload before its body comes.
#[derive(Clone, Debug)]
pub(crate) struct UploadContext {
    /// The key of its record; none where that was never registered.
    pub(crate) key: Option<PublicKey>,
    pub(crate) recipients: RecipientCheck,
    /// Whether it may come in by what is known now. [`Session::admit`] asks again.
    pub(crate) admission: Admission,
    /// Whether the plan in force pauses everything.
    pub(crate) is_paused: bool,
    /// What the plan in force lets a record send in a day.
    pub(crate) limits: DailyLimits,
    /// What its record has sent this week and is held.
    pub(crate) week: Usage,
}

/// What a plan lets one record send in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DailyLimits {
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

impl DailyLimits {
    /// Where no plan was ever loaded.
    const NONE: Self = Self {
        samples: u64::MAX,
        bytes: u64::MAX,
    };
}

/// What came of the id, and the record.
const ADMISSION: &str = "
    SELECT 'deleted' AS what, consent AS a, '' AS b, '' AS c FROM tombstones WHERE sample = $1
    UNION ALL SELECT 'held', consent, sha256, '' FROM samples WHERE id = $1
    UNION ALL SELECT 'swept', '', '', '' FROM swept WHERE object = $2
    UNION ALL SELECT 'record', id, granted, holds_until FROM records WHERE id = $3";

/// Rows of a statement that begins with [`ADMISSION`].
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

    /// Whether a plan in force on `today` seals to the recipients that `stated` is the digest of.
    fn check_recipients(&self, stated: Sha256, today: Date) -> RecipientCheck {
        if self.first("plan").is_none() {
            return RecipientCheck::NoPlan;
        }
        let (stated, today) = (stated.to_string(), today.to_string());
        let plan = self
            .of_kind("plan")
            .find(|(digest, expires, _)| *digest == stated && **expires > *today);
        match plan {
            Some((_, _, recipients)) => RecipientCheck::To(recipients.parse().unwrap_or(0)),
            None => RecipientCheck::Rejected,
        }
    }
}

impl Database {
    /// What is known of an upload that is said to be sealed to recipients with the digest `stated`.
    pub(crate) async fn upload_context(
        &self,
        sample: &NewSample,
        stated: Sha256,
        today: Date,
    ) -> Result<UploadContext, DatabaseError> {
        // One statement: uploads wait for each other's.
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
        let key = rows.first("key").map(|(key, ..)| parse_column(key, "records"));
        Ok(UploadContext {
            key: key.transpose()?,
            recipients: rows.check_recipients(stated, today),
            admission: rows.admission(sample)?,
            is_paused: rows.first("limits").is_some_and(|(paused, ..)| paused != "0"),
            limits: rows.limits()?,
            week: rows.week()?,
        })
    }
}

impl Session {
    /// Whether `sample` may come in now, and with it the `object` that is here already.
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
