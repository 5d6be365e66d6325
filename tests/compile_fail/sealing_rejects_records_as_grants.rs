//! A record of earlier consent does not permit sealing.
use sordino::{
    Week, anonymize::AnonymousClip, consent::SignedRecord, plan::Recipient, seal::seal,
};

pub fn main(clip: AnonymousClip, record: &SignedRecord, recipients: &[Recipient], week: Week) {
    let _ = (record, recipients, week);
    let _ = seal(clip, record, recipients, week); //~ E0308
}
