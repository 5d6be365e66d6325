//! Raw audio cannot be sealed: only the anonymizer's clips can.
use sordino::{Week, consent::Grants, plan::Recipient, sampler::RawClip, seal::seal};

pub fn main(clip: RawClip, grants: &Grants, recipients: &[Recipient], week: Week) {
    let _ = (clip, grants, recipients, week);
    let _ = seal(clip, grants, recipients, week); //~ E0308
}
