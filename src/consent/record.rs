//! The consent record: what a person consented to. It is stored, given to the person as a receipt,
//! and registered with the collector. It names no person.

use serde::{Deserialize, Serialize};

use super::GuardianApproval;
use crate::{
    id::Id,
    plan::Controller,
    purpose::Purposes,
    signed::{PublicKey, Signed, SignedError},
    week::Week,
};

/// A record signed with its own key. It is also the person's receipt.
pub type SignedRecord = Signed<Record>;

/// A person's consent. Times are ISO weeks, so that the record does not reveal a day or an
/// hour.
///
/// It is written as JSON-LD with the fields of ISO/IEC TS 27560:2023 (`docs/consent.md`, "The
/// record"), and read from that or from the flat shape of schema 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Version of the schema.
    pub schema: u32,
    /// Random; each new consent is a new record with a new id and key.
    pub id: Id,
    /// Incremented with each purpose that is added or withdrawn.
    pub revision: u32,
    /// The purposes that the samples may be used for.
    pub purposes: Purposes,
    /// The person's age band, which decides whether a guardian must approve.
    pub age_band: AgeBand,
    /// The guardian's approval, where one is needed.
    pub guardian: Option<GuardianApproval>,
    /// The notice that was shown.
    pub notice: NoticeReference,
    /// The data controller; unknown only in records that began with schema 1.
    pub controller: Option<Organization>,
    /// When consent was given.
    pub given: Week,
    /// The last week in which it holds.
    pub holds_until: Week,
}

/// The only age information that is collected; never a birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeBand {
    /// Decides without a guardian.
    Adult,
    /// A parent or guardian decides.
    Child,
    /// Treated as a child.
    Unknown,
}

/// Which notice was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeReference {
    /// Version of the text; a higher version requires new consent.
    pub version: u32,
    /// Language it was shown in (BCP 47).
    pub language: String,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
}

/// The organization that the person consents to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    /// The key that its plans are signed with, which the app pins.
    pub key: PublicKey,
    /// Its name and contact, where its plan states them.
    pub named: Option<Controller>,
}

impl AgeBand {
    /// Whether a guardian must approve before anything is sampled.
    pub fn needs_guardian(self) -> bool {
        self != Self::Adult
    }
}

impl Record {
    /// The schema version that this SDK writes.
    pub const SCHEMA: u32 = 2;

    /// Parses a record and verifies its signature. A record is signed with its own key, so this
    /// shows that it was not changed, not who consented.
    ///
    /// # Errors
    /// It is not a record, has an unknown schema, or was changed after it was signed.
    pub fn verify(json: &[u8]) -> Result<SignedRecord, SignedError> {
        SignedRecord::verify_any(json)
    }
}
