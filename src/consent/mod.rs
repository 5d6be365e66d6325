//! Consent.

mod record;

pub use record::{
    AgeBand, GuardianApproval, GuardianMethod, NoticeReference, Record, SignedRecord,
};
