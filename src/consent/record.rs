//! The consent record: what a person agreed to, as it is kept, shown as a receipt, and registered
//! with the collector. It names no person.

use serde::{Deserialize, Serialize};

use crate::{
    id::Id,
    purpose::Purposes,
    signed::{Signed, SignedError},
    week::Week,
};

/// A record signed with its own key. It is also the receipt that the person gets.
pub type SignedRecord = Signed<Record>;

/// What was agreed to. Times are ISO weeks, so that the record points to nobody's evening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this shape.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<GuardianApproval>,
    /// The text that was agreed to.
    pub notice: NoticeReference,
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

/// A guardian said yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardianApproval {
    /// How the app made sure that it was the guardian.
    pub method: GuardianMethod,
    /// When.
    pub week: Week,
}

/// The methods of verifiable parental consent that the COPPA rule lists, 16 CFR 312.5(b)(2) as
/// amended in 2025.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardianMethod {
    /// A form signed and sent back by post, fax or scan.
    SignedForm,
    /// A payment with a card or account whose holder is told of it.
    PaymentCard,
    /// A call to a toll-free number staffed by trained people.
    TollFreeCall,
    /// A video conference with trained people.
    VideoConference,
    /// A government-issued identity document checked against a database, then deleted.
    GovernmentId,
    /// Questions that only the guardian can answer.
    KnowledgeBased,
    /// A face compared with the one in a photo identity document, confirmed by a person.
    FaceMatch,
    /// An e-mail with a second step that confirms it; only for data that is not disclosed.
    EmailPlus,
    /// A text message with a second step that confirms it; only for data that is not disclosed.
    TextPlus,
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

impl AgeBand {
    /// Whether nothing may be sampled before a guardian has approved.
    pub fn needs_guardian(self) -> bool {
        self != Self::Adult
    }
}

impl Record {
    /// The version of the shape that this SDK writes.
    pub const SCHEMA: u32 = 1;

    /// Reads a record and verifies that it is whole. A record is its own authority: the key that it
    /// names is its own, so this says that it was not changed, not who agreed.
    ///
    /// # Errors
    /// Not a record, of another schema, or changed after it was signed.
    pub fn verify(json: &[u8]) -> Result<SignedRecord, SignedError> {
        let record = SignedRecord::verify_any(json)?;
        if record.content().schema != Self::SCHEMA {
            return Err(SignedError::Shape(format!(
                "schema {} is not one this version reads",
                record.content().schema
            )));
        }
        Ok(record)
    }
}
