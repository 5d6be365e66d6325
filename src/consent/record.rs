//! The consent record: what a person agreed to, as it is kept, shown as a receipt, and registered
//! with the collector. It names no person.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use super::{GuardianApproval, document};
use crate::{
    id::Id,
    plan::Controller,
    purpose::Purposes,
    signed::{PublicKey, Signed, SignedError},
    week::Week,
};

/// A record signed with its own key. It is also the receipt that the person gets.
pub type SignedRecord = Signed<Record>;

/// What was agreed to. Times are ISO weeks, so that the record points to nobody's evening.
///
/// It is written as JSON-LD with the fields of ISO/IEC TS 27560:2023 (`docs/consent.md`, "The
/// record"), and read from that or from the flat shape of schema 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Version of the shape in which it is, or is to be, written.
    pub schema: u32,
    /// Random; a new consent is a new record with a new id and key.
    pub id: Id,
    /// Counts up with each purpose that is added to or taken from the record.
    pub revision: u32,
    /// What the samples may be used for.
    pub purposes: Purposes,
    /// Whether a guardian is asked too.
    pub age_band: AgeBand,
    /// The guardian's approval, where one is needed.
    pub guardian: Option<GuardianApproval>,
    /// The text that was agreed to.
    pub notice: NoticeReference,
    /// Who answers for the samples; unknown only in records that began with schema 1.
    pub controller: Option<Organization>,
    /// When consent was given.
    pub given: Week,
    /// The last week in which it holds.
    pub holds_until: Week,
}

/// Never more is taken than this; a birth date never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeBand {
    /// Decides alone.
    Adult,
    /// A parent or guardian decides.
    Child,
    /// Counts as a child.
    Unknown,
}

/// Which text was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeReference {
    /// Version of the text; a higher one is a new question.
    pub version: u32,
    /// Language it was shown in (BCP 47).
    pub language: String,
    /// SHA-256 of the very text, in hexadecimal.
    pub sha256: String,
}

/// The organization that a person says yes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    /// The key that its plans are signed with, which the app pins.
    pub key: PublicKey,
    /// Its name and contact, where its plan states them.
    pub named: Option<Controller>,
}

impl AgeBand {
    /// Whether nothing may be sampled before a guardian has approved.
    pub fn needs_guardian(self) -> bool {
        self != Self::Adult
    }
}

impl Record {
    /// The version of the shape that this SDK writes.
    pub const SCHEMA: u32 = 2;

    /// Reads a record and verifies that it is whole. A record is its own authority: the key that it
    /// names is its own, so this says that it was not changed, not who agreed.
    ///
    /// # Errors
    /// Not a record, of another schema, or changed after it was signed.
    pub fn verify(json: &[u8]) -> Result<SignedRecord, SignedError> {
        SignedRecord::verify_any(json)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        document::write(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::read(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
