//! Without an entry that the outbox made from a sealed sample, nothing can be asked to be sent.
use sordino::outbox::SampleEntry;

pub fn main(entry: SampleEntry, other: SampleEntry) {
    let _ = (entry.id, other.id);
    let _ = SampleEntry { sha256: String::new(), ..entry }; //~ E0451
    let _ = SampleEntry { recipients: String::new(), ..other }; //~ E0451
}
