//! The constructor of grants for the crate's own tests is not compiled into the library.
use sordino::{anonymize::AnonymousClip, consent::Grants};

pub fn main() {
    let _ = (Grants::purposes, AnonymousClip::rate);
    let _ = Grants::for_test; //~ E0599
    let _ = AnonymousClip::for_test; //~ E0599
}
