//! Consent: who may decide, what they said, and until when it holds.
//!
//! * **In**: a person's answer to a [`Notice`], purpose by purpose, and a guardian's approval.
//! * **Out**: a signed [`Record`] that is also the receipt, and [`Grants`] while the yes stands.
//! * **Promises**: without a standing yes there is no [`Grants`] value, and without one nothing is
//!   sampled, sealed or sent. A withdrawal ends every grant at once, then becomes durable.
//! * **Never**: takes a name, an address, a birth date or any id of person or device. Never
//!   lengthens a grant, and never makes one from a record that was changed.

mod document;
mod grant;
mod guardian;
mod history;
#[cfg(test)]
mod loom_tests;
mod notice;
mod record;
mod registration;
mod revocation_flag;
mod revocations;
mod rows;
mod state_machine;
mod store;
#[cfg(test)]
mod tests;
mod withdrawal;

pub use grant::{Grant, Grants, PurposeType, QualityAssurance, RecognitionResearch};
pub use guardian::{
    EvidenceHash, EvidenceTooShort, Guardian, GuardianApproval, GuardianMethod,
    ParseEvidenceHashError,
};
pub use notice::{
    App, BundledNotice, LanguageFallback, Notice, NoticeError, NoticeSection, NoticeTerms,
};
pub use record::{AgeBand, NoticeReference, Organization, Record, SignedRecord};
pub use state_machine::{ConsentState, Transition, TransitionError};
pub use store::{ConsentResponse, ConsentStatus};

pub(crate) use grant::RecordIdentity;
#[cfg(test)]
pub(crate) use grant::TestGrant;
pub(crate) use revocations::{RevocationRecords, Stage};
pub(crate) use store::{ConsentStore, Terms};
pub(crate) use withdrawal::Withdrawn;

use crate::{purpose::Purposes, signed::SignedError, state::StateError};

/// What the leases are built on.
mod sync {
    use std::sync::PoisonError;
    pub(super) use std::sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    };

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why consent could not be recorded, or does not stand.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// Nobody was asked for anything.
    #[error("no purpose was named; consent is given purpose by purpose")]
    NoPurpose,
    /// The plan does not ask for these.
    #[error("the plan in force does not ask for {0}")]
    NotAsked(Purposes),
    /// A text of another version than the plan asks for.
    #[error("the notice has version {shown}, but the plan asks for version {asked}")]
    WrongNotice {
        /// The version that was shown.
        shown: u32,
        /// The version that the plan asks for.
        asked: u32,
    },
    /// No plan is in force, so there is nothing to consent to.
    #[error("there is no sampling plan yet, so there is nothing to consent to")]
    NoPlan,
    /// It leads nowhere from the present state.
    #[error(transparent)]
    Refused(#[from] TransitionError),
    /// A guardian's evidence that could be guessed.
    #[error(transparent)]
    Evidence(#[from] EvidenceTooShort),
    /// There is no standing yes.
    #[error("there is no consent: the state is {0}")]
    NotGranted(ConsentState),
    /// A record could not be signed or read.
    #[error("the consent record is refused: {0}")]
    Record(#[from] SignedError),
    /// A key could not be made.
    #[error(transparent)]
    Entropy(#[from] crate::RngError),
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}
