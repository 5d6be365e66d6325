//! Grants: permission to seal and upload, while consent is valid.

use std::{fmt, marker::PhantomData, sync::Arc};

use jiff::Timestamp;
use ring::signature::Ed25519KeyPair;

use super::revocation_flag::RevocationFlag;
use crate::{id::Id, purpose::Purpose, purpose::Purposes, state::Clock};

mod sealed {
    pub trait Sealed {}
}

/// A purpose as a type, so that a grant for one cannot be used for the other. The trait is sealed.
pub trait PurposeType: sealed::Sealed {
    /// The purpose as a value.
    const PURPOSE: Purpose;
}

/// [`Purpose::QualityAssurance`] as a type.
#[derive(Debug)]
pub enum QualityAssurance {}

/// [`Purpose::RecognitionResearch`] as a type.
#[derive(Debug)]
pub enum RecognitionResearch {}

impl sealed::Sealed for QualityAssurance {}
impl sealed::Sealed for RecognitionResearch {}

impl PurposeType for QualityAssurance {
    const PURPOSE: Purpose = Purpose::QualityAssurance;
}

impl PurposeType for RecognitionResearch {
    const PURPOSE: Purpose = Purpose::RecognitionResearch;
}

/// The person's consent to the purpose `P`. Only the consent store makes one; it cannot be cloned,
/// stored or made by hand, and a withdrawal invalidates it even while another thread holds it.
pub struct Grant<P: PurposeType> {
    validity: GrantValidity,
    purpose: PhantomData<fn() -> P>,
}

impl<P: PurposeType> Grant<P> {
    /// The granted purpose.
    pub fn purpose(&self) -> Purpose {
        P::PURPOSE
    }

    /// Whether the grant is still valid: neither withdrawn nor expired.
    pub fn is_live(&self) -> bool {
        self.validity.is_valid()
    }
}

impl<P: PurposeType> fmt::Debug for Grant<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({})", P::PURPOSE)
    }
}

/// The validity that all grants of a record share.
struct GrantValidity {
    flag: Arc<RevocationFlag>,
    ends: Timestamp,
    clock: Arc<dyn Clock>,
}

impl GrantValidity {
    fn is_valid(&self) -> bool {
        !self.flag.is_revoked() && self.clock.now() < self.ends
    }

    fn grant<P: PurposeType>(&self, purposes: &Purposes) -> Option<Grant<P>> {
        purposes.contains(P::PURPOSE).then(|| Grant {
            validity: Self {
                flag: Arc::clone(&self.flag),
                ends: self.ends,
                clock: Arc::clone(&self.clock),
            },
            purpose: PhantomData,
        })
    }
}

/// Every grant of one consent record, at least one, with the record's own key.
pub struct Grants {
    validity: GrantValidity,
    quality_assurance: Option<Grant<QualityAssurance>>,
    recognition_research: Option<Grant<RecognitionResearch>>,
    identity: RecordIdentity,
    notice_version: u32,
}

impl Grants {
    /// `purposes` must hold at least one; the consent store ensures it.
    pub(super) fn new(
        purposes: &Purposes,
        identity: RecordIdentity,
        notice_version: u32,
        flag: Arc<RevocationFlag>,
        ends: Timestamp,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let validity = GrantValidity { flag, ends, clock };
        Self {
            quality_assurance: validity.grant(purposes),
            recognition_research: validity.grant(purposes),
            validity,
            identity,
            notice_version,
        }
    }

    /// The grant for quality assurance, if there is one.
    pub fn quality_assurance(&self) -> Option<&Grant<QualityAssurance>> {
        self.quality_assurance.as_ref()
    }

    /// The grant for recognition research, if there is one.
    pub fn recognition_research(&self) -> Option<&Grant<RecognitionResearch>> {
        self.recognition_research.as_ref()
    }

    /// The granted purposes.
    pub fn purposes(&self) -> Purposes {
        let quality_assurance = self.quality_assurance.as_ref().map(Grant::purpose);
        let recognition_research = self.recognition_research.as_ref().map(Grant::purpose);
        quality_assurance
            .into_iter()
            .chain(recognition_research)
            .collect()
    }

    /// The consent record behind the grants.
    pub fn record(&self) -> Id {
        self.identity.record
    }

    /// The version of the notice that the person consented to.
    pub fn notice_version(&self) -> u32 {
        self.notice_version
    }

    /// Whether the grants are still valid. They end together.
    pub fn is_live(&self) -> bool {
        self.validity.is_valid()
    }

    pub(crate) fn identity(&self) -> &RecordIdentity {
        &self.identity
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grants({})", self.purposes())
    }
}

/// A record's id and key: enough to sign a withdrawal, never enough to send a sample.
#[derive(Clone)]
pub(crate) struct RecordIdentity {
    pub(crate) record: Id,
    pub(crate) key: Arc<Ed25519KeyPair>,
}

#[cfg(test)]
impl Grants {
    /// Grants of a record that no store holds, for tests of later stages; they are valid until
    /// `live` is revoked.
    pub(crate) fn for_test(record: Id, purposes: Purposes, live: &Arc<TestGrant>) -> Self {
        Self::for_test_by(Arc::new(crate::state::SystemClock), record, purposes, live)
    }

    /// As [`Self::for_test`], with expiry measured by `clock`.
    pub(crate) fn for_test_by(
        clock: Arc<dyn Clock>,
        record: Id,
        purposes: Purposes,
        live: &Arc<TestGrant>,
    ) -> Self {
        let key = crate::testing::key_pair();
        let identity = RecordIdentity {
            record,
            key: Arc::new(key),
        };
        Self::new(
            &purposes,
            identity,
            3,
            Arc::clone(&live.0),
            Timestamp::MAX,
            clock,
        )
    }
}

/// A revocation flag that a test raises.
#[cfg(test)]
pub(crate) struct TestGrant(Arc<RevocationFlag>);

#[cfg(test)]
impl TestGrant {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(RevocationFlag::new()))
    }

    pub(crate) fn revoke(&self) {
        self.0.revoke();
    }
}
