//! A guardian's approval: the app's verification method, and the hash of its evidence.

use std::{fmt, str::FromStr};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::{hex, id::Id, week::Week};

/// The methods of verifiable parental consent that the COPPA rule lists in 16 CFR 312.5(b)(2), as
/// amended on 22 April 2025 (90 FR 16918, in effect since 23 June 2025).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardianMethod {
    /// (i): a form signed and sent back by post, fax or electronic scan.
    SignedForm,
    /// (ii): a transaction with a card or account whose holder is notified of each one.
    PaymentCard,
    /// (iii): a call to a toll-free number staffed by trained people.
    TollFreeCall,
    /// (iv): a video conference with trained people.
    VideoConference,
    /// (v): a government-issued identity document checked against a database, then deleted at once.
    GovernmentId,
    /// (vi): changing multiple-choice questions, enough of them and too hard for a child of twelve
    /// in the same household.
    KnowledgeBased,
    /// (vii): a photo identity document found authentic and compared with the guardian's face,
    /// confirmed by trained people; both deleted at once.
    FaceMatch,
    /// (viii): an e-mail with a further step that confirms it; only for data that is not disclosed.
    EmailPlus,
    /// (ix): a text message with a further step that confirms it; only for data that is not
    /// disclosed.
    TextPlus,
}

impl GuardianMethod {
    /// Every method, in the rule's order.
    pub const ALL: [Self; 9] = [
        Self::SignedForm,
        Self::PaymentCard,
        Self::TollFreeCall,
        Self::VideoConference,
        Self::GovernmentId,
        Self::KnowledgeBased,
        Self::FaceMatch,
        Self::EmailPlus,
        Self::TextPlus,
    ];

    /// The name as it is written in records and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedForm => "signed-form",
            Self::PaymentCard => "payment-card",
            Self::TollFreeCall => "toll-free-call",
            Self::VideoConference => "video-conference",
            Self::GovernmentId => "government-id",
            Self::KnowledgeBased => "knowledge-based",
            Self::FaceMatch => "face-match",
            Self::EmailPlus => "email-plus",
            Self::TextPlus => "text-plus",
        }
    }
}

impl fmt::Display for GuardianMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A guardian's approval, as the app reports it. The app does the verification.
#[derive(Clone, Copy, Debug)]
pub struct Guardian<'a> {
    /// The method by which the app verified the guardian.
    pub method: GuardianMethod,
    /// Evidence that the app can show later: the transaction's number, the scan's bytes, a token of
    /// the service that checked. At least [`EvidenceHash::MIN_BYTES`], and nothing that could be
    /// guessed: only its hash is kept, and the hash of an e-mail address, for example, is as good as the
    /// address to anyone with a list of addresses.
    pub evidence: Option<&'a [u8]>,
}

impl From<GuardianMethod> for Guardian<'_> {
    fn from(method: GuardianMethod) -> Self {
        Self {
            method,
            evidence: None,
        }
    }
}

impl Guardian<'_> {
    /// The approval as `record` stores it.
    pub(super) fn approval(
        self,
        record: Id,
        week: Week,
    ) -> Result<GuardianApproval, EvidenceTooShort> {
        let evidence = self
            .evidence
            .map(|evidence| EvidenceHash::new(record, evidence))
            .transpose()?;
        Ok(GuardianApproval {
            method: self.method,
            week,
            evidence,
        })
    }
}

/// A guardian's approval in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GuardianApproval {
    /// The method by which the app verified the guardian.
    pub method: GuardianMethod,
    /// The week of the approval.
    pub week: Week,
    /// The hash of the evidence, if the app has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceHash>,
}

/// SHA-256 of the record's 16 id bytes and, after them, the evidence; written as 64 lower-case
/// hexadecimal digits. With the id in it, the same evidence has another hash in each record, so
/// that two records of one family cannot be linked by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidenceHash([u8; 32]);

/// Evidence too short to be unguessable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the guardian's evidence has {0} bytes, but at least {least} that nobody could guess are \
     needed: only its hash is kept, and a hash of less tells what it was",
    least = EvidenceHash::MIN_BYTES
)]
pub struct EvidenceTooShort(pub usize);

/// Text that is not a hash of evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid SHA-256 `{0}`: expected 64 lower-case hexadecimal digits")]
pub struct ParseEvidenceHashError(String);

impl EvidenceHash {
    /// 128 bits, as in an id: too many to be found by trying.
    pub const MIN_BYTES: usize = 16;

    /// The hash of `evidence` for `record`.
    ///
    /// # Errors
    /// The evidence is shorter than [`Self::MIN_BYTES`].
    pub fn new(record: Id, evidence: &[u8]) -> Result<Self, EvidenceTooShort> {
        if evidence.len() < Self::MIN_BYTES {
            return Err(EvidenceTooShort(evidence.len()));
        }
        let mut hash = Context::new(&SHA256);
        hash.update(record.as_bytes());
        hash.update(evidence);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        Ok(Self(bytes))
    }
}

impl fmt::Display for EvidenceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for EvidenceHash {
    type Err = ParseEvidenceHashError;

    fn from_str(text: &str) -> Result<Self, ParseEvidenceHashError> {
        hex::decode(text)
            .map(Self)
            .ok_or_else(|| ParseEvidenceHashError(text.to_owned()))
    }
}

impl Serialize for EvidenceHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use ring::digest::digest;

    use super::*;

    #[test]
    fn a_method_has_one_name_on_the_command_line_and_in_records() {
        for method in GuardianMethod::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
    }

    #[test]
    fn the_same_evidence_hashes_differently_in_each_record() {
        let evidence = b"a receipt's number, and a seal";
        let (one, other) = (Id::random().unwrap(), Id::random().unwrap());
        let hash = EvidenceHash::new(one, evidence).unwrap();
        assert_ne!(hash, EvidenceHash::new(other, evidence).unwrap());
        let by_hand = digest(&SHA256, &[one.as_bytes(), evidence.as_slice()].concat());
        assert_eq!(hash.to_string(), hex::encode(by_hand.as_ref()));
        assert_eq!(hash.to_string().parse(), Ok(hash));
    }

    #[test]
    fn short_evidence_is_rejected() {
        let record = Id::random().unwrap();
        for length in 0..EvidenceHash::MIN_BYTES {
            let refused = EvidenceHash::new(record, &vec![7; length]);
            assert_eq!(refused, Err(EvidenceTooShort(length)));
        }
        assert!(EvidenceHash::new(record, &[7; EvidenceHash::MIN_BYTES]).is_ok());
    }
}
