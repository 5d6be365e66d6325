//! Consent: who decides, what for, and until when.
//!
//! * **Input**: a person's response to a [`Notice`], purpose by purpose, and a guardian's approval.
//! * **Output**: a signed [`Record`], which is also the receipt, and [`Grants`] while consent is
//!   valid.
//! * **Guarantees**: without valid consent there is no [`Grants`] value, and without one nothing is
//!   sampled, sealed or sent. A withdrawal revokes every grant at once, then becomes durable.
//! * **Never**: takes a name, an address, a birth date or any id of a person or device. Never
//!   extends a grant, and never makes one from a modified record.

mod document;
mod grant;
mod guardian;
mod history;
#[cfg(test)]
mod loom_tests;
mod notice;
mod record;
mod registration;
mod response;
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
pub use response::ConsentResponse;
pub use state_machine::{ConsentState, Transition, TransitionError};
pub use store::ConsentStatus;

pub(crate) use grant::RecordIdentity;
#[cfg(test)]
pub(crate) use grant::TestGrant;
pub(crate) use revocations::{RevocationRecords, Stage};
pub(crate) use store::{ConsentStore, Terms};
pub(crate) use withdrawal::Withdrawn;

use crate::{purpose::Purposes, signed::SignedError, state::StateError};

/// The primitives that the revocation flags are built on.
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

/// Why consent could not be recorded or is not valid.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// The response names no purpose.
    #[error("no purpose was named; consent is given purpose by purpose")]
    NoPurpose,
    /// The plan does not ask for these.
    #[error("the plan in force does not ask for {0}")]
    NotAsked(Purposes),
    /// The notice has another version than the plan requires.
    #[error("the notice has version {shown}, but the plan asks for version {asked}")]
    WrongNotice {
        /// The version that was shown.
        shown: u32,
        /// The version that the plan asks for.
        asked: u32,
    },
    /// No plan is installed.
    #[error("there is no sampling plan yet, so there is nothing to consent to")]
    NoPlan,
    /// The transition is not allowed from the current state.
    #[error(transparent)]
    Refused(#[from] TransitionError),
    /// The guardian's evidence is too short.
    #[error(transparent)]
    Evidence(#[from] EvidenceTooShort),
    /// There is no valid consent.
    #[error("there is no consent: the state is {0}")]
    NotGranted(ConsentState),
    /// A record could not be signed or verified.
    #[error("the consent record is refused: {0}")]
    Record(#[from] SignedError),
    /// A key could not be generated.
    #[error(transparent)]
    Entropy(#[from] crate::RngError),
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}
