//! The store of consent records and its transitions.

use std::sync::{Arc, Mutex};

use super::{
    ConsentError, Guardian, Organization, SignedRecord,
    grant::{Grants, RecordIdentity},
    response::{ConsentResponse, begin, extend},
    revocation_flag::CurrentFlag,
    revocations::RevocationRecords,
    rows::{self, CURRENT, Phase, RecordRow, RecordTable, VerifiedCache},
    state_machine::{ConsentState, Transition, TransitionError},
};
use crate::{
    id::Id,
    purpose::Purposes,
    state::{State, StateError, WriteTxn},
    week::Week,
};

/// The current state of consent.
#[derive(Clone, Debug)]
pub struct ConsentStatus {
    /// The state.
    pub state: ConsentState,
    /// The purposes that were consented to, whether or not consent is valid at present; empty once
    /// withdrawn.
    pub purposes: Purposes,
    /// The receipt, where there is a record.
    pub receipt: Option<SignedRecord>,
    /// Whether the child who consented has come of age since: the person must be asked again, as an
    /// adult.
    pub came_of_age: bool,
}

/// The plan's requirements of consent.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) purposes: Purposes,
    pub(crate) notice_version: u32,
    pub(crate) days: u32,
    pub(crate) controller: Organization,
}

/// The store of consent records, one per state folder.
pub(crate) struct ConsentStore {
    pub(super) state: Arc<State>,
    pub(super) revocations: RevocationRecords,
    pub(super) revocation_flag: CurrentFlag,
    /// Purposes whose withdrawal could not be written yet. It is not granted any more.
    pub(super) unwritten: Mutex<Purposes>,
    pub(super) last_verified: VerifiedCache,
}

impl ConsentStore {
    pub(crate) fn open(state: Arc<State>) -> Result<Self, ConsentError> {
        Ok(Self {
            revocations: RevocationRecords::open(state.folder())?,
            state,
            revocation_flag: CurrentFlag::new(),
            unwritten: Mutex::default(),
            last_verified: VerifiedCache::default(),
        })
    }

    /// The state of consent under the plan's `terms`.
    pub(crate) fn status(&self, terms: Option<&Terms>) -> Result<ConsentStatus, ConsentError> {
        self.state.persist_time();
        match self.current()? {
            Some((_, row)) => self.status_of(&row, terms),
            None => Ok(ConsentStatus {
                state: ConsentState::None,
                purposes: Purposes::default(),
                receipt: None,
                came_of_age: false,
            }),
        }
    }

    fn status_of(
        &self,
        row: &RecordRow,
        terms: Option<&Terms>,
    ) -> Result<ConsentStatus, ConsentError> {
        let now = self.state.monotonic_time();
        let verified = self.last_verified.verify(row)?;
        let record = verified.record.content();
        let newest_notice = terms.map_or(0, |terms| terms.notice_version);
        let left = record.purposes.difference(&self.unwritten_revocations());
        let mut state = match row.phase {
            Phase::AwaitingGuardian => ConsentState::AwaitingGuardian,
            Phase::Granted => ConsentState::Granted,
            Phase::CameOfAge => ConsentState::Outdated,
            Phase::Withdrawn => ConsentState::Withdrawn,
            // The current record is never a superseded one.
            Phase::Superseded => ConsentState::None,
        };
        // Transitions that happen without the person, each only where it is allowed.
        let happens = [
            (Transition::Outdate, record.notice.version < newest_notice),
            (Transition::Expire, now >= row.ends),
            (Transition::Withdraw, left.is_empty()),
        ];
        for (transition, _) in happens.into_iter().filter(|(_, happens)| *happens) {
            state = state.after(transition).unwrap_or(state);
        }
        let purposes = match state {
            ConsentState::Withdrawn => Purposes::default(),
            _ => left,
        };
        Ok(ConsentStatus {
            state,
            purposes,
            receipt: Some(verified.record.clone()),
            came_of_age: row.phase == Phase::CameOfAge,
        })
    }

    /// Records consent. An additional purpose is added to the active record; anything else (a new
    /// notice, another age band, consent after a withdrawal) begins a new record.
    pub(crate) fn record(
        &self,
        txn: &WriteTxn<'_>,
        response: &ConsentResponse<'_>,
        terms: &Terms,
    ) -> Result<SignedRecord, ConsentError> {
        if response.purposes.is_empty() {
            return Err(ConsentError::NoPurpose);
        }
        let not_asked = response.purposes.difference(&terms.purposes);
        if !not_asked.is_empty() {
            return Err(ConsentError::NotAsked(not_asked));
        }
        let notice = response.notice.reference();
        if notice.version != terms.notice_version {
            return Err(ConsentError::WrongNotice {
                shown: notice.version,
                asked: terms.notice_version,
            });
        }
        let now = self.state.monotonic_time();
        let rows = RecordTable(txn);
        let current = rows.current()?;
        if let Some((id, mut row)) = current.clone()
            && now < row.ends
            && let Some(signed) = extend(&mut row, response, now, terms)?
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
        let (id, row, signed) = begin(response, now, terms)?;
        rows.put(id, &row)?;
        Self::keep_notice(txn, response.notice)?;
        txn.set_value(CURRENT, &id)?;
        Ok(signed)
    }

