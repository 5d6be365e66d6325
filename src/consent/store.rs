//! Where consent is kept, and how it changes.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::{SignedDuration, Timestamp};
use redb::WriteTransaction;
use ring::signature::Ed25519KeyPair;
use serde::Serialize;

use super::{
    AgeBand, ConsentError, GuardianApproval, GuardianMethod, Notice, Record, SignedRecord,
    grant::{Grants, Lease, RecordIdentity},
    rows::{self, CURRENT, Phase, RECORDS, Row, Rows},
};
use crate::{
    entropy,
    id::Id,
    purpose::Purposes,
    state::{self, State, StateError},
    week::Week,
};

/// A person's answer to the notice.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// What the person says yes to.
    pub purposes: Purposes,
    /// Whether a guardian must say yes too.
    pub age_band: AgeBand,
    /// The guardian's approval, where the app has it already.
    pub guardian: Option<GuardianMethod>,
    /// The text that was shown.
    pub notice: &'a Notice,
}

/// Where consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentState {
    /// Nobody was asked, or nobody answered.
    None,
    /// A child said yes; its guardian has not.
    AwaitingGuardian,
    /// There is a standing yes.
    Granted,
    /// The person said no after a yes.
    Withdrawn,
    /// The yes ran out and is to be asked again.
    Expired,
    /// The notice has changed since; it is a new question.
    Outdated,
}

impl fmt::Display for ConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::AwaitingGuardian => "awaiting-guardian",
            Self::Granted => "granted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Outdated => "outdated",
        })
    }
}

/// Where consent stands, and for what.
#[derive(Clone, Debug)]
pub struct ConsentStatus {
    /// The state.
    pub state: ConsentState,
    /// What was asked and answered yes, whether or not it holds at present; empty once withdrawn.
    pub purposes: Purposes,
    /// The receipt, where there is a record.
    pub receipt: Option<SignedRecord>,
}

/// What the plan in force asks of consent.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) purposes: Purposes,
    pub(crate) notice_version: u32,
    pub(crate) days: u32,
}

/// The store of consent records. One a state folder.
pub(crate) struct ConsentStore {
    pub(super) state: Arc<State>,
    pub(super) lease: Mutex<Arc<Lease>>,
    /// What was taken back and could not be written yet. It is not granted any more.
    pub(super) refused: Mutex<Purposes>,
}

impl ConsentStore {
    pub(crate) fn open(state: Arc<State>) -> Result<Self, ConsentError> {
        state.write(|transaction| -> Result<(), StateError> {
            transaction.open_table(RECORDS)?;
            Ok(())
        })?;
        Ok(Self {
            state,
            lease: Mutex::new(Lease::new()),
            refused: Mutex::default(),
        })
    }

    /// Where consent stands under the plan's `terms`.
    pub(crate) fn status(&self, terms: Option<&Terms>) -> Result<ConsentStatus, ConsentError> {
        self.state.keep_time();
        match self.current()? {
            Some((_, row)) => self.status_of(&row, terms),
            None => Ok(ConsentStatus {
                state: ConsentState::None,
                purposes: Purposes::default(),
                receipt: None,
            }),
        }
    }

    fn status_of(&self, row: &Row, terms: Option<&Terms>) -> Result<ConsentStatus, ConsentError> {
        let now = self.state.steady_time();
        let receipt = row.record()?;
        let record = receipt.content();
        let newest_notice = terms.map_or(0, |terms| terms.notice_version);
        let left = record.purposes.difference(&self.refused());
        let state = match row.phase {
            Phase::Withdrawn => ConsentState::Withdrawn,
            _ if left.is_empty() => ConsentState::Withdrawn,
            _ if now >= row.ends => ConsentState::Expired,
            _ if record.notice.version < newest_notice => ConsentState::Outdated,
            Phase::AwaitingGuardian => ConsentState::AwaitingGuardian,
            Phase::Granted => ConsentState::Granted,
            // The present answer is never a superseded one.
            Phase::Superseded => ConsentState::None,
        };
        let purposes = match state {
            ConsentState::Withdrawn => Purposes::default(),
            _ => left,
        };
        Ok(ConsentStatus {
            state,
            purposes,
            receipt: Some(receipt),
        })
    }

