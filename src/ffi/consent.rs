use crate::{
    consent::{self, ConsentState},
    purpose::Purposes,
};

/// The text that a person agrees to, in one language.
#[derive(uniffi::Record)]
pub struct Notice {
    /// The organisation's count of its texts; the plan names the one that is asked for.
    pub version: u32,
    /// A BCP 47 tag, such as `en` or `pt-BR`.
    pub language: String,
    /// What the person reads.
    pub text: String,
}

impl From<Notice> for consent::Notice {
    fn from(notice: Notice) -> Self {
        Self::new(notice.version, notice.language, notice.text)
    }
}

/// The English text that comes with the SDK, under the organisation's `version`, for apps that have
/// none of their own yet.
#[uniffi::export]
pub fn bundled_notice(version: u32) -> Notice {
    let notice = consent::Notice::bundled(version);
    Notice {
        version,
        language: notice.reference().language,
        text: notice.text().to_owned(),
    }
}

/// Where consent stands, and for what.
#[derive(uniffi::Record)]
pub struct ConsentStatus {
    /// The state.
    pub state: ConsentState,
    /// What was asked and answered yes, whether or not it holds at present; empty once withdrawn.
    pub purposes: Purposes,
    /// The receipt, a signed JSON document, where consent was ever given.
    pub receipt: Option<String>,
}

impl From<consent::ConsentStatus> for ConsentStatus {
    fn from(status: consent::ConsentStatus) -> Self {
        Self {
            state: status.state,
            purposes: status.purposes,
            receipt: status.receipt.map(|receipt| receipt.to_json()),
        }
    }
}

/// What a withdrawal did.
#[derive(uniffi::Record)]
pub struct Withdrawal {
    /// Pending samples that were shredded.
    pub shredded: u64,
    /// Sent samples whose deletion is queued.
    pub deletions_pending: u64,
}

impl From<crate::Withdrawal> for Withdrawal {
    fn from(withdrawal: crate::Withdrawal) -> Self {
        Self {
            shredded: withdrawal.shredded as u64,
            deletions_pending: withdrawal.deletions_pending as u64,
        }
    }
}
