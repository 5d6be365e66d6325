//! The flat shape of schema 1. Such records exist on devices and at collectors: they are read and
//! verified as long as they are valid, and no longer written.

use serde::Deserialize;

use super::super::{AgeBand, GuardianApproval, GuardianMethod, NoticeReference, Record};
use crate::{id::Id, purpose::Purposes, week::Week};

pub(super) const SCHEMA: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlatRecord {
    schema: u32,
    id: Id,
    revision: u32,
    purposes: Purposes,
    age_band: AgeBand,
    guardian: Option<FlatApproval>,
    notice: NoticeReference,
    given: Week,
    holds_until: Week,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatApproval {
    method: GuardianMethod,
    week: Week,
}

impl From<FlatRecord> for Record {
    fn from(flat: FlatRecord) -> Self {
        Self {
            schema: flat.schema,
            id: flat.id,
            revision: flat.revision,
            purposes: flat.purposes,
            age_band: flat.age_band,
            guardian: flat.guardian.map(|approval| GuardianApproval {
                method: approval.method,
                week: approval.week,
                evidence: None,
            }),
            notice: flat.notice,
            controller: None,
            given: flat.given,
            holds_until: flat.holds_until,
        }
    }
}
