//! Giving and withdrawing consent.

use serde::Serialize;

use super::{Event, Inner, Sordino};
use crate::{
    Error,
    consent::{
        ConsentError, ConsentResponse, ConsentState, ConsentStatus, ConsentStore, Grants, Guardian,
        Organization, SignedRecord, Stage, Terms,
    },
    id::Id,
    outbox::Outbox,
    purpose::{Purpose, Purposes},
    upload::UploadError,
};

/// The effect of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// Queued samples that were shredded.
    pub shredded: usize,
    /// Uploaded samples whose deletion is queued.
    pub deletions_pending: usize,
}

impl Sordino {
    /// The state of consent.
    ///
    /// # Errors
    /// The state cannot be read, or a record in it was modified.
    pub fn consent(&self) -> Result<ConsentStatus, Error> {
        let inner = self.inner()?;
        Ok(inner.consent.status(inner.terms().as_ref())?)
    }

    /// Records a person's consent. Returns the receipt for the person.
    ///
    /// # Errors
    /// No plan is installed, the plan does not ask for a purpose, the notice has another version
    /// than the plan requires, or the guardian's evidence is too short.
    pub fn give_consent(&self, response: &ConsentResponse<'_>) -> Result<SignedRecord, Error> {
        let inner = self.inner()?;
        let terms = inner.terms().ok_or(ConsentError::NoPlan)?;
        inner.write_revocations()?;
        let (record, dropped) = inner.state.write(|txn| -> Result<_, ConsentError> {
            let record = inner.consent.record(txn, response, &terms)?;
            let id = record.content().id;
            if let Some(identity) = ConsentStore::identity_in(txn, id)? {
                let collector = inner.protocol.endpoint();
                inner
                    .protocol
                    .keep_revocation(&identity, collector, Stage::Kept)?;
            }
            let dropped = inner.outbox.drop_others(txn, id)?;
            Ok((record, dropped))
        })?;
        // They may be grants of a superseded record.
        inner.consent.revoke_grants();
        inner.reviews.keep_only(Some(record.content().id));
        inner.outbox.shred(&dropped);
        for sample in dropped {
            inner.emit(&Event::Dropped(sample));
        }
        inner.emit_consent()?;
        Ok(record)
    }

    /// Records the guardian's approval of the child's consent.
    ///
    /// # Errors
    /// No consent awaits approval, or the evidence is too short.
    pub fn approve<'a>(&self, guardian: impl Into<Guardian<'a>>) -> Result<SignedRecord, Error> {
        let inner = self.inner()?;
        let terms = inner.terms().ok_or(ConsentError::NoPlan)?;
        inner.write_revocations()?;
        let record = inner.consent.approve(guardian, &terms)?;
        inner.emit_consent()?;
        Ok(record)
    }

    /// Records that the child who consented has come of age. From now on nothing is sampled; queued
    /// samples are dropped with the next upload, and the person must be asked again, as an adult.
    ///
    /// # Errors
    /// No child's consent is active.
    pub fn come_of_age(&self) -> Result<(), Error> {
        let inner = self.inner()?;
        inner.write_revocations()?;
        inner.consent.come_of_age(inner.terms().as_ref())?;
        inner.consent.revoke_grants();
        inner.bump_epoch();
        inner.discard_audio();
        Ok(inner.emit_consent()?)
    }

    /// Withdraws consent: for one purpose, or for all with `None`. Grants are revoked at once,
    /// queued samples are shredded, and the deletion of uploaded samples is requested until the
    /// collector acknowledges it.
    ///
    /// # Errors
    /// Nothing can be written, not even a file renamed. Even then all grants in this process are
    /// revoked, queued samples are shredded, and the withdrawal is written with the next change of
    /// consent.
    pub fn withdraw(&self, purpose: Option<Purpose>) -> Result<Withdrawal, Error> {
        let inner = self.inner()?;
        let purposes = purpose.map_or_else(Purposes::all, Purposes::from);
        inner.consent.revoke_in_memory(&purposes);
        inner.consent.revoke_grants();
        inner.bump_epoch();
        inner.discard_audio();
        // The point of no return, even if the store cannot be written.
        let marked = inner.consent.mark_revoked(|_| purposes.clone());
        let shredded = inner.write_revocations();
        // A grant that was made during the transaction saw the state before it.
        inner.consent.revoke_grants();
        inner.bump_epoch();
        inner.discard_audio();
        let shredded = match (shredded, marked) {
            (Ok(shredded), _) => shredded,
            (Err(error), Err(_)) => return Err(error.into()),
            (Err(error), Ok(())) => {
                tracing::warn!(%error, "a withdrawal is noted, and is yet to be written");
                inner.shred_revoked(&purposes)
            }
        };
        // The withdrawal is durable; a damaged state that cannot be read is not a reason to fail.
        if let Err(error) = inner.emit_consent() {
            tracing::warn!(%error, "the result of a withdrawal cannot be determined");
        }
        Ok(Withdrawal {
            shredded,
            deletions_pending: self.status().map_or(0, |status| status.deletions_pending),
        })
    }

    /// The valid grants.
    ///
    /// # Errors
    /// There is no valid consent.
    pub fn grants(&self) -> Result<Grants, Error> {
        Ok(self.inner()?.grants()?)
    }
}

