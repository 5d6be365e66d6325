//! Consent.

use sordino::{
    Purpose, Purposes,
    consent::{self, AgeBand, ConsentResponse, ConsentState, Guardian, GuardianMethod},
};

use crate::{engine::Engine, error::Error, notice::Notice};

/// Consent.
#[uniffi::export]
impl Engine {
    /// The state of consent, and the receipt.
    pub fn consent(&self) -> Result<ConsentStatus, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.consent()?.into()))
    }

    /// Records consent to `purposes`, and returns the receipt for the person: a
    /// signed JSON document that names nobody.
    ///
    /// `notice` is the text that was shown, of the version that the plan names. For a child or a
    /// person of unknown age nothing is sampled until a guardian has approved: here with
    /// `guardian`, or later with `approve`.
    ///
    /// `guardian_evidence` is evidence of the approval, at least 16 random bytes; only its hash is stored.
    ///
    /// Raises `Consent` if no plan is installed, the plan does not ask for a purpose, it names another
    /// version of the notice, or the evidence is too short.
    #[uniffi::method(default(guardian = None, guardian_evidence = None))]
    pub fn give_consent(
        &self,
        purposes: Purposes,
        age_band: AgeBand,
        notice: Notice,
        guardian: Option<GuardianMethod>,
        guardian_evidence: Option<Vec<u8>>,
    ) -> Result<String, Error> {
        let notice = notice.into();
        let response = ConsentResponse {
            purposes,
            age_band,
            guardian: guardian.map(|method| Guardian {
                method,
                evidence: guardian_evidence.as_deref(),
            }),
            notice: &notice,
        };
        self.handle
            .with_engine(|engine| Ok(engine.give_consent(&response)?.to_json()))
    }

    /// Records that the guardian approves of the child's consent, and returns the receipt.
    ///
    /// `evidence` is as in `give_consent`.
    ///
    /// Raises `Consent` if no approval is awaited, or the evidence is too short.
    #[uniffi::method(default(evidence = None))]
    pub fn approve(
        &self,
        method: GuardianMethod,
        evidence: Option<Vec<u8>>,
    ) -> Result<String, Error> {
        let guardian = Guardian {
            method,
            evidence: evidence.as_deref(),
        };
        self.handle
            .with_engine(|engine| Ok(engine.approve(guardian)?.to_json()))
    }

    /// Records that the child who consented has come of age. Nothing is sampled any more until the person is asked
    /// again, as an adult.
    ///
    /// Raises `Consent` if there is no consent of a child.
    pub fn come_of_age(&self) -> Result<(), Error> {
        self.handle.with_engine(|engine| Ok(engine.come_of_age()?))
    }

    /// Withdraws consent to one purpose, or to all. Sampling stops at once,
    /// pending samples are deleted, and the next upload requests deletion of the uploaded ones.
    #[uniffi::method(default(purpose = None))]
    pub fn withdraw(&self, purpose: Option<Purpose>) -> Result<Withdrawal, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.withdraw(purpose)?.into()))
    }

    /// Exports all data about the person on this device as a zip archive: records, receipts, the texts agreed to,
    /// the list of samples.
    pub fn export_my_data(&self) -> Result<Vec<u8>, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.export_my_data()?))
    }
}

/// The state of consent.
#[derive(uniffi::Record)]
pub struct ConsentStatus {
    /// The state.
    pub state: ConsentState,
    /// The purposes consented to, whether or not consent is valid at present; empty once withdrawn.
    pub purposes: Purposes,
    /// The receipt, a signed JSON document, if consent was ever given.
    pub receipt: Option<String>,
    /// Whether a child who consented has come of age since: the person is asked again, as an adult.
    pub came_of_age: bool,
}

impl From<consent::ConsentStatus> for ConsentStatus {
    fn from(status: consent::ConsentStatus) -> Self {
        Self {
            state: status.state,
            purposes: status.purposes,
            receipt: status.receipt.map(|receipt| receipt.to_json()),
            came_of_age: status.came_of_age,
        }
    }
}

/// The result of a withdrawal.
#[derive(uniffi::Record)]
pub struct Withdrawal {
    /// The number of pending samples that were shredded.
    pub shredded: u64,
    /// The number of uploaded samples that wait for their deletion.
    pub deletions_pending: u64,
}

impl From<sordino::Withdrawal> for Withdrawal {
    fn from(withdrawal: sordino::Withdrawal) -> Self {
        Self {
            shredded: withdrawal.shredded as u64,
            deletions_pending: withdrawal.deletions_pending as u64,
        }
    }
}
