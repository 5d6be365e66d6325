//! What the person says, from the call to every place that it reaches.

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

/// What a withdrawal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// Pending samples that were shredded.
    pub shredded: usize,
    /// Sent samples whose deletion is queued.
    pub deletions_pending: usize,
}

impl Sordino {
    /// Where consent stands.
    ///
    /// # Errors
    /// The state cannot be read, or a record in it was changed.
    pub fn consent(&self) -> Result<ConsentStatus, Error> {
        let inner = self.inner()?;
        Ok(inner.consent.status(inner.terms().as_ref())?)
    }

    /// Records a person's yes. Returns the receipt that the person gets.
    ///
    /// # Errors
    /// No plan is in force, it does not ask for that, another notice was shown than it names, or the
    /// guardian's evidence is too short.
    pub fn give_consent(&self, answer: &ConsentResponse<'_>) -> Result<SignedRecord, Error> {
        let inner = self.inner()?;
        let terms = inner.terms().ok_or(ConsentError::NoPlan)?;
        inner.write_revocations()?;
        let (record, dropped) = inner.state.write(|change| -> Result<_, ConsentError> {
            let record = inner.consent.record(change, answer, &terms)?;
            let id = record.content().id;
            if let Some(identity) = ConsentStore::identity_in(change, id)? {
                let collector = inner.protocol.endpoint();
                inner
                    .protocol
                    .keep_revocation(&identity, collector, Stage::Kept)?;
            }
            let dropped = inner.outbox.drop_others(change, id)?;
            Ok((record, dropped))
        })?;
        // They may be of a record that no longer stands.
        inner.consent.revoke_grants();
        inner.reviews.keep_only(Some(record.content().id));
        inner.outbox.shred(&dropped);
        for sample in dropped {
            inner.emit(&Event::Dropped(sample));
        }
        inner.emit_consent()?;
        Ok(record)
    }

    /// Records that the guardian approves of what the child said yes to.
    ///
    /// # Errors
    /// Nobody is waiting for it, or the evidence is too short.
    pub fn approve<'a>(&self, guardian: impl Into<Guardian<'a>>) -> Result<SignedRecord, Error> {
        let inner = self.inner()?;
        let terms = inner.terms().ok_or(ConsentError::NoPlan)?;
        inner.write_revocations()?;
        let record = inner.consent.approve(guardian, &terms)?;
        inner.emit_consent()?;
        Ok(record)
    }

    /// Notes that the child who said yes has come of age. From now on nothing is sampled; what waits is
    /// dropped with the next upload, and the person is to be asked anew, as an adult.
    ///
    /// # Errors
    /// No child's yes stands.
    pub fn come_of_age(&self) -> Result<(), Error> {
        let inner = self.inner()?;
        inner.write_revocations()?;
        inner.consent.come_of_age(inner.terms().as_ref())?;
        inner.consent.revoke_grants();
        inner.bump_epoch();
        inner.discard_audio();
        Ok(inner.emit_consent()?)
    }

    /// Takes the yes back: for one purpose, or for all with `None`. Grants end at once, pending
    /// samples are shredded, and what was sent is asked back until the collector acknowledges it.
    ///
    /// # Errors
    /// Nothing at all can be written, not even a file renamed. Even then no grant is left in this process,
    /// pending samples are shredded, and the withdrawal is written with the next change of consent.
    pub fn withdraw(&self, purpose: Option<Purpose>) -> Result<Withdrawal, Error> {
        let inner = self.inner()?;
        let purposes = purpose.map_or_else(Purposes::all, Purposes::from);
        inner.consent.revoke_in_memory(&purposes);
        inner.consent.revoke_grants();
        inner.bump_epoch();
        inner.discard_audio();
        // The point of no return, also where the store cannot be written.
        let marked = inner.consent.mark_revoked(|_| purposes.clone());
        let shredded = inner.write_revocations();
        // A grant that was made while the transaction ran saw the state before it.
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
        // It was said; that a damaged state cannot tell what came of it is no reason to fail.
        if let Err(error) = inner.emit_consent() {
            tracing::warn!(%error, "what a withdrawal came to cannot be told");
        }
        Ok(Withdrawal {
            shredded,
            deletions_pending: self.status().map_or(0, |status| status.deletions_pending),
        })
    }

    /// The grants that stand.
    ///
    /// # Errors
    /// There is no standing yes.
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

    /// Writes what was taken back, if that is still to be done. Returns how many pending samples were
    /// shredded.
    pub(super) fn write_revocations(&self) -> Result<usize, ConsentError> {
        let refused = self.consent.unwritten_revocations();
        if refused.is_empty() {
            return Ok(0);
        }
        let shredded = self.apply_withdrawal(|_| refused.clone()).or_else(|_| {
            // A full disk, say: what is to be shredded anyhow makes room.
            self.outbox.shred_covered(&refused)?;
            self.apply_withdrawal(|_| refused.clone())
        })?;
        self.consent.revocation_written(&refused);
        Ok(shredded)
    }

    /// Destroys what waits for nothing but `refused`, although the state cannot be written, and perhaps not
    /// read either. Returns how many files it knows of.
    fn shred_revoked(&self, refused: &Purposes) -> usize {
        let shredded = self.outbox.shred_covered(refused);
        shredded.unwrap_or_else(|error| {
            tracing::warn!(%error, "the list of samples cannot be read");
            let everything = Purposes::all();
            if everything.is_subset(refused)
                && let Err(error) = Outbox::destroy(self.state.folder())
            {
                tracing::warn!(%error, "samples are left to be swept");
            }
            0
        })
    }

    /// Takes back from each record, and from the samples made under it, what `refused` names of it.
    fn apply_withdrawal(&self, refused: impl Fn(Id) -> Purposes) -> Result<usize, ConsentError> {
        let shredded = self.state.write(|change| -> Result<_, ConsentError> {
            let withdrawn = ConsentStore::withdraw(change, refused)?;
            Ok(self.outbox.withdraw(change, &withdrawn)?)
        })?;
        self.outbox.shred(&shredded);
        Ok(shredded.len())
    }

    /// Writes what was refused before a crash or on a full disk, and gives a slip to records that an
    /// earlier version made, or that the collector does not know yet.
    pub(super) fn recover_revocations(&self) -> Result<(), ConsentError> {
        let refused = self.consent.revocations_to_apply()?;
        let of = |record| refused.get(&record).cloned().unwrap_or_default();
        if !refused.is_empty()
            && let Err(error) = self.apply_withdrawal(of)
        {
            // The disk is full still. It is written before any new yes, or with the next request.
            tracing::warn!(%error, "a withdrawal is yet to be written");
            for purposes in refused.values() {
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
                tracing::warn!(%error, "a record has no slip yet");
            }
        }
        Ok(())
    }

    /// What waits under a yes that ran out, or to a notice that changed, can never be sent.
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