impl Inner {
    pub(super) fn terms(&self) -> Option<Terms> {
        self.plan().map(|plan| Terms {
            purposes: plan.purposes,
            notice_version: plan.notice_version,
            days: plan.consent_days,
            controller: Organization {
                key: self.organization,
                named: plan.controller,
            },
        })
    }

    pub(super) fn grants(&self) -> Result<Grants, ConsentError> {
        let terms = self.terms().ok_or(ConsentError::NoPlan)?;
        self.consent.grants(&terms)
    }

    /// Writes withdrawals that are not written yet. Returns how many queued samples were shredded.
    pub(super) fn write_revocations(&self) -> Result<usize, ConsentError> {
        let revoked = self.consent.unwritten_revocations();
        if revoked.is_empty() {
            return Ok(0);
        }
        let shredded = self.apply_withdrawal(|_| revoked.clone()).or_else(|_| {
            // The disk may be full: shredding samples that are to be deleted anyway frees space.
            self.outbox.shred_covered(&revoked)?;
            self.apply_withdrawal(|_| revoked.clone())
        })?;
        self.consent.revocation_written(&revoked);
        Ok(shredded)
    }

    /// Shreds samples whose purposes are all withdrawn, although the state cannot be written, and
    /// perhaps not read either. Returns the number of files.
    fn shred_revoked(&self, revoked: &Purposes) -> usize {
        let shredded = self.outbox.shred_covered(revoked);
        shredded.unwrap_or_else(|error| {
            tracing::warn!(%error, "the list of samples cannot be read");
            let everything = Purposes::all();
            if everything.is_subset(revoked)
                && let Err(error) = Outbox::destroy(self.state.folder())
            {
                tracing::warn!(%error, "samples are left to be swept");
            }
            0
        })
    }

    /// Withdraws from each record, and from the samples made under it, the purposes that `revoked`
    /// returns for it.
    fn apply_withdrawal(&self, revoked: impl Fn(Id) -> Purposes) -> Result<usize, ConsentError> {
        let shredded = self.state.write(|txn| -> Result<_, ConsentError> {
            let withdrawn = ConsentStore::withdraw(txn, revoked)?;
            Ok(self.outbox.withdraw(txn, &withdrawn)?)
        })?;
        self.outbox.shred(&shredded);
        Ok(shredded.len())
    }

    /// Writes withdrawals that a crash or a full disk interrupted, and creates missing revocation
    /// records: for records that an earlier version made, or that the collector does not know yet.
    pub(super) fn recover_revocations(&self) -> Result<(), ConsentError> {
        let revoked = self.consent.revocations_to_apply()?;
        let of = |record| revoked.get(&record).cloned().unwrap_or_default();
        if !revoked.is_empty()
            && let Err(error) = self.apply_withdrawal(of)
        {
            // The disk is still full. The withdrawal is written before any new consent, or with the
            // next request.
            tracing::warn!(%error, "a withdrawal is yet to be written");
            for purposes in revoked.values() {
                self.consent.revoke_in_memory(purposes);
                self.shred_revoked(purposes);
            }
        }
        self.consent.remove_unused_revocations()?;
        self.consent.revoke_unknown_records()?;
        for (identity, collector, stage) in
            self.consent.without_revocation(self.protocol.endpoint())?
        {
            if let Err(error) = self.protocol.keep_revocation(&identity, &collector, stage) {
                tracing::warn!(%error, "a record has no revocation record yet");
            }
        }
        Ok(())
    }

    /// Drops queued samples whose consent has expired or is outdated: they can never be sent.
    pub(super) fn drop_uncovered(&self) -> Result<(), UploadError> {
        let status = self.consent.status(self.terms().as_ref())?;
        if matches!(status.state, ConsentState::Expired | ConsentState::Outdated) {
            for sample in self.outbox.drop_all()? {
                self.emit(&Event::Dropped(sample));
            }
        }
        Ok(())
    }

    pub(super) fn emit_consent(&self) -> Result<(), ConsentError> {
        self.bump_epoch();
        let state = self.consent.status(self.terms().as_ref())?.state;
        self.emit(&Event::Consent(state));
        Ok(())
    }
}