    /// Records the approval of the guardian of a child who consented.
    pub(crate) fn approve<'a>(
        &self,
        guardian: impl Into<Guardian<'a>>,
        terms: &Terms,
    ) -> Result<SignedRecord, ConsentError> {
        let guardian = guardian.into();
        self.state.write(|txn| {
            let rows = RecordTable(txn);
            // Checked inside the transaction: a withdrawal must not come between.
            let (id, mut row, _) =
                self.check_transition(&rows, Transition::Approve, Some(terms))?;
            let now = self.state.monotonic_time();
            let approval = guardian.approval(id, Week::from_timestamp(now))?;
            let signed = row.revise(|record| record.guardian = Some(approval))?;
            row.phase = Phase::Granted;
            rows.put(id, &row)?;
            Ok(signed)
        })
    }

    /// Records that the child who consented has come of age: the guardian's approval is no longer
    /// valid, and the person must be asked again.
    pub(crate) fn come_of_age(&self, terms: Option<&Terms>) -> Result<(), ConsentError> {
        self.state.write(|txn| {
            let rows = RecordTable(txn);
            let (id, mut row, from) = self.check_transition(&rows, Transition::ComeOfAge, terms)?;
            if !row.record()?.content().age_band.needs_guardian() {
                return Err(ConsentError::Refused(TransitionError {
                    from,
                    transition: Transition::ComeOfAge,
                    why: "an adult consented",
                }));
            }
            row.phase = Phase::CameOfAge;
            rows.put(id, &row)?;
            Ok(())
        })
    }

    /// The current record, if `transition` is allowed from its state.
    fn check_transition(
        &self,
        rows: &RecordTable<'_>,
        transition: Transition,
        terms: Option<&Terms>,
    ) -> Result<(Id, RecordRow, ConsentState), ConsentError> {
        let Some((id, row)) = rows.current()? else {
            let refused = ConsentState::None.after(transition).err();
            return Err(refused.map_or(
                ConsentError::NotGranted(ConsentState::None),
                ConsentError::Refused,
            ));
        };
        let state = self.status_of(&row, terms)?.state;
        state.after(transition)?;
        Ok((id, row, state))
    }

    /// The grants that are valid under `terms`.
    pub(crate) fn grants(&self, terms: &Terms) -> Result<Grants, ConsentError> {
        // The flag is taken first: a withdrawal between here and the end raises it.
        let flag = self.revocation_flag.get();
        self.state.persist_time();
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
        let key = Arc::clone(&self.last_verified.verify(&row)?.key);
        let identity = RecordIdentity { record, key };
        let notice_version = receipt.content().notice.version;
        Ok(Grants::new(
            &purposes,
            identity,
            notice_version,
            flag,
            row.ends,
            self.state.monotonic_clock(),
        ))
    }

    /// A record's key, as the transaction sees it.
    pub(crate) fn identity_in(
        txn: &WriteTxn<'_>,
        record: Id,
    ) -> Result<Option<RecordIdentity>, StateError> {
        let row = RecordTable(txn).get(record)?;
        row.map(|row| row.identity(record)).transpose()
    }

    /// Whether `record` still grants all of `purposes` in this transaction.
    pub(crate) fn still_grants(
        txn: &WriteTxn<'_>,
        record: Id,
        purposes: &Purposes,
    ) -> Result<bool, ConsentError> {
        let Some(row) = RecordTable(txn).get(record)? else {
            return Ok(false);
        };
        let held = row.record()?.content().purposes.clone();
        Ok(row.phase == Phase::Granted && purposes.is_subset(&held))
    }

    fn current(&self) -> Result<Option<(Id, RecordRow)>, ConsentError> {
        let Some(id) = self.state.value::<Id>(CURRENT)? else {
            return Ok(None);
        };
        Ok(self.row(id)?.map(|row| (id, row)))
    }

    pub(super) fn row(&self, id: Id) -> Result<Option<RecordRow>, StateError> {
        self.state.read(|txn| rows::find(txn, id))
    }
}
