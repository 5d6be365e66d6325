//! Only the outbox creates ledger entries, from sealed samples; without an entry nothing is sent.
use sordino::outbox::SampleEntry;

pub fn main(entry: SampleEntry, other: SampleEntry) {
    let _ = (entry.id, other.id);
    let _ = SampleEntry { sha256: String::new(), ..entry }; //~ E0451
    let _ = SampleEntry { recipients: String::new(), ..other }; //~ E0451
}
