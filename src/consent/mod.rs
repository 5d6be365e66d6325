//! Consent.

mod grant;
mod record;

pub use grant::Grants;
pub use record::{
    AgeBand, GuardianApproval, GuardianMethod, NoticeReference, Record, SignedRecord,
};