    /// Records a yes. A purpose more is added to a standing record; anything else (a new notice,
    /// another age band, after a withdrawal) begins a new one.
    pub(crate) fn record(
        &self,
        transaction: &WriteTransaction,
        answer: &Answer<'_>,
        terms: &Terms,
    ) -> Result<SignedRecord, ConsentError> {
        if answer.purposes.is_empty() {
            return Err(ConsentError::NoPurpose);
        }
        let beyond = answer.purposes.difference(&terms.purposes);
        if !beyond.is_empty() {
            return Err(ConsentError::NotAsked(beyond));
        }
        let notice = answer.notice.reference();
        if notice.version != terms.notice_version {
            return Err(ConsentError::WrongNotice {
                shown: notice.version,
                asked: terms.notice_version,
            });
        }
        let now = self.state.steady_time();
        let rows = Rows(transaction);
        let current = rows.current()?;
        if let Some((id, mut row)) = current.clone()
            && now < row.ends
            && let Some(signed) = extend(&mut row, answer, now)?
        {
            rows.put(id, &row)?;
            return Ok(signed);
        }
        if let Some((id, mut row)) = current
            && row.phase != Phase::Withdrawn
        {
            row.phase = Phase::Superseded;
            rows.put(id, &row)?;
        }
        let (id, row, signed) = begin(answer, now, terms.days)?;
        rows.put(id, &row)?;
        state::set_value(transaction, CURRENT, &id)?;
        Ok(signed)
    }

    /// Records that the guardian of a child who said yes approves.
    pub(crate) fn approve(
        &self,
        method: GuardianMethod,
        terms: &Terms,
    ) -> Result<SignedRecord, ConsentError> {
        self.state.write(|transaction| {
            let rows = Rows(transaction);
            let (id, mut row) = rows
                .current()?
                .ok_or(ConsentError::NotAwaiting(ConsentState::None))?;
            // Asked in here: a withdrawal must not come between.
            let status = self.status_of(&row, Some(terms))?;
            if status.state != ConsentState::AwaitingGuardian {
                return Err(ConsentError::NotAwaiting(status.state));
            }
            let now = self.state.steady_time();
            let signed = row.revise(|record| record.guardian = Some(approval(method, now)))?;
            row.phase = Phase::Granted;
            rows.put(id, &row)?;
            Ok(signed)
        })
    }

    /// The grants that stand under `terms`.
    pub(crate) fn grants(&self, terms: &Terms) -> Result<Grants, ConsentError> {
        // The lease is taken first: a withdrawal between here and the end ends it.
        let lease = Arc::clone(&self.lease.lock().unwrap_or_else(PoisonError::into_inner));
        self.state.keep_time();
        let (record, row) = self
            .current()?
            .ok_or(ConsentError::NotGranted(ConsentState::None))?;
        let status = self.status_of(&row, Some(terms))?;
        let purposes = status.purposes.intersection(&terms.purposes);
        let receipt = match status.receipt {
            Some(receipt) if status.state == ConsentState::Granted && !purposes.is_empty() => {
                receipt
            }
            _ => return Err(ConsentError::NotGranted(status.state)),
        };
        let identity = RecordIdentity {
            record,
            key: row.key()?,
        };
        let notice_version = receipt.content().notice.version;
        Ok(Grants::new(
            &purposes,
            identity,
            notice_version,
            &lease,
            row.ends,
            &self.state.steady_clock(),
        ))
    }

