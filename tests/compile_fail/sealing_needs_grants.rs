//! Without grants nothing is sealed.
use sordino::{Week, anonymize::AnonymousClip, plan::Recipient, seal::seal};

pub fn main(clip: AnonymousClip, recipients: &[Recipient], week: Week) {
    let _ = (recipients, week);
    let _ = seal(clip, recipients, week); //~ E0061
}
