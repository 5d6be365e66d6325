//! Only sealing creates sealed samples.
use sordino::seal::SealedSample;

pub fn main(other: &SealedSample, bytes: Vec<u8>) {
    let _ = (other.id(), &bytes);
    let _ = SealedSample { id: other.id(), consent: other.consent(), purposes: other.purposes().clone(), week: other.week(), recipients_sha256: [0; 32], seconds: 10.0, selection: other.selection(), bytes, sha256: [0; 32] }; //~ E0451
}