    /// Whether, in this very transaction, `record` still grants all of `purposes`.
    pub(crate) fn still_grants(
        transaction: &WriteTransaction,
        record: Id,
        purposes: &Purposes,
    ) -> Result<bool, ConsentError> {
        let Some(row) = Rows(transaction).one(record)? else {
            return Ok(false);
        };
        let held = row.record()?.content().purposes.clone();
        Ok(row.phase == Phase::Granted && purposes.is_subset(&held))
    }

    fn current(&self) -> Result<Option<(Id, Row)>, ConsentError> {
        let Some(id) = self.state.value::<Id>(CURRENT)? else {
            return Ok(None);
        };
        Ok(self.row(id)?.map(|row| (id, row)))
    }

    pub(super) fn row(&self, id: Id) -> Result<Option<Row>, StateError> {
        self.state.read(|transaction| rows::find(transaction, id))
    }
}

/// Adds the answer to a standing record, where it is an answer to the same question.
fn extend(
    row: &mut Row,
    answer: &Answer<'_>,
    now: Timestamp,
) -> Result<Option<SignedRecord>, ConsentError> {
    let standing = matches!(row.phase, Phase::Granted | Phase::AwaitingGuardian);
    let signed = row.record()?;
    let record = signed.content();
    let same_question =
        record.age_band == answer.age_band && record.notice == answer.notice.reference();
    let comes_back = answer
        .purposes
        .iter()
        .any(|purpose| row.taken_back.contains(purpose));
    if !standing || !same_question || comes_back {
        return Ok(None);
    }
    let purposes = record.purposes.union(&answer.purposes);
    let approves = row.phase == Phase::AwaitingGuardian && answer.guardian.is_some();
    let grows = purposes != record.purposes;
    if approves && !record.purposes.is_subset(&answer.purposes) {
        // The guardian approves of this answer, not of what the child had asked for before.
        return Ok(None);
    }
    if grows && row.phase == Phase::Granted && record.age_band.needs_guardian() {
        // The guardian approved of what was asked then, not of more.
        let Some(_) = answer.guardian else {
            return Ok(None);
        };
    }
    if !grows && !approves {
        return Ok(Some(signed));
    }
    let guardian = answer.guardian.filter(|_| answer.age_band.needs_guardian());
    let revised = row.revise(|record| {
        record.purposes = purposes;
        if let Some(method) = guardian {
            record.guardian = Some(approval(method, now));
        }
    })?;
    if guardian.is_some() {
        row.phase = Phase::Granted;
    }
    Ok(Some(revised))
}

fn begin(
    answer: &Answer<'_>,
    now: Timestamp,
    days: u32,
) -> Result<(Id, Row, SignedRecord), ConsentError> {
    let id = Id::random()?;
    let pkcs8 =
        Ed25519KeyPair::generate_pkcs8(&entropy::system()).map_err(|_| crate::Unavailable)?;
    let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| crate::Unavailable)?;
    let needs_guardian = answer.age_band.needs_guardian();
    let guardian = answer
        .guardian
        .filter(|_| needs_guardian)
        .map(|method| approval(method, now));
    let ends = state::later(now, SignedDuration::from_hours(24 * i64::from(days)));
    let phase = match guardian {
        None if needs_guardian => Phase::AwaitingGuardian,
        _ => Phase::Granted,
    };
    let record = Record {
        schema: Record::SCHEMA,
        id,
        revision: 1,
        purposes: answer.purposes.clone(),
        age_band: answer.age_band,
        guardian,
        notice: answer.notice.reference(),
        given: Week::of(now),
        holds_until: Week::of(ends),
    };
    let signed = SignedRecord::sign(record, &key)?;
    let row = Row {
        document: signed.to_json(),
        key: BASE64.encode(pkcs8.as_ref()),
        phase,
        ends,
        taken_back: Purposes::default(),
        offered: false,
        registered: 0,
        withdrawal_due: Purposes::default(),
    };
    Ok((id, row, signed))
}

fn approval(method: GuardianMethod, now: Timestamp) -> GuardianApproval {
    GuardianApproval {
        method,
        week: Week::of(now),
    }
}
